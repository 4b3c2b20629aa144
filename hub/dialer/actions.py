"""What reps do in a session, and what other features tell the dialer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from hub.db import Tx
from hub.dialer import dialing, looking, preparing, queues, settling
from hub.dialer.looking import look
from hub.dialer.preparing import Facts
from hub.dialer.queues import add_items, create_queue, delete_queue, read_queue, set_state, update_queue
from hub.dialer.sessions import LOOK, Session, announce, lock_session, missing, read_session, save_session
from hub.dialer.states import ON_THE_TELEPHONE
from hub.errors import Conflict, Forbidden, Invalid
from hub.presence import actions as presence
from hub.sqlfiles import load_sql

__all__ = [
    "add_items",
    "call_back",
    "call_ended",
    "create_queue",
    "delete_queue",
    "dial",
    "join",
    "leave",
    "look",
    "pause",
    "read_queue",
    "read_session",
    "resume",
    "set_state",
    "skip",
    "update_queue",
]

_SQL = load_sql("dialer")

_LATEST_CALLBACK = timedelta(days=366)


async def call_ended(tx: Tx, call_id: UUID) -> None:
    """A call is over; if a session placed it, that goes on. May be repeated, and may come late."""
    session_id: UUID | None = await tx.fetchval(_SQL["session_of_call"], call_id=call_id)
    if session_id is not None:
        # A transaction of its own: what stands in the way of the next call must not hold up the end of this one.
        await tx.defer(LOOK, {"session_id": session_id})


async def join(tx: Tx, queue_id: UUID, lines: int | None) -> str:
    """Begin to work in a queue; the session as JSON. Its first contact is prepared at once where there is one.

    Raises NotFound for the queue, Conflict when it does not run or the rep is in a session already, Forbidden when the queue
    is others'.
    """
    rep = tx.who.user_id
    assert rep is not None  # a token always names a person
    queue = await queues.lock_queue(tx, queue_id)
    if not tx.who.is_manager and not await tx.fetchval(_SQL["may_work"], id=queue_id):
        raise Forbidden("This queue is worked by others. A manager can add you.")
    if queue["state"] != "running":
        raise Conflict("The queue does not run. Start it first.", code="queue_not_running")
    if await tx.fetchval(_SQL["live_session_of_user"], rep=rep) is not None:
        raise Conflict("You are in a queue already. Leave it first.", code="already_in_a_session")
    wanted = queue["lines"] if lines is None else lines
    session_id: UUID = await tx.fetchval(_SQL["insert_session"], queue_id=queue_id, lines=min(wanted, queue["lines"]))
    async with _working(tx, session_id, is_new=True) as (session, facts):
        await looking.proceed(tx, session, facts)
    return await read_session(tx, session_id)


async def dial(tx: Tx, session_id: UUID) -> str:
    """Call the prepared contact now; ends a wrap-up. From then on the next ones are called by themselves.

    Raises Conflict when nobody is prepared, or a call is under way.
    """
    async with _working(tx, session_id) as (session, facts):
        await looking.proceed(tx, session, facts)
        if session.state not in ("ready", "wrap_up"):
            if session.state in ON_THE_TELEPHONE:
                raise Conflict("A call is under way.", code="already_on_a_call")
            if session.state == "paused":
                raise Conflict("You have paused. Resume first.", code="dial_session_paused")
        if session.next_item_id is None:
            raise Conflict(session.note or "Nobody is prepared yet.", code="nobody_prepared")
        if session.state == "wrap_up":
            left = session.call_id
            await looking.end_wrap_up(tx, session, facts)
            if left is not None:
                await presence.free(tx, session.user_id, left)
            session.pause_asked = session.leave_asked = False
        if not await dialing.dial(tx, session, facts):
            await looking.proceed(tx, session, facts)
    return await read_session(tx, session_id)


async def skip(tx: Tx, session_id: UUID, reason: str) -> str:
    """Do not call the prepared contact, for a reason, and prepare the next one. Conflict when nobody is prepared."""
    async with _working(tx, session_id) as (session, facts):
        if session.next_item_id is None:
            raise Conflict("Nobody is prepared whom you could skip.", code="nobody_prepared")
        await dialing.skip(tx, session, reason)
        await _next(tx, session, facts)
    return await read_session(tx, session_id)


async def call_back(tx: Tx, session_id: UUID, at: datetime) -> str:
    """Call somebody at a time: who is on the telephone or written up, else the prepared contact.

    Raises Invalid for a time that has passed or is more than a year away, Conflict when there is nobody.
    """
    async with _working(tx, session_id) as (session, facts):
        if not session.now < at <= session.now + _LATEST_CALLBACK:
            raise Invalid.field("at", "Choose a time to come, within a year.")
        if session.call_id is not None and await settling.plan_callback(tx, session, session.call_id, at):
            await announce(tx, session.id)
        elif session.next_item_id is not None:
            item_id = session.next_item_id
            await preparing.release(tx, session)
            await settling.put_callback(tx, item_id, at, session.user_id)
            await _next(tx, session, facts)
        else:
            raise Conflict("There is nobody to call back.", code="nobody_prepared")
    return await read_session(tx, session_id)


async def pause(tx: Tx, session_id: UUID) -> str:
    """Stop the countdown and give back whoever is prepared; during a call or a wrap-up, after it."""
    async with _working(tx, session_id, managers=True) as (session, facts):
        await looking.account(tx, session, facts)
        if session.state in ("dialing", "talking", "wrap_up"):
            session.pause_asked = True
        elif session.state != "paused":
            await looking.halt(tx, session, None)
    return await read_session(tx, session_id)


async def resume(tx: Tx, session_id: UUID) -> str:
    """Go on after a pause, or take the wish for one back."""
    async with _working(tx, session_id) as (session, facts):
        session.pause_asked = False
        if session.state == "paused":
            session.move("preparing")
            session.since = session.now
            session.note = session.look_at = None
            await looking.proceed(tx, session, facts)
    return await read_session(tx, session_id)


async def leave(tx: Tx, session_id: UUID) -> str:
    """End the session; during a call, after it."""
    async with _working(tx, session_id, managers=True, ended=True) as (session, facts):
        await looking.account(tx, session, facts)
        if session.state in ON_THE_TELEPHONE:
            session.leave_asked = True
        elif session.state != "ended":
            await looking.end(tx, session, looking.LEFT)
    return await read_session(tx, session_id)


async def _next(tx: Tx, session: Session, facts: Facts) -> None:
    if session.state == "ready":
        session.move("preparing")
    session.look_at = None
    await looking.proceed(tx, session, facts)


@asynccontextmanager
async def _working(
    tx: Tx, session_id: UUID, *, is_new: bool = False, managers: bool = False, ended: bool = False
) -> AsyncIterator[tuple[Session, Facts]]:
    """One's own session, locked, and written back at the end of the block. `managers` may do it for their people.

    Raises NotFound, Forbidden for a colleague's, Conflict for one that has ended.
    """
    session = await lock_session(tx, session_id)
    if session is None:
        raise missing()
    if session.user_id != tx.who.user_id and not (managers and tx.who.is_manager):
        raise Forbidden("This is a colleague's session.")
    if session.state == "ended" and not ended:
        raise Conflict("This session has ended. Join the queue again.", code="dial_session_ended")
    before = replace(session)
    yield session, await preparing.facts_of(tx, session.queue_id)
    await save_session(tx, before, session, always=is_new)
