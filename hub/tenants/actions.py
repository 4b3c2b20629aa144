"""The writes on members."""

from __future__ import annotations

from uuid import UUID

import orjson

from hub.db import Tx
from hub.errors import Conflict, Forbidden, NotFound
from hub.joining import actions as joining
from hub.mailboxes import owners
from hub.plans.actions import check_seats, require
from hub.roles import actions as roles
from hub.sqlfiles import load_sql
from hub.tenants.events import MemberUpdated
from hub.tenants.models import MemberPatch

_SQL = load_sql("members")


async def update_member(tx: Tx, member_id: UUID, given: MemberPatch) -> str:
    """Change a member's role or status and withdraw their running access. Returns the member's JSON.

    Raises NotFound; Forbidden when an admin touches an owner or makes one, and for a role before or after that reaches farther
    than one's own; Invalid for a role that is not there; Conflict for the last active owner.
    """
    rows = {row["user_id"]: row for row in await tx.fetch(_SQL["lock_member"], id=member_id)}
    before = rows.get(member_id)
    if before is None:
        raise missing()
    status = given.status or before["status"]
    had = await roles.resolve(tx, before["role"], before["role_id"])
    if given.role_id is not None and given.role_id != before["role_id"]:
        await require(tx, "custom_roles")
    has = had if given.role is None and given.role_id is None else await roles.resolve(tx, given.role or "rep", given.role_id)
    role = has.role
    if tx.who.role != "owner" and "owner" in (before["role"], role):
        raise Forbidden("Only an owner can make, change or deactivate an owner.")
    roles.check_reach(tx, had, has)
    others = [r for r in rows.values() if r["user_id"] != member_id and r["role"] == "owner" and r["status"] == "active"]
    if before["role"] == "owner" and (role != "owner" or status != "active") and not others:
        raise Conflict("This is the last active owner. Make somebody else owner first.", code="last_owner")
    if status == "active" and before["left_at"] is not None:
        raise Conflict("They left the company by themselves. Invite them again.", code="member_left")
    if status == "active" and before["status"] != "active":
        await check_seats(tx)
    is_changed = (has, status) != (had, before["status"])
    if is_changed:
        await tx.execute(_SQL["update_member"], id=member_id, role=role, role_id=has.role_id, status=status)
        kind = "member_deactivated" if status == "deactivated" else "role_changed"
        await tx.execute(_SQL["note_access_change"], id=member_id, kind=kind)
    if status != before["status"]:
        await owners.member_changed(tx, member_id)
    if status == "deactivated":
        await joining.withdraw_all_of(tx, member_id)
    text = await read_member(tx, member_id)
    if is_changed:
        tx.emit(MemberUpdated(member_id, {"member": orjson.Fragment(text)}))
    return text


async def read_member(tx: Tx, member_id: UUID) -> str:
    """A member as JSON. NotFound when there is none."""
    text: str | None = await tx.fetchval(_SQL["get_member"], id=member_id)
    if text is None:
        raise missing()
    return text


def missing() -> NotFound:
    """The answer for a member that is not there, or not this tenant's."""
    return NotFound("There is no such member.", code="member_not_found")
