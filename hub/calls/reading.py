"""Calls as rows and as JSON, and the events that say how they are now."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import orjson

from hub.calls.events import CallListenersChanged, CallStateChanged, CallUpdated
from hub.calls.states import is_live
from hub.db import Tx
from hub.errors import Conflict, Forbidden, NotFound
from hub.events import MANAGERS
from hub.lines.actions import settled
from hub.sqlfiles import load_sql

_SQL = load_sql("calls")


def missing() -> NotFound:
    """The answer for a call that is not there, or not this tenant's."""
    return NotFound("There is no such call.", code="call_not_found")


async def read_call(tx: Tx, call_id: UUID) -> str:
    """A call as JSON. NotFound when there is none."""
    text: str = (await call_row(tx, call_id))["json"]
    return text


async def call_row(tx: Tx, call_id: UUID) -> asyncpg.Record:
    """A call as JSON, with whose it is and its state. NotFound when there is none."""
    row = await tx.fetchrow(_SQL["get_call"], id=call_id)
    if row is None:
        raise missing()
    return row


async def lock_call(tx: Tx, call_id: UUID) -> asyncpg.Record | None:
    """A call, held until the transaction ends."""
    return await tx.fetchrow(_SQL["lock_call"], id=call_id)


async def lock_own(tx: Tx, call_id: UUID) -> asyncpg.Record:
    """A call that the acting person may steer, locked: its rep's, or anybody's for managers and for Ringside itself."""
    call = await lock_call(tx, call_id)
    if call is None:
        raise missing()
    who = tx.who
    if who.user_id is not None and call["user_id"] != who.user_id and not who.is_manager:
        raise Forbidden("This is a colleague's call; a manager can do this.")
    return call


async def lock_talking(tx: Tx, call_id: UUID) -> asyncpg.Record:
    """Like `lock_own`, of a call that is being talked on."""
    call = await lock_own(tx, call_id)
    if not is_live(call["state"]):
        raise Conflict("This call is over.", code="call_is_over")
    if call["state"] != "in_progress":
        raise Conflict("Nobody has answered this call yet.", code="call_not_answered")
    return call


async def emit_state(tx: Tx, call_id: UUID) -> None:
    """Log that a call moved to another state."""
    tx.emit(CallStateChanged(call_id, {"call": orjson.Fragment(await read_call(tx, call_id))}))


async def emit_updated(tx: Tx, call_id: UUID) -> str:
    """Log a call of which something but its state changed; returns it as JSON."""
    text = await read_call(tx, call_id)
    tx.emit(CallUpdated(call_id, {"call": orjson.Fragment(text)}))
    return text


async def emit_listeners(tx: Tx, call_id: UUID) -> None:
    """Log who listens: to everybody where the company shows it, else to the managers only."""
    if (await settled(tx)).show_listeners:
        await emit_updated(tx, call_id)
    tx.emit(CallListenersChanged(call_id, {"call_id": call_id, "listeners": await _listeners(tx, call_id)}, MANAGERS))


async def read_listeners(tx: Tx, call_id: UUID) -> str:
    """Who listens to a call, shown to the rep or not, as JSON. NotFound when there is no such call."""
    await read_call(tx, call_id)
    text: str = await tx.fetchval(_SQL["get_listeners"], call_id=call_id)
    return '{"data":' + text + ',"next_cursor":null}'


async def _listeners(tx: Tx, call_id: UUID) -> orjson.Fragment:
    return orjson.Fragment(await tx.fetchval(_SQL["get_listeners"], call_id=call_id))
