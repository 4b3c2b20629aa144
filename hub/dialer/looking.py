"""The session machine: looks at how things stand and makes every move that is due. Safe to repeat, anywhere, at any time.

What hurries it are the end of a call, an action of the rep and the end of a countdown; what it relies on is the duty that
looks at every session in which something is due (`dial_sessions_due`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hub.db import Tx
from hub.dialer import dialing, preparing, settling
from hub.dialer.preparing import Facts
from hub.dialer.sessions import Session, lock_session, save_session
from hub.presence import actions as presence
from hub.sqlfiles import load_sql

_SQL = load_sql("dialer")

# Reloading the console takes a moment; who is away for longer is gone.
GONE_S = 3.0

GONE = "Your connection was lost. Resume when you are back."
QUEUE_PAUSED = "The queue is paused."
QUEUE_GONE = "The queue was deleted."
LEFT = "You left the queue."


async def look(tx: Tx, session_id: UUID) -> None:
    """Make every move that is due in a session."""
    session = await lock_session(tx, session_id)
    if session is None:
        return
    before = replace(session)
    facts = await preparing.facts_of(tx, session.queue_id)
    await proceed(tx, session, facts)
    await save_session(tx, before, session)


async def proceed(tx: Tx, session: Session, facts: Facts) -> None:
    """The moves of a locked session, in order: calls, wrap-up, who is there, the queue, the next contact, the countdown."""
    await account(tx, session, facts)
    if session.state == "wrap_up":
        await _wrap_up(tx, session, facts)
    if session.state in ("preparing", "ready", "wrap_up") and facts.is_deleted:
        await end(tx, session, QUEUE_GONE)
    if session.state in ("preparing", "ready") and await _is_gone(tx, session):
        await halt(tx, session, GONE)
    if session.state in ("preparing", "ready", "wrap_up"):
        await _prepare(tx, session, facts)
    is_time = session.state == "ready" and session.dial_at is not None and session.dial_at <= session.now
    if is_time and not await dialing.dial(tx, session, facts):
        await _prepare(tx, session, facts)


async def account(tx: Tx, session: Session, facts: Facts) -> None:
    """The calls that are under way, and their ends. Those that another answer made needless may end later."""
    seen = await settling.settle(tx, session, facts)
    if session.state == "dialing" and seen.talking is not None:
        session.move("talking")
        session.call_id = seen.talking
    if session.state not in ("dialing", "talking") or seen.talking is not None:
        return
    if session.state == "talking" or seen.talked is not None:
        session.call_id = seen.talked or session.call_id
        session.move("wrap_up")
        session.look_at = None
    elif seen.ringing == 0:
        # Nobody answered: there is nothing to write up.
        for call_id in seen.over:
            await presence.free(tx, session.user_id, call_id)
        await advance(tx, session, facts)


async def _wrap_up(tx: Tx, session: Session, facts: Facts) -> None:
    """The wrap-up ends with the rep's presence: by a disposition, by its timer, or because they say so."""
    row = await tx.fetchrow(_SQL["rep_presence"], rep=session.user_id)
    if row is not None and row["state"] in ("wrap_up", "on_call") and row["call_id"] == session.call_id:
        return
    if row is None or row["state"] == "offline":
        if row is not None and row["since"] > session.now - timedelta(seconds=GONE_S):
            return
        await end_wrap_up(tx, session, facts)
        await halt(tx, session, GONE)
        return
    await end_wrap_up(tx, session, facts)
    await advance(tx, session, facts)


async def end_wrap_up(tx: Tx, session: Session, facts: Facts) -> None:
    """What the rep said of the call is known now, if they said anything."""
    if session.call_id is not None:
        await settling.follow_disposition(tx, session, facts, session.call_id)
    session.call_id = None


async def advance(tx: Tx, session: Session, facts: Facts) -> None:
    """The rep is free: for the next contact, unless they asked to stop."""
    session.call_id = None
    if session.leave_asked:
        await end(tx, session, LEFT)
    elif session.pause_asked:
        await halt(tx, session, None)
    elif session.next_item_id is not None:
        _ready(session, facts)
    else:
        session.move("preparing")
        session.look_at = None


def _ready(session: Session, facts: Facts) -> None:
    session.move("ready")
    if session.is_automatic:
        session.dial_at = session.now + timedelta(seconds=facts.countdown_s)


async def halt(tx: Tx, session: Session, why: str | None) -> None:
    """Pause the session and give back whoever is prepared."""
    await preparing.release(tx, session)
    session.move("paused")
    session.call_id = session.look_at = None
    session.pause_asked = False
    session.note = why


async def end(tx: Tx, session: Session, why: str | None) -> None:
    """End the session and give back whoever is prepared."""
    await preparing.release(tx, session)
    session.move("ended")
    session.look_at = session.dial_at = None
    session.pause_asked = session.leave_asked = False
    session.note = why


async def _is_gone(tx: Tx, session: Session) -> bool:
    row = await tx.fetchrow(_SQL["rep_presence"], rep=session.user_id)
    limit = session.now - timedelta(seconds=GONE_S)
    if row is not None and row["state"] != "offline":
        return False
    return session.since <= limit and (row is None or row["since"] <= limit)


async def _prepare(tx: Tx, session: Session, facts: Facts) -> None:
    """See to it that somebody is prepared, and that a colleague does not get them meanwhile."""
    if facts.state != "running":
        if session.next_item_id is not None:
            await preparing.release(tx, session)
        if session.state == "ready":
            session.move("preparing")
        if session.state == "preparing":
            session.note, session.look_at = QUEUE_PAUSED, None
        return
    if session.next_item_id is not None:
        if not session.is_look_due or await _keep(tx, session):
            return
        await preparing.release(tx, session)
        if session.state == "ready":
            session.move("preparing")
        session.look_at = None
    # While the rep writes up, a contact who is found early only waits longer: that is fine, their lease is kept.
    if session.is_look_due and not (session.state == "wrap_up" and (session.pause_asked or session.leave_asked)):
        await preparing.prepare(tx, session, facts)
    if session.state == "preparing" and session.next_item_id is not None:
        _ready(session, facts)


async def _keep(tx: Tx, session: Session) -> bool:
    item = await tx.fetchrow(_SQL["get_item"], id=session.next_item_id)
    return item is not None and item["claimed_by"] == session.id and await preparing.keep(tx, session, item["contact_id"])
