"""How many lines a session may use at once without its campaign ever passing the cap on abandoned calls.

The rule is 16 CFR 310.4(b)(4)(i): no more than three percent of the calls that people answered, counted over each
successive period of thirty days of a campaign. Every parallel call is reserved from the moment it is placed as if it were
to be answered and abandoned. With `a` abandoned and `c` answered in the period and `r` reserved, `n` more are placed at once
only if (a + r + n) <= cap * (c + r + n). Whatever they come to, that stays true: abandoned, both sides keep their sums;
answered by a rep or not at all, the left side falls by one and the right side by less. A call counts as answered only when
it is over and no machine had answered it, so that the right side never falls again.

The last thirty days are held to the same rule whenever more than one line is asked for.
"""

from __future__ import annotations

from uuid import UUID

import asyncpg
import orjson

from hub.db import Tx
from hub.dialer import queries, queues
from hub.dialer.events import QueueFellToOneLine, QueueUpdated
from hub.dialer.preparing import Facts
from hub.dialer.queries import Leeway
from hub.dialer.sessions import Session
from hub.dialer.states import Result
from hub.lines import actions as lines
from hub.sqlfiles import load_sql

_SQL = load_sql("dialer")

NO_LINE = "Open your line first: with several lines a rep has to be there within two seconds of the answer."
NEAR_CAP = "One line, because the campaign is near its limit of abandoned calls: {abandoned} of {answered} answered ones."
FEW_ANSWERED = "One line, until enough calls were answered: {answered} so far."
FEWER = "{lines} lines, because the campaign is near its limit of abandoned calls."


async def lines_for(tx: Tx, session: Session, facts: Facts) -> int:
    """How many calls this session may place now. Holds the queue, so that two sessions never count on the same leeway."""
    wanted = min(session.lines, facts.lines)
    session.lines_note = None
    if wanted == 1:
        return 1
    line = await lines.line_of(tx, session.user_id)
    if line is None or line["state"] != "open":
        session.lines_note = NO_LINE
        return 1
    queue = await queues.lock_queue(tx, session.queue_id)
    left = await queries.leeway(tx, session.queue_id, wanted)
    if left.lines < wanted:
        session.lines_note = _why(left)
    if (left.lines == 1) != (queue["one_line_since"] is not None):
        await _tell(tx, session.queue_id, left)
    return left.lines


def _why(left: Leeway) -> str:
    if left.lines > 1:
        return FEWER.format(lines=left.lines)
    told = NEAR_CAP if left.abandoned or left.abandoned_30 else FEW_ANSWERED
    return told.format(abandoned=left.abandoned_30, answered=left.answered_30)


async def _tell(tx: Tx, queue_id: UUID, left: Leeway) -> None:
    """Say that the campaign has fallen to one line, or may use several again."""
    await tx.execute(_SQL["set_one_line_since"], id=queue_id, is_one_line=left.lines == 1)
    if left.lines > 1:
        await queues.announce(tx, QueueUpdated, queue_id)
        return
    text = await queues.read_queue(tx, queue_id)
    tx.emit(QueueFellToOneLine(queue_id, {"queue": orjson.Fragment(text), "pace": left}))


async def note_placed(tx: Tx, session: Session, call_id: UUID, item_id: UUID, number: int, *, is_parallel: bool) -> None:
    """A call of this session was placed: it counts in the period of today."""
    await tx.execute(
        _SQL["insert_attempt"],
        call_id=call_id,
        session_id=session.id,
        queue_id=session.queue_id,
        item_id=item_id,
        number=number,
        is_parallel=is_parallel,
    )


async def note_connected(tx: Tx, call_id: UUID) -> bool:
    """A rep talks with them; whether that is news."""
    return await tx.fetchval(_SQL["mark_connected"], call_id=call_id) is not None


async def note_abandoned(tx: Tx, call_id: UUID) -> bool:
    """They answered and no rep was there; whether that is news."""
    row = await tx.fetchrow(_SQL["mark_abandoned"], call_id=call_id)
    if row is not None:
        await _count(tx, row, answered=1, abandoned=1)
    return row is not None


async def note_settled(tx: Tx, call_id: UUID, result: Result) -> bool:
    """The call is over; whether that is news. A person who talked with a rep counts as answered from now on."""
    row = await tx.fetchrow(_SQL["settle_attempt"], call_id=call_id, result=result)
    if row is not None and result == "connected" and row["abandoned_at"] is None:
        await _count(tx, row, answered=1, abandoned=0)
    return row is not None


async def _count(tx: Tx, attempt: asyncpg.Record, *, answered: int, abandoned: int) -> None:
    await tx.execute(
        _SQL["count_day"],
        queue_id=attempt["queue_id"],
        period=attempt["period"],
        day=attempt["day"],
        answered=answered,
        abandoned=abandoned,
    )
