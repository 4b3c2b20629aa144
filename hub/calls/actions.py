"""What is done with calls, for routes, jobs and other features; each verb has a module of its own."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import orjson

from hub.calls.events import CallDispositionSet
from hub.calls.moves import ask_to_end
from hub.calls.placing import attach_rep, create_inbound, number_to_call, parallel_answer, place_call, take_call
from hub.calls.reading import emit_updated, lock_call, lock_own, missing, read_call
from hub.calls.states import is_live
from hub.db import Tx
from hub.dispositions import actions as dispositions
from hub.presence import actions as presence
from hub.sqlfiles import load_sql

__all__ = [
    "attach_rep",
    "create_inbound",
    "hang_up",
    "lock_call",
    "missing",
    "number_to_call",
    "parallel_answer",
    "place_call",
    "read_call",
    "set_disposition",
    "set_note",
    "take_call",
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
    call = await lock_own(tx, call_id)
    if disposition != call["disposition"]:
        await dispositions.check(tx, disposition)
    await tx.execute(_SQL["set_disposition"], id=call_id, disposition=disposition, note=note)
    await dispositions.follow_up(tx, call_id, disposition, callback_at)
    text = await read_call(tx, call_id)
    tx.emit(CallDispositionSet(call_id, {"call": orjson.Fragment(text)}))
    if not is_live(call["state"]) and call["user_id"] is not None:
        await presence.free(tx, call["user_id"], call_id)
    return text


async def set_note(tx: Tx, call_id: UUID, note: str) -> str:
    """Write the note of a call, while talking or afterwards."""
    await lock_own(tx, call_id)
    await tx.execute(_SQL["set_note"], id=call_id, note=note)
    return await emit_updated(tx, call_id)
