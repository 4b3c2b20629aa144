"""What is done with calls, for routes, jobs and other features; each verb has a module of its own."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import asyncpg
import orjson

from hub.calls.events import CallDispositionSet
from hub.calls.holding import hold, mute, press
from hub.calls.moves import ask_to_end
from hub.calls.placing import attach_rep, create_inbound, number_to_call, parallel_answer, place_call, take_call
from hub.calls.reading import emit_updated, lock_call, lock_own, missing, read_call
from hub.calls.states import is_live
from hub.calls.supervising import stop_supervising, supervise
from hub.calls.transferring import add_participant, complete_transfer, remove_participant, transfer
from hub.db import Tx
from hub.dispositions import actions as dispositions
from hub.presence import actions as presence
from hub.sqlfiles import load_sql

__all__ = [
    "add_participant",
    "attach_rep",
    "complete_transfer",
    "create_inbound",
    "hang_up",
    "hold",
    "lock_call",
    "missing",
    "mute",
    "number_to_call",
    "parallel_answer",
    "place_call",
    "press",
    "read_call",
    "remove_participant",
    "set_disposition",
    "set_note",
    "stop_supervising",
    "supervise",
    "take_call",
    "transfer",
]

_SQL = load_sql("calls")


async def hang_up(tx: Tx, call_id: UUID) -> str:
    """End a live call, or see to it that it ends as soon as the provider has it. A finished call stays as it is."""
    call = await lock_own(tx, call_id)
    await ask_to_end(tx, call)
    return await read_call(tx, call_id)


async def set_disposition(tx: Tx, call_id: UUID, disposition: str, note: str | None, callback_at: datetime | None = None) -> str:
    """Say how a call went, and do what follows; after the call this ends the wrap-up.

    Raises Invalid, with the list of what is right, for what is no disposition of this company.
    """
    call = await _lock_had(tx, call_id)
    if disposition != call["disposition"]:
        await dispositions.check(tx, disposition)
    await tx.execute(_SQL["set_disposition"], id=call_id, disposition=disposition, note=note)
    await dispositions.follow_up(tx, call_id, disposition, callback_at)
    text = await read_call(tx, call_id)
    tx.emit(CallDispositionSet(call_id, {"call": orjson.Fragment(text)}))
    if await _was_theirs(tx, call_id, call["user_id"]):
        # Handed over: they are done with it, however long the other one goes on.
        assert tx.who.user_id is not None
        await presence.free(tx, tx.who.user_id, call_id)
    elif not is_live(call["state"]) and call["user_id"] is not None:
        await presence.free(tx, call["user_id"], call_id)
    return text


async def _was_theirs(tx: Tx, call_id: UUID, rep_id: UUID | None) -> bool:
    who = tx.who.user_id
    return who is not None and who != rep_id and bool(await tx.fetchval(_SQL["was_their_call"], call_id=call_id, person_id=who))


async def _lock_had(tx: Tx, call_id: UUID) -> asyncpg.Record:
    """Like `lock_own`, and also for whoever had the call before they handed it over."""
    call = await lock_call(tx, call_id)
    if call is not None and await _was_theirs(tx, call_id, call["user_id"]):
        return call
    return await lock_own(tx, call_id)


async def set_note(tx: Tx, call_id: UUID, note: str) -> str:
    """Write the note of a call, while talking or afterwards."""
    await _lock_had(tx, call_id)
    await tx.execute(_SQL["set_note"], id=call_id, note=note)
    return await emit_updated(tx, call_id)
