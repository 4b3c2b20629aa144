"""Placing the calls of a session: the attempt, the call, the permit's use and the session's move are one transaction."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import asyncpg

from hub.calls import actions as calls
from hub.db import Tx
from hub.dialer import pacing
from hub.dialer.preparing import Facts, claim, permit, put
from hub.dialer.sessions import Session
from hub.leases import actions as leases
from hub.numbers import actions as numbers
from hub.permits import actions as permits
from hub.presence import actions as presence
from hub.sqlfiles import load_sql

_SQL = load_sql("dialer")

# A permit is good for some minutes; the hour, the lists and the caps are looked at again after this long.
_FRESH = timedelta(seconds=60)


async def dial(tx: Tx, session: Session, facts: Facts) -> bool:
    """Call the prepared contact, and others beside them as far as the lines go. The session is `ready` or in wrap-up.

    False where the prepared contact may not be called any more: the session went back to preparing.
    """
    if await tx.fetchval(_SQL["busy_with"], rep=session.user_id):
        session.note = "You are on another call. The next contact waits for its end."
        session.dial_at = session.now + timedelta(seconds=2)
        return True
    items = await _whom(tx, session, facts)
    if not items:
        session.next_item_id = None
        session.move("preparing")
        session.look_at = None
        return False
    if session.call_id is not None:
        await presence.free(tx, session.user_id, session.call_id)
    is_parallel = len(items) > 1
    placed = [await _place(tx, session, facts, item, is_parallel=is_parallel) for item in items]
    session.move("dialing")
    session.next_item_id = None
    session.call_id = None if is_parallel else placed[0]
    session.look_at = session.note = None
    session.lines_used = len(items)
    session.is_automatic = True
    session.calls += len(items)
    return True


async def _whom(tx: Tx, session: Session, facts: Facts) -> list[asyncpg.Record]:
    first = await tx.fetchrow(_SQL["get_item"], id=session.next_item_id)
    if first is None or first["claimed_by"] != session.id or first["state"] != "claimed":
        return []
    is_fresh = first["permit_id"] is not None and first["now"] - first["claimed_at"] < _FRESH
    if not is_fresh and not await permit(tx, session, first):
        return []
    items = [first["id"]]
    wanted = await pacing.lines_for(tx, session, facts)
    for _ in range(3 * (wanted - 1)):
        if len(items) == wanted:
            break
        item = await claim(tx, session, facts)
        if item is None:
            break
        if await permit(tx, session, item):
            items.append(item["id"])
    found = [await tx.fetchrow(_SQL["get_item"], id=item_id) for item_id in items]
    return [item for item in found if item is not None]


async def _place(tx: Tx, session: Session, facts: Facts, item: asyncpg.Record, *, is_parallel: bool) -> UUID:
    number: int | None = await tx.fetchval(_SQL["dial_item"], id=item["id"], session_id=session.id)
    assert number is not None  # it is claimed by this locked session
    await permits.use(tx, item["permit_id"])
    number_id, from_number = await numbers.caller_id(tx, item["phone"], session.user_id)
    call_id = await calls.place_call(
        tx,
        item["contact_id"],
        phone=item["phone"],
        from_number=from_number or None,
        from_number_id=number_id,
        user_id=session.user_id,
        permit_id=item["permit_id"],
        queue_item_id=item["id"],
        holds_rep=not is_parallel,
        # Where abandoned calls are counted it has to be known who were people.
        machine_detection="detect" if facts.lines > 1 else None,
        ring_s=facts.ring_s,
    )
    await tx.execute(_SQL["note_items_call"], id=item["id"], call_id=call_id)
    await pacing.note_placed(tx, session, call_id, item["id"], number, is_parallel=is_parallel)
    await leases.hold_for_call(tx, item["contact_id"], session.user_id, call_id)
    return call_id


async def skip(tx: Tx, session: Session, reason: str) -> None:
    """The rep does not want to call whoever is prepared."""
    item = await tx.fetchrow(_SQL["get_item"], id=session.next_item_id)
    if item is not None:
        await put(tx, item["id"], "skipped", code="skipped_by_rep", reason=reason)
        await leases.release(tx, item["contact_id"], session.user_id)
    session.next_item_id = None
