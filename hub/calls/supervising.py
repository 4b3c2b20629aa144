"""A manager in a rep's call: listening, whispering to the rep, or talking to both."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from hub.calls import audit
from hub.calls.legs import Mode, add_leg, ask_to_leave, live_legs
from hub.calls.reading import emit_listeners, lock_call, missing, read_call
from hub.calls.states import is_live
from hub.db import Tx
from hub.errors import Conflict, Forbidden
from hub.lines import actions as lines
from hub.permissions import permissions_of
from hub.sqlfiles import load_sql

_SQL = load_sql("calls")


async def supervise(tx: Tx, call_id: UUID, mode: Mode) -> str:
    """Come into a call to listen, whisper or barge, or change how one is in it; returns the call as JSON.

    Raises Conflict when the call is over, its rep is not in it yet, or it is one's own.
    """
    supervisor = tx.who.user_id
    if supervisor is None or "calls:supervise" not in permissions_of(tx.who):
        raise Forbidden("To listen to calls takes the permission calls:supervise.")
    call = await lock_call(tx, call_id)
    if call is None:
        raise missing()
    if not is_live(call["state"]):
        raise Conflict("This call is over.", code="call_is_over")
    legs = await live_legs(tx, call_id)
    own = _own(legs, supervisor)
    if (own is not None and own["kind"] != "supervisor") or call["user_id"] == supervisor:
        raise Conflict("You are talking on this call.", code="already_in_the_call")
    if not any(leg["kind"] == "rep" and leg["state"] == "joined" for leg in legs):
        raise Conflict("The rep is not on the line yet.", code="rep_not_on_the_line")
    if own is None:
        await add_leg(tx, call_id, "supervisor", user_id=supervisor, mode=mode, ring_s=(await lines.settled(tx)).ring_s)
        await audit.note(tx, call_id, mode)
    elif own["mode"] != mode:
        await tx.execute(_SQL["set_leg_mode"], id=own["id"], mode=mode)
        await tx.defer("calls.apply_leg", {"call_id": call_id, "leg_id": own["id"]})
        await audit.note(tx, call_id, mode, before=own["mode"])
    await emit_listeners(tx, call_id)
    return await read_call(tx, call_id)


async def stop_supervising(tx: Tx, call_id: UUID) -> str:
    """Leave a call one listens to; whoever does not listen to it changes nothing. Returns the call as JSON."""
    call = await lock_call(tx, call_id)
    if call is None:
        raise missing()
    own = _own(await live_legs(tx, call_id), tx.who.user_id)
    if own is not None and own["kind"] == "supervisor":
        await ask_to_leave(tx, own)
        await audit.note(tx, call_id, "stopped", mode=own["mode"])
        await emit_listeners(tx, call_id)
    return await read_call(tx, call_id)


def _own(legs: list[asyncpg.Record], user_id: UUID | None) -> asyncpg.Record | None:
    return next((leg for leg in legs if leg["user_id"] == user_id), None)
