"""The one place that moves calls from state to state."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import orjson

from hub.calls.events import CallStateChanged
from hub.calls.states import CallState, is_live, may_move, outcome_of
from hub.db import Tx
from hub.presence import actions as presence
from hub.sqlfiles import load_sql

_SQL = load_sql("calls")


async def move_call(
    tx: Tx,
    call: asyncpg.Record,
    to: CallState,
    *,
    at: datetime | None = None,
    duration_s: int | None = None,
    answered_by: str | None = None,
    error: str | None = None,
) -> bool:
    """Move a locked call (a row of `lock_call`) to another state; False when the table of moves forbids it.

    `at` is when it happened by the provider's clock, `duration_s` how long it was talked, `error` why it failed, in words.
    Late and repeated callbacks change nothing. An end also sends the rep into wrap-up.
    """
    if not may_move(call["state"], to):
        return False
    if to == "failed" and error is None:
        error = "The telephone provider could not connect the call."
    moment = _plausible(at, call)
    ended = None if is_live(to) else moment
    answered = call["answered_at"]
    if answered is None and to == "in_progress":
        answered = moment
    if answered is None and to == "completed":
        # The word that it was answered got lost or comes later: the duration says when it must have been.
        answered = max(moment - timedelta(seconds=duration_s or 0), call["created_at"])
    await tx.execute(
        _SQL["move_call"],
        id=call["id"],
        state=to,
        answered_at=answered,
        ended_at=ended,
        outcome=outcome_of(to, answered_by),
        error=error,
    )
    await emit_state(tx, call["id"])
    if ended is not None:
        await presence.wrap_up(tx, call["user_id"], call["id"])
    return True


def _plausible(at: datetime | None, call: asyncpg.Record) -> datetime:
    """The provider's clock, unless it says that something happened before the call existed or in the future."""
    now: datetime = call["now"]
    if at is None:
        return now
    earliest: datetime = call["answered_at"] or call["created_at"]
    return min(max(at, earliest), now)


async def emit_state(tx: Tx, call_id: UUID) -> None:
    """Log the call as it is now."""
    row = await tx.fetchrow(_SQL["get_call"], id=call_id)
    assert row is not None
    tx.emit(CallStateChanged(call_id, {"call": orjson.Fragment(row["json"])}))
