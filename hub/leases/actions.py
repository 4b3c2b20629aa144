"""Leases: one person is busy with a contact at a time, and the others see who.

A lease is held by beats (the console's, every few seconds) or by a live call, without any. One that ran out is free for the
next to take at once; a duty takes it away within seconds, so that everybody sees it.
"""

from __future__ import annotations

from uuid import UUID

import orjson

from hub.contacts.actions import missing as contact_missing
from hub.contacts.queries import contact_exists
from hub.db import Database, Tx, tenant_tx
from hub.errors import Conflict
from hub.leases import queries
from hub.leases.events import LeaseReleased, LeaseTaken
from hub.leases.models import Purpose
from hub.sqlfiles import load_sql
from hub.who import Who

_SQL = load_sql("leases")

# A beat every four seconds may be lost once; nobody is kept waiting for longer than LEASE_S and the duty's two seconds.
LEASE_S = 10.0
_FREE_AT_ONCE = 500

_DOING = {
    "call": "is on a call with this contact",
    "email": "is writing to this contact",
    "sms": "is texting this contact",
    "dialer": "is about to call this contact",
}


async def take(tx: Tx, contact_id: UUID, user_id: UUID, purpose: Purpose) -> None:
    """Take the contact for a person, or beat for a lease they hold.

    Raises Conflict ("contact_is_claimed", details.lease) while a colleague holds it, NotFound for the contact.
    """
    await _take(tx, contact_id, user_id, purpose, force=False)


async def hold_for_call(tx: Tx, contact_id: UUID, user_id: UUID, call_id: UUID, *, force: bool = False) -> None:
    """Take the contact for a call of this person: it is theirs for as long as the call is live.

    With `force` from whoever holds it: an inbound call is there already, and the colleague sees why. Raises as `take`.
    """
    await _take(tx, contact_id, user_id, "call", force=force, call_id=call_id)


async def release(tx: Tx, contact_id: UUID, user_id: UUID) -> None:
    """Give the contact back. What is not held, or held by somebody else, stays as it is; a live call holds on."""
    text: str | None = await tx.fetchval(_SQL["release_lease"], contact_id=contact_id, holder=user_id)
    if text is not None:
        tx.emit(LeaseReleased(contact_id, {"lease": orjson.Fragment(text)}))
        return
    await tx.execute(_SQL["let_lease_lapse"], contact_id=contact_id, holder=user_id)


async def read(tx: Tx, contact_id: UUID) -> str:
    """The lease on a contact that is held, as JSON."""
    held = await queries.lease_of(tx, contact_id)
    assert held is not None
    return held.json


async def free_lost(db: Database) -> int:
    """Take away the leases of any company that nobody holds any more. Returns how many. Safe to run by several at once."""
    freed = 0
    for row in await db.system_fetch(_SQL["lost_leases"], limit=_FREE_AT_ONCE):
        async with tenant_tx(db, Who.system(row["tenant_id"])) as tx:
            text: str | None = await tx.fetchval(_SQL["free_lost_lease"], contact_id=row["contact_id"])
            if text is not None:
                tx.emit(LeaseReleased(row["contact_id"], {"lease": orjson.Fragment(text)}))
                freed += 1
    return freed


async def _take(tx: Tx, contact_id: UUID, user_id: UUID, purpose: Purpose, *, force: bool, call_id: UUID | None = None) -> None:
    row = await tx.fetchrow(
        _SQL["take_lease"], contact_id=contact_id, holder=user_id, purpose=purpose, lease_s=LEASE_S, force=force
    )
    if row is None:
        if not await contact_exists(tx, contact_id):
            raise contact_missing()
        raise await _claimed(tx, contact_id)
    text: str = row["json"]
    if call_id is not None:
        text = await tx.fetchval(_SQL["tie_lease_to_call"], contact_id=contact_id, holder=user_id, call_id=call_id)
    if row["fresh"]:
        tx.emit(LeaseTaken(contact_id, {"lease": orjson.Fragment(text)}))


async def _claimed(tx: Tx, contact_id: UUID) -> Conflict:
    held = await queries.lease_of(tx, contact_id)
    if held is None:
        return Conflict("Somebody was busy with this contact a moment ago. Try again.", code="contact_is_claimed")
    lease = orjson.loads(held.json)
    return Conflict(f"{held.name} {_DOING[held.purpose]}.", code="contact_is_claimed", details={"lease": lease})
