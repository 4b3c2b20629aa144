"""The writes on the company, and on one's own membership of it."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import orjson

from hub.company.events import CompanyUpdated, MemberLeft, OwnershipTransferred
from hub.company.models import CompanyPatch, Renamed
from hub.db import Database, Tx, tenant_tx
from hub.errors import Conflict, Forbidden, Invalid
from hub.handovers import actions as handovers
from hub.handovers.models import Departure
from hub.joining import actions as joining
from hub.mailboxes import owners
from hub.notifications.actions import notify
from hub.sqlfiles import load_sql
from hub.tenants.actions import read_member
from hub.tenants.events import MemberUpdated
from hub.who import Who

_SQL = load_sql("company")
_MEMBERS = load_sql("members")


async def read_company(tx: Tx) -> str:
    """The company as JSON."""
    text: str = await tx.fetchval(_SQL["get_company"])
    return text


async def update_company(tx: Tx, given: CompanyPatch) -> str:
    """Change the company's name or time zone; its JSON."""
    before = await read_company(tx)
    await tx.execute(_SQL["update_company"], name=given.name, zone=given.zone)
    text = await read_company(tx)
    if text != before:
        tx.emit(CompanyUpdated(tx.who.tenant_id, {"company": orjson.Fragment(text)}))
    return text


async def transfer(tx: Tx, to_id: UUID) -> None:
    """Make somebody else owner in one's own place; one is an admin from there on.

    Raises Forbidden for who is no owner (any more), Invalid for who is no other active member.
    """
    me = tx.who.user_id
    assert me is not None
    rows = {row["user_id"]: row for row in await tx.fetch(_MEMBERS["lock_member"], id=to_id)}
    owner, heir = rows.get(me), rows.get(to_id)
    if owner is None or owner["role"] != "owner" or owner["status"] != "active":
        raise Forbidden("Only an owner can make somebody else the owner.")
    if heir is None or heir["status"] != "active" or to_id == me:
        raise Invalid.field("to_id", "Name another active member.")
    for member_id, role in ((to_id, "owner"), (me, "admin")):
        await tx.execute(_SQL["set_role"], id=member_id, role=role)
        await tx.execute(_MEMBERS["note_access_change"], id=member_id, kind="role_changed")
        text = await read_member(tx, member_id)
        tx.emit(MemberUpdated(member_id, {"member": orjson.Fragment(text)}))
    tx.emit(OwnershipTransferred(tx.who.tenant_id, {"from_id": me, "to_id": to_id}))
    words = f"{tx.who.name or 'The owner'} made you the owner of the company."
    await notify(tx, to_id, "ownership", "You own the company now", words, "member", to_id)


async def leave(tx: Tx, given: Departure) -> None:
    """Leave the company: access ends at once, and what is one's own is handed over if that is asked for.

    Raises Conflict for the last active owner, and what a handover raises.
    """
    me = tx.who.user_id
    assert me is not None
    rows = {row["user_id"]: row for row in await tx.fetch(_MEMBERS["lock_member"], id=me)}
    others = [r for r in rows.values() if r["user_id"] != me and r["role"] == "owner" and r["status"] == "active"]
    if rows[me]["role"] == "owner" and not others:
        raise Conflict("You are the last owner. Make somebody else the owner first.", code="last_owner")
    await tx.execute(_SQL["leave"])
    await tx.execute(_MEMBERS["note_access_change"], id=me, kind="member_deactivated")
    await owners.member_changed(tx, me)
    await joining.withdraw_all_of(tx, me)
    text = await read_member(tx, me)
    tx.emit(MemberUpdated(me, {"member": orjson.Fragment(text)}))
    tx.emit(MemberLeft(me, {"member_id": me}))
    if given.handover is not None:
        await handovers.start(tx, me, given.handover)


async def rename_oneself(db: Database, who: Who, name: str) -> Renamed:
    """Change how one is called. Every company one belongs to hears of it, the one at hand with the change itself."""
    assert who.user_id is not None
    rows = await db.system_fetch(_SQL["companies_of"], person_id=who.user_id)
    here = [who] + [replace(who, tenant_id=r["tenant_id"], role=r["role"]) for r in rows if r["tenant_id"] != who.tenant_id]
    for place, member in enumerate(here):
        async with tenant_tx(db, replace(member, name=name)) as tx:
            if place == 0:
                await tx.execute(_SQL["rename_person"], name=name)
            text = await read_member(tx, who.user_id)
            tx.emit(MemberUpdated(who.user_id, {"member": orjson.Fragment(text)}))
    return Renamed(id=who.user_id, name=name)
