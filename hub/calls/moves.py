"""The one place that moves calls from state to state."""

from __future__ import annotations

from datetime import datetime, timedelta

import asyncpg

from hub.calls.legs import end_legs
from hub.calls.reading import emit_state
from hub.calls.states import CallState, answerer, is_live, may_move, outcome_of
from hub.db import Tx
from hub.lines.actions import settled
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
    Late and repeated callbacks change nothing. An end takes everybody out of the call, sends the rep into wrap-up, and
    asks for what follows (the job calls.ended).
    """
    if not may_move(call["state"], to):
        return False
    if to == "failed" and error is None and call["error"] is None:
        error = "The telephone provider could not connect the call."
    answered_by = answerer(answered_by)
    moment = _plausible(at, call)
    ended = None if is_live(to) else moment
    answered = call["answered_at"]
    if answered is None and to == "in_progress":
        answered = moment
    if answered is None and to == "completed":
        # The word that it was answered got lost or comes later: the duration says when it must have been.
        answered = max(moment - timedelta(seconds=duration_s or 0), call["created_at"])
    # A parallel call that ended after an answer without ever having become its rep's left somebody talking to nobody.
    alone = to == "completed" and call["is_parallel"] and not call["holds_rep"]
    if alone and call["abandoned_at"] is None:
        await tx.execute(_SQL["abandon_call"], id=call["id"])
    await tx.execute(
        _SQL["move_call"],
        id=call["id"],
        state=to,
        answered_at=answered,
        ended_at=ended,
        outcome=outcome_of(to, answered_by or call["answered_by"], abandoned=alone or call["abandoned_at"] is not None),
        error=error,
        answered_by=answered_by,
    )
    if ended is not None:
        await end_legs(tx, call["id"], call["user_id"], talked=answered is not None)
    await emit_state(tx, call["id"])
    if to == "in_progress" and (await settled(tx)).recording == "always":
        await tx.defer("recordings.begin", {"call_id": call["id"]}, key=str(call["id"]))
    if ended is not None:
        if call["user_id"] is not None:
            await presence.wrap_up(tx, call["user_id"], call["id"])
        await tx.defer("calls.ended", {"call_id": call["id"]}, key=str(call["id"]))
    return True


def _plausible(at: datetime | None, call: asyncpg.Record) -> datetime:
    """The provider's clock, unless it says that something happened before the call existed or in the future."""
    now: datetime = call["now"]
    if at is None:
        return now
    earliest: datetime = call["answered_at"] or call["created_at"]
    return min(max(at, earliest), now)


async def ask_to_end(tx: Tx, call: asyncpg.Record, *, error: str | None = None) -> None:
    """See to it that a locked call ends: at once when the provider was not asked for it, else as soon as it has done it.

    `error` says why, where it was not the rep's wish.
    """
    if not is_live(call["state"]):
        return
    if call["asked_at"] is None:
        await move_call(tx, call, "canceled", error=error)
        return
    if error is not None:
        await tx.execute(_SQL["set_call_error"], id=call["id"], error=error)
    await tx.execute(_SQL["ask_hangup"], id=call["id"])
    if call["provider_sid"] is not None:
        await tx.defer("calls.hang_up", {"call_id": call["id"]})
