"""The next contact of a session: claimed so that nobody else gets it, leased, and permitted before anybody dials."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from hub.contacts import queries as contacts
from hub.db import Tx
from hub.dialer import queues
from hub.dialer.sessions import Session
from hub.dialer.states import ItemState, Order, QueueState
from hub.errors import Conflict, NotFound
from hub.leases import actions as leases
from hub.permits import actions as permits
from hub.sqlfiles import load_sql

_SQL = load_sql("dialer")

# How many may be refused one after another before the transaction ends and the next one goes on.
TRIES = 8
# A lease lasts ten seconds.
BEAT_S = 3.5
_BUSY = timedelta(minutes=2)
_CLAIMED = timedelta(minutes=1)
# A queue may get new contacts, or a zone open, without anybody telling the session.
_LONGEST_LOOK_S = 60.0


@dataclass(frozen=True, slots=True)
class Facts:
    """What a session has to know of its queue."""

    state: QueueState
    dial_order: Order
    lines: int
    ring_s: int
    countdown_s: int
    attempt_limit: int | None
    retry_busy_s: int | None
    retry_no_answer_s: int | None
    abandon_cap_per_mille: int
    fill_state: str
    is_deleted: bool


async def facts_of(tx: Tx, queue_id: UUID) -> Facts:
    """The queue of a session as it is now."""
    row = await tx.fetchrow(_SQL["queue_facts"], id=queue_id)
    assert row is not None  # a foreign key says so
    return Facts(**row)


async def prepare(tx: Tx, session: Session, facts: Facts) -> None:
    """Find the next contact who may be called, or say why there is none and when to look again."""
    for _ in range(TRIES):
        item = await claim(tx, session, facts)
        if item is None:
            await _nobody(tx, session, facts)
            return
        if await permit(tx, session, item):
            session.next_item_id, session.note = item["id"], None
            session.look_in(BEAT_S)
            return
    session.note = "Looking for somebody who may be called now."
    session.look_in(0)


async def claim(tx: Tx, session: Session, facts: Facts) -> asyncpg.Record | None:
    """The next contact by the order of the queue, for this session alone; None when nobody is due."""
    who = {"queue_id": session.queue_id, "session_id": session.id, "rep": session.user_id}
    item = await tx.fetchrow(_SQL["claim_callback"], **who)
    item = item or await tx.fetchrow(_SQL["claim_retry"], **who)
    if item is not None:
        return item
    zones = [row["zone_key"] for row in await tx.fetch(_SQL["open_zones"], id=session.queue_id) if row["is_open"]]
    if facts.dial_order == "local_time":
        # Where the day ends first they come first.
        for zone in zones:
            item = await tx.fetchrow(_SQL["claim_fresh"], zone=zone, by_local_time=True, **who)
            if item is not None:
                return item
        return None
    if not zones:
        return None
    return await tx.fetchrow(_SQL["claim_fresh"], zones=zones, **{f"by_{facts.dial_order}": True}, **who)


async def permit(tx: Tx, session: Session, item: asyncpg.Record) -> bool:
    """Whether a claimed contact may be called now. Who may not goes back with the reason: for later, or skipped."""
    contact_id: UUID = item["contact_id"]
    if not await contacts.contact_exists(tx, contact_id):
        await put(tx, item["id"], "skipped", code="contact_gone", reason="This contact was deleted.")
        return False
    phone = await contacts.contact_phone(tx, contact_id, None)
    if phone is None:
        await put(tx, item["id"], "skipped", code="no_number", reason="This contact has no telephone number.")
        return False
    if await tx.fetchval(_SQL["contact_on_call"], contact_id=contact_id):
        await later(tx, item, session.now + _BUSY, "on_a_call", "Someone was on a call with this contact.")
        return False
    try:
        await leases.take(tx, contact_id, session.user_id, "dialer")
    except Conflict as exc:
        await later(tx, item, session.now + _CLAIMED, "claimed", exc.message)
        return False
    decided = await permits.decide(tx, contact_id, "call", phone, user_id=session.user_id, queue_item_id=item["id"])
    if decided.allowed:
        await tx.execute(_SQL["permit_item"], id=item["id"], phone=phone, permit_id=decided.id, reason=decided.explanation)
        return True
    await leases.release(tx, contact_id, session.user_id)
    if decided.next_allowed_at is not None:
        await later(tx, item, decided.next_allowed_at, decided.code, decided.explanation, permit_id=decided.id)
    else:
        await put(tx, item["id"], "skipped", code=decided.code, reason=decided.explanation, permit_id=decided.id)
    return False


async def release(tx: Tx, session: Session) -> None:
    """Give back whoever is prepared; they stay where they were in the order."""
    for item in await tx.fetch(_SQL["claims_of_session"], session_id=session.id):
        await put(tx, item["id"], _home(item), not_before=item["not_before"], callback_for=item["callback_for"])
        await leases.release(tx, item["contact_id"], session.user_id)
    session.next_item_id = None
    session.dial_at = None


async def keep(tx: Tx, session: Session, contact_id: UUID) -> bool:
    """Beat for the lease of whoever is prepared; False when a colleague has it by now."""
    session.look_in(BEAT_S)
    try:
        await leases.take(tx, contact_id, session.user_id, "dialer")
    except (Conflict, NotFound):
        return False
    return True


async def later(
    tx: Tx,
    item: asyncpg.Record,
    at: datetime,
    code: str,
    reason: str,
    *,
    permit_id: UUID | None = None,
    outcome: str | None = None,
) -> None:
    """The contact waits until then, and why. A callback stays one."""
    await put(
        tx,
        item["id"],
        _home(item),
        not_before=at,
        callback_for=item["callback_for"],
        code=code,
        reason=reason,
        permit_id=permit_id,
        outcome=outcome,
    )


async def put(
    tx: Tx,
    item_id: UUID,
    state: ItemState,
    *,
    not_before: datetime | None = None,
    callback_for: UUID | None = None,
    code: str | None = None,
    reason: str | None = None,
    permit_id: UUID | None = None,
    outcome: str | None = None,
) -> None:
    """Write down where an item goes out of a rep's hands, with the reason in words."""
    await tx.execute(
        _SQL["put_item"],
        id=item_id,
        state=state,
        not_before=not_before,
        callback_for=callback_for,
        reason_code=code,
        reason=reason,
        permit_id=permit_id,
        outcome=outcome,
    )


def _home(item: asyncpg.Record) -> ItemState:
    return "callback" if item["callback_for"] is not None and item["not_before"] is not None else "waiting"


async def _nobody(tx: Tx, session: Session, facts: Facts) -> None:
    rest = await tx.fetchrow(_SQL["queue_rest"], id=session.queue_id)
    assert rest is not None
    times = [at for at in (rest["retry_at"], rest["callback_at"]) if at is not None]
    if facts.fill_state == "filling":
        session.note = "The queue is still being filled."
        session.look_in(1)
    elif times and not rest["has_fresh"]:
        session.note = "Nobody is due just now. The next one waits for their time."
        session.look_in(min(max((min(times) - session.now).total_seconds(), 1), _LONGEST_LOOK_S))
    elif rest["has_fresh"]:
        session.note = "It is too early or too late to call whoever is left."
        session.look_in(min([_LONGEST_LOOK_S, *((at - session.now).total_seconds() for at in times if at > session.now)]))
    elif rest["has_held"]:
        session.note = "The last contacts are with colleagues."
        session.look_in(2)
    else:
        session.note = "Everybody in this queue was called."
        session.look_at = None
        if session.state == "preparing":
            await queues.finish(tx, session.queue_id)
            session.move("ended")
