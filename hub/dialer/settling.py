"""What became of the calls of a session: for the campaign's count, and for whether the contact is called again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from hub.calls.states import is_live
from hub.db import Tx
from hub.dialer import pacing
from hub.dialer.preparing import Facts, put
from hub.dialer.sessions import Session
from hub.dialer.states import Result
from hub.dispositions import queries as dispositions
from hub.sqlfiles import load_sql

_SQL = load_sql("dialer")

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
# Where neither the queue nor the company's dispositions say anything.
_AFTER_S: dict[Result, int] = {
    "busy": 15 * _MINUTE,
    "no_answer": 4 * _HOUR,
    "canceled": 4 * _HOUR,
    "not_needed": 4 * _HOUR,
    "failed": 15 * _MINUTE,
    "abandoned": _DAY,
}
_ATTEMPTS = 3
# By whose rule a result is tried again.
_RULE: dict[Result, str] = {"canceled": "no_answer", "not_needed": "no_answer", "failed": "busy", "voicemail": "left_voicemail"}
_WORDS: dict[Result, str] = {
    "busy": "The line was busy",
    "no_answer": "Nobody answered",
    "canceled": "The call was ended before anybody answered",
    "not_needed": "Somebody else answered first",
    "failed": "The call did not come about",
    "abandoned": "They answered and no rep was free",
    "voicemail": "A machine answered",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """How the calls of a session stand: the one the rep talks on, one they talked on that is over, how many still ring."""

    talking: UUID | None
    talked: UUID | None
    ringing: int
    over: tuple[UUID, ...]


async def settle(tx: Tx, session: Session, facts: Facts) -> Seen:
    """Account for what has become of the session's calls since they were looked at. Safe to repeat."""
    talking = talked = None
    ringing = 0
    over: list[UUID] = []
    rows = await tx.fetch(_SQL["open_attempts"], session_id=session.id)
    someone = any(row["call_answered_at"] is not None and row["holds_rep"] for row in rows)
    for row in rows:
        abandoned = row["call_abandoned_at"] is not None
        # The rep has left it to a recorded message, and is free although the machine still listens.
        is_left = row["is_left"] and not abandoned
        is_reps = row["holds_rep"] or not row["is_parallel"] or is_left
        connected = row["call_answered_at"] is not None and not abandoned and is_reps
        if abandoned:
            await pacing.note_abandoned(tx, row["call_id"])
        elif connected and await pacing.note_connected(tx, row["call_id"]):
            session.connected += 1
        if is_live(row["call_state"]) and not is_left:
            if connected:
                talking = row["call_id"]
            elif not abandoned:
                ringing += 1
            continue
        over.append(row["call_id"])
        result = "voicemail" if is_left else _result(row, someone=someone or session.state != "dialing")
        if await pacing.note_settled(tx, row["call_id"], result):
            await _put_back(tx, session, facts, row, result)
        if connected:
            talked = row["call_id"]
    return Seen(talking, talked, ringing, tuple(over))


def _result(row: asyncpg.Record, *, someone: bool) -> Result:
    if row["call_abandoned_at"] is not None and row["outcome"] != "voicemail":
        return "abandoned"
    if (
        row["is_parallel"]
        and not row["holds_rep"]
        and row["outcome"] in ("canceled", "no_answer")
        and someone
        and row["hangup_asked_at"]
    ):
        return "not_needed"
    result: Result = row["outcome"] or "failed"
    return result


async def _put_back(tx: Tx, session: Session, facts: Facts, row: asyncpg.Record, result: Result) -> None:
    """Where the contact goes after a call: done, or waiting for another attempt, or for the time they asked for."""
    item_id: UUID = row["item_id"]
    if row["reason_code"] == "callback" and row["not_before"] is not None:
        await put_callback(tx, item_id, row["not_before"], row["callback_for"], outcome=result)
        return
    if result == "connected":
        await put(tx, item_id, "done", outcome=result)
        return
    after_s, limit = await _rule(tx, facts, result)
    words = _WORDS.get(result, "The call is over")
    if result == "failed" and row["error"]:
        words = row["error"].rstrip(".")
    if after_s is None:
        await put(tx, item_id, "done", outcome=result, reason=f"{words}.")
    elif row["attempts"] >= limit:
        await put(
            tx,
            item_id,
            "done",
            outcome=result,
            code="attempts_used",
            reason=f"{words}, and it was attempt {row['attempts']} of {limit}.",
        )
    else:
        at = session.now + timedelta(seconds=after_s)
        await put(tx, item_id, "waiting", not_before=at, outcome=result, code=result, reason=f"{words}; to be called again.")


async def _rule(tx: Tx, facts: Facts, result: Result) -> tuple[int | None, int]:
    """After how many seconds to call again (None: not at all), and how many attempts there are."""
    rule = await dispositions.retry_rule(tx, _RULE.get(result, result))
    own = facts.retry_busy_s if result in ("busy", "failed") else facts.retry_no_answer_s
    own = own if result in ("busy", "failed", "no_answer", "canceled", "not_needed") else None
    after_s = own or (rule.after_s if rule is not None else _AFTER_S.get(result))
    return after_s, facts.attempt_limit or (rule.limit if rule is not None else _ATTEMPTS)


async def put_callback(tx: Tx, item_id: UUID, at: datetime, rep: UUID | None, *, outcome: Result | None = None) -> None:
    """A contact is to be called at a time, by this rep if they are there."""
    await put(
        tx,
        item_id,
        "callback",
        not_before=at,
        callback_for=rep,
        code="callback",
        reason="They are to be called at this time.",
        outcome=outcome,
    )


async def plan_callback(tx: Tx, session: Session, call_id: UUID, at: datetime) -> bool:
    """Whoever this call is with, or was, is to be called again then; False when it is none of the session's."""
    row = await tx.fetchrow(_SQL["attempt_of_call"], call_id=call_id)
    if row is None or row["session_id"] != session.id:
        return False
    if row["item_state"] == "dialing":
        await tx.execute(_SQL["plan_callback"], id=row["item_id"], at=at, rep=session.user_id)
    else:
        await put_callback(tx, row["item_id"], at, session.user_id)
    return True


async def follow_disposition(tx: Tx, session: Session, facts: Facts, call_id: UUID) -> None:
    """After the wrap-up: what the rep said of the call may ask for another one, at a time or by the company's rule."""
    row = await tx.fetchrow(_SQL["attempt_of_call"], call_id=call_id)
    if row is None or row["item_state"] != "done" or row["disposition"] is None:
        return
    due_at = await tx.fetchval(_SQL["callback_task_of_call"], call_id=call_id)
    if due_at is not None:
        await put_callback(tx, row["item_id"], due_at, session.user_id)
        return
    rule = await dispositions.retry_rule(tx, row["disposition"])
    if rule is not None and row["attempts"] < (facts.attempt_limit or rule.limit):
        at = session.now + timedelta(seconds=rule.after_s)
        await put(
            tx,
            row["item_id"],
            "waiting",
            not_before=at,
            code=row["disposition"],
            reason="To be called again, as the disposition says.",
        )
