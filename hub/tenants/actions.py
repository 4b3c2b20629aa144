"""The writes on members."""

from __future__ import annotations

from uuid import UUID

import orjson

from hub.db import Tx
from hub.errors import Conflict, Forbidden, NotFound
from hub.sqlfiles import load_sql
from hub.tenants.events import MemberUpdated
from hub.tenants.models import MemberPatch

_SQL = load_sql("members")


async def update_member(tx: Tx, member_id: UUID, given: MemberPatch) -> str:
    """Change a member's role or status and withdraw their running access. Returns the member's JSON.

    Raises NotFound; Forbidden when an admin touches an owner or makes one; Conflict for the last active owner.
    """
    rows = {row["user_id"]: row for row in await tx.fetch(_SQL["lock_member"], id=member_id)}
    before = rows.get(member_id)
    if before is None:
        raise NotFound("There is no such member.", code="member_not_found")
    role, status = given.role or before["role"], given.status or before["status"]
    if tx.who.role != "owner" and "owner" in (before["role"], role):
        raise Forbidden("Only an owner can make, change or deactivate an owner.")
    others = [r for r in rows.values() if r["user_id"] != member_id and r["role"] == "owner" and r["status"] == "active"]
    if before["role"] == "owner" and (role != "owner" or status != "active") and not others:
        raise Conflict("This is the last active owner. Make somebody else owner first.", code="last_owner")
    if (role, status) != (before["role"], before["status"]):
        await tx.execute(_SQL["update_member"], id=member_id, role=role, status=status)
        kind = "member_deactivated" if status == "deactivated" else "role_changed"
        await tx.execute(_SQL["note_access_change"], id=member_id, kind=kind)
    text: str = await tx.fetchval(_SQL["get_member"], id=member_id)
    if (role, status) != (before["role"], before["status"]):
        tx.emit(MemberUpdated(member_id, {"member": orjson.Fragment(text)}))
    return text
