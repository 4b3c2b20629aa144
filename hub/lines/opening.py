"""Opening, moving and ending reps' lines: the transactions around the provider.

None of these functions calls the provider; workers.lines does, between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import asyncpg

from hub.db import Database, Tx, tenant_tx
from hub.lines.actions import emit, end_line, lock_line
from hub.sqlfiles import load_sql
from hub.who import Who
from integrations.ports import FINAL_STATES, CallState

_SQL = load_sql("lines")

# How long the provider's list of calls is given to show a line whose answer was lost, before it counts as never opened.
DOUBT_S = 15.0
# How long somebody may be away before their parked line is ended.
DESERTED_S = 30.0


def parking_name(line_id: UUID) -> str:
    """The room at the provider in which a line waits between calls."""
    return f"ringside-line-{line_id}"


def line_path(tenant_id: UUID, line_id: UUID) -> str:
    """Where the provider reports on a line."""
    return f"/webhooks/twilio/{tenant_id}/lines/{line_id}/status"


@dataclass(frozen=True, slots=True)
class OpenPlan:
    """What a worker has to do for a line: ring its rep, look for it at the provider, or nothing any more."""

    kind: Literal["ring", "look", "nothing"]
    to: str = ""
    from_: str = ""
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line is to be: in a call, or parked. `moves` tells this wish from a later one."""

    sid: str
    call_id: UUID | None
    moves: int


async def begin_open(tx: Tx, line_id: UUID, deadline_s: float) -> OpenPlan:
    """Write down the intent to ring a rep for their line, or say what to do instead."""
    line = await lock_line(tx, line_id)
    if line is None or line["state"] == "ended" or line["provider_sid"] is not None:
        return OpenPlan("nothing")
    if line["asked_at"] is not None:
        return OpenPlan("look", line["address"], line["from_number"], line["asked_at"])
    if line["end_asked_at"] is not None:
        await end_line(tx, line, None)
        return OpenPlan("nothing")
    if line["now"] - line["created_at"] > timedelta(seconds=deadline_s):
        await end_line(tx, line, f"It could not be opened within {deadline_s:.0f} seconds.")
        return OpenPlan("nothing")
    await tx.execute(_SQL["ask_line"], id=line_id)
    return OpenPlan("ring", line["address"], line["from_number"])


async def record_opened(tx: Tx, line_id: UUID, sid: str, state: CallState) -> None:
    """The provider has the line: remember its id, and end it if that was asked meanwhile."""
    await hear_line(tx, line_id, sid, state)
    line = await lock_line(tx, line_id)
    if line is not None and line["state"] != "ended" and line["end_asked_at"] is not None:
        await tx.defer("lines.hang_up", {"line_id": line_id})


async def forget_asking(tx: Tx, line_id: UUID) -> None:
    """The provider certainly has no such line: it may be opened as if for the first time."""
    await tx.execute(_SQL["unask_line"], id=line_id)


async def fail(tx: Tx, line_id: UUID, reason: str) -> bool:
    """The line can't be opened or followed; say why. False when it had ended before."""
    line = await lock_line(tx, line_id)
    return line is not None and await end_line(tx, line, reason)


async def hear_line(tx: Tx, line_id: UUID, sid: str, state: CallState) -> bool:
    """Take in what the provider says of a line. False when it is late, repeated, or about some other leg.

    What an end means for a call the line is in is hub.calls' affair: see `calls_of`.
    """
    line = await lock_line(tx, line_id)
    if line is None or line["state"] == "ended":
        return False
    if line["provider_sid"] is None:
        await tx.execute(_SQL["adopt_line_sid"], id=line_id, sid=sid)
    elif line["provider_sid"] != sid:
        return False
    await tx.execute(_SQL["hear_line"], id=line_id)
    if state in FINAL_STATES:
        return await end_line(tx, line, None if line["end_asked_at"] is not None else _why(line, state))
    if state != "in_progress" or line["state"] == "open":
        return False
    await tx.execute(_SQL["open_line"], id=line_id)
    await emit(tx, line_id)
    if line["call_id"] is not None:
        await tx.defer("lines.move", {"line_id": line_id})
    return True


def _why(line: asyncpg.Record, state: CallState) -> str:
    who = f"The telephone {line['address']}" if line["kind"] == "bridge" else "The softphone"
    if line["state"] == "open":
        return f"{who} hung up."
    return f"{who} {'was busy' if state == 'busy' else 'did not answer'}."


async def place_of(tx: Tx, line_id: UUID) -> Place | None:
    """Where a line is to be now; None while it is not open."""
    line = await lock_line(tx, line_id)
    if line is None or line["state"] != "open":
        return None
    return Place(line["provider_sid"], line["call_id"], line["moves"])


async def is_still(tx: Tx, line_id: UUID, place: Place) -> bool:
    """Whether a line is still to be there. When it is not, what was just done may have come too late and is done again."""
    line = await lock_line(tx, line_id)
    if line is None or line["state"] != "open" or line["moves"] == place.moves:
        return True
    await tx.defer("lines.move", {"line_id": line_id})
    return False


async def calls_of(tx: Tx, line_id: UUID) -> list[tuple[UUID, UUID]]:
    """(call, leg) for each call the line is in, without locking any of them."""
    return [(row["call_id"], row["id"]) for row in await tx.fetch(_SQL["legs_on_line"], line_id=line_id)]


async def leg_in(tx: Tx, line_id: UUID, call_id: UUID) -> UUID | None:
    """The leg that a line has in a call."""
    return next((leg for call, leg in await calls_of(tx, line_id) if call == call_id), None)


async def sid_of(tx: Tx, line_id: UUID) -> str | None:
    """The provider's id of a line that has not ended. Locks nothing."""
    sid: str | None = await tx.fetchval(_SQL["line_sid"], id=line_id)
    return sid


async def is_overdue(tx: Tx, line_id: UUID, deadline_s: float) -> bool:
    """Whether it is time to give up a line of which the provider's id is not known."""
    line = await lock_line(tx, line_id)
    if line is None or line["state"] == "ended" or line["provider_sid"] is not None:
        return False
    waited: timedelta = line["now"] - line["created_at"]
    return waited > timedelta(seconds=deadline_s + (DOUBT_S if line["asked_at"] is not None else 0))


async def strangers(tx: Tx, sids: Sequence[str]) -> list[str]:
    """Those of the provider's calls that are none of our lines."""
    known = {row["provider_sid"] for row in await tx.fetch(_SQL["known_line_sids"], sids=list(sids))}
    return [sid for sid in sids if sid not in known]


async def desert(tx: Tx, line_id: UUID) -> bool:
    """Whether a parked line's rep has gone away for good: it is to be ended then."""
    line = await lock_line(tx, line_id)
    if line is None or line["state"] == "ended" or line["call_id"] is not None:
        return False
    return bool(await tx.fetchval(_SQL["is_deserted"], person_id=line["user_id"], away_s=DESERTED_S))


async def check_silent_lines(db: Database, silent_s: float, limit: int = 200) -> int:
    """Ask for a check of every line, of any tenant, that was not heard of for `silent_s`. Returns how many."""
    asked = 0
    for row in await db.system_fetch(_SQL["unheard_lines"], silent_s=silent_s, limit=limit):
        async with tenant_tx(db, Who.system(row["tenant_id"])) as tx:
            if await tx.fetchval(_SQL["touch_line"], id=row["id"], silent_s=silent_s) is not None:
                await tx.defer("lines.check", {"line_id": row["id"]}, max_attempts=3)
                asked += 1
    return asked
