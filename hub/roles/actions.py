"""The writes on roles, and the rule that nobody gives or takes what they do not have themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

import orjson

from hub.db import Tx
from hub.errors import Conflict, Forbidden, Invalid, NotFound
from hub.permissions import EVENTS_TELL, FOLLOW, PERMISSIONS, effective, permissions_of
from hub.plans import require
from hub.roles.events import RoleCreated, RoleDeleted, RoleUpdated
from hub.roles.models import RoleIn, RolePatch
from hub.sqlfiles import load_sql
from hub.who import ROLES, Role

MOST_ROLES = 100
_SQL = load_sql("roles")
# How far a role's say over other people's things goes.
_RANK: dict[Role, int] = {"system": 4, "owner": 3, "admin": 2, "manager": 1, "rep": 0}


@dataclass(frozen=True, slots=True)
class Given:
    """A role as somebody has it or is to have it: the built-in one, or the company's own on top of it."""

    role: Role
    role_id: UUID | None
    permissions: frozenset[str]


def missing() -> NotFound:
    """The answer for a role that is not there, or not this tenant's."""
    return NotFound("There is no such role.", code="role_not_found")


async def create_role(tx: Tx, given: RoleIn) -> str:
    """Make a role and return its JSON.

    Raises PlanLimit, Invalid for a permission there is not, Forbidden for more than its maker has, Conflict for a name that is
    taken and after a hundred.
    """
    await require(tx, "custom_roles")
    _check_name(given.name)
    if await tx.fetchval(_SQL["count_roles"]) >= MOST_ROLES:
        raise Conflict(f"There are {MOST_ROLES} roles already. Delete one that nobody has.", code="too_many_roles")
    permissions = _checked(given.permissions)
    check_reach(tx, Given(given.base, None, permissions))
    role_id: UUID = await tx.fetchval(_SQL["insert_role"], name=given.name, base=given.base, permissions=sorted(permissions))
    text = await read_role(tx, role_id)
    tx.emit(RoleCreated(role_id, {"role": orjson.Fragment(text)}))
    return text


async def update_role(tx: Tx, role_id: UUID, given: RolePatch) -> str:
    """Change a role and return its JSON; everybody who has it has the new one within a second. Raises as `create_role`."""
    await require(tx, "custom_roles")
    row = await tx.fetchrow(_SQL["lock_role"], id=role_id)
    if row is None:
        raise missing()
    name, base = given.name or row["name"], given.base or row["base"]
    if given.name is not None:
        _check_name(given.name)
    before = frozenset(row["permissions"])
    permissions = before if given.permissions is None else _checked(given.permissions)
    check_reach(tx, Given(row["base"], None, effective(row["base"], before)))
    check_reach(tx, Given(base, None, effective(base, permissions)))
    await tx.execute(_SQL["update_role"], id=role_id, name=name, base=base, permissions=sorted(permissions))
    await tx.execute(_SQL["note_role_changed"], id=role_id)
    text = await read_role(tx, role_id)
    tx.emit(RoleUpdated(role_id, {"role": orjson.Fragment(text)}))
    return text


async def delete_role(tx: Tx, role_id: UUID) -> None:
    """Delete a role. Raises Forbidden for one that may do more than who deletes it, Conflict while somebody has it."""
    row = await tx.fetchrow(_SQL["lock_role"], id=role_id)
    if row is None:
        raise missing()
    check_reach(tx, Given(row["base"], None, effective(row["base"], row["permissions"])))
    await tx.execute(_SQL["delete_role"], id=role_id)
    tx.emit(RoleDeleted(role_id, {"role_id": role_id, "name": row["name"]}))


async def read_role(tx: Tx, role_id: UUID) -> str:
    """A role as JSON. NotFound when there is none."""
    text: str | None = await tx.fetchval(_SQL["get_role"], id=role_id)
    if text is None:
        raise missing()
    return text


async def resolve(tx: Tx, role: Role, role_id: UUID | None) -> Given:
    """What somebody with this role has: the company's own role when there is an id, else the built-in one.

    Holds a role of the company's own until the transaction ends. Raises Invalid for an id of none.
    """
    if role_id is None:
        return Given(role, None, effective(role, None))
    row = await tx.fetchrow(_SQL["lock_role"], id=role_id)
    if row is None:
        raise Invalid.field("role_id", "There is no such role. GET /roles lists them.")
    base = cast(Role, row["base"])
    return Given(base, role_id, effective(base, row["permissions"]))


def check_reach(tx: Tx, *roles: Given) -> None:
    """Nobody makes, gives or takes away a role that reaches farther than their own. Raises Forbidden."""
    own = permissions_of(tx.who)
    for given in roles:
        more = sorted(given.permissions - own)
        if more:
            named = ", ".join(more[:3]) + (" and more" if len(more) > 3 else "")
            raise Forbidden(f"This role may do what you may not: {named}.", code="role_reaches_farther")
        if _RANK[given.role] > _RANK[tx.who.role]:
            raise Forbidden(
                f"This role has the say of {_an(given.role)}; yours is that of {_an(tx.who.role)}.", code="role_reaches_farther"
            )


def is_within(given: Given, holder: Given) -> bool:
    """Does a role reach no farther than who has the other one does?"""
    return given.permissions <= holder.permissions and _RANK[given.role] <= _RANK[holder.role]


def _an(role: Role) -> str:
    return f"{'an' if role[0] in 'ao' else 'a'} {role}"


def _check_name(name: str) -> None:
    if name.lower() in ROLES:
        raise Conflict(f"Every company has a role named {name.lower()} already. Choose another name.", code="role_exists")


def _checked(names: Sequence[str]) -> frozenset[str]:
    unknown = sorted(set(names) - set(PERMISSIONS))
    if unknown:
        raise Invalid.field("permissions", f"There is no permission {unknown[0]!r}. GET /permissions lists them.")
    permissions = frozenset(names)
    if FOLLOW in permissions and not permissions >= EVENTS_TELL:
        lacking = ", ".join(sorted(EVENTS_TELL - permissions))
        raise Invalid.field("permissions", f"{FOLLOW} tells of what only {lacking} may show. Add that, or leave {FOLLOW} out.")
    return permissions
