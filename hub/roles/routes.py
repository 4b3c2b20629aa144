"""Permission and role endpoints."""

from __future__ import annotations

from hub.db import Tx
from hub.http.endpoint import Reply, Req, Routes
from hub.permissions import EVENTS_TELL, FOLLOW, NOT_FOR_KEYS, PERMISSIONS, ROLE_PERMISSIONS
from hub.roles import actions
from hub.roles.models import BuiltInRole, OwnRole, Permission, PermissionList, RoleIn, RoleList, RolePatch
from hub.sqlfiles import load_sql

routes = Routes("roles")
_SQL = load_sql("roles")
_ALL = PermissionList(
    data=[
        Permission(name=name, words=words, for_keys=name not in NOT_FOR_KEYS, needs=sorted(EVENTS_TELL) if name == FOLLOW else [])
        for name, words in PERMISSIONS.items()
    ],
    roles=[
        BuiltInRole(role="owner", permissions=sorted(ROLE_PERMISSIONS["owner"])),
        BuiltInRole(role="admin", permissions=sorted(ROLE_PERMISSIONS["admin"])),
        BuiltInRole(role="manager", permissions=sorted(ROLE_PERMISSIONS["manager"])),
        BuiltInRole(role="rep", permissions=sorted(ROLE_PERMISSIONS["rep"])),
    ],
)


@routes.get("/permissions", returns=PermissionList, allow="members:read")
async def list_permissions(tx: Tx, req: Req[None, None]) -> Reply:
    """Everything that may be done, in words, and which built-in role may do it."""
    return Reply(_ALL)


@routes.get("/roles", returns=RoleList, allow="members:read")
async def list_roles(tx: Tx, req: Req[None, None]) -> Reply:
    """The roles of the company's own, by name."""
    return Reply(f'{{"data":{await tx.fetchval(_SQL["list_roles"])}}}')


@routes.post("/roles", body=RoleIn, returns=OwnRole, status=201, allow="roles:write", errors=(402, 409))
async def create_role(tx: Tx, req: Req[None, RoleIn]) -> Reply:
    """Make a role that holds what its maker may do, or less."""
    return Reply(await actions.create_role(tx, req.body), 201)


@routes.get("/roles/{id}", returns=OwnRole, allow="members:read")
async def get_role(tx: Tx, req: Req[None, None]) -> Reply:
    """One role of the company's own."""
    return Reply(await actions.read_role(tx, req.id()))


@routes.patch("/roles/{id}", body=RolePatch, returns=OwnRole, allow="roles:write", errors=(402, 409))
async def update_role(tx: Tx, req: Req[None, RolePatch]) -> Reply:
    """Change a role, for everybody who has it within a second."""
    return Reply(await actions.update_role(tx, req.id(), req.body))


@routes.delete("/roles/{id}", status=204, allow="roles:write", errors=(409,))
async def delete_role(tx: Tx, req: Req[None, None]) -> Reply:
    """Delete a role that nobody has."""
    await actions.delete_role(tx, req.id())
    return Reply()
