"""The transactions around the provider: the intent before it is asked, the record of what it said, the settling of doubt.

None of these functions calls the provider; workers.calls does, between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import asyncpg

from hub.calls.legs import live_legs
from hub.calls.moves import move_call
from hub.calls.reading import emit_updated
from hub.calls.states import CallState, is_live, outcome_of
from hub.db import Database, Tx, tenant_tx
from hub.sqlfiles import load_sql
from hub.who import Who
from integrations.ports import MachineDetection

_SQL = load_sql("calls")

# How long the provider's list of calls is given to show a call whose answer was lost, before it counts as never placed.
DOUBT_S = 15.0


def answered_path(tenant_id: UUID, call_id: UUID) -> str:
    """Where the provider asks what a parallel call that was answered shall do."""
    return f"/webhooks/twilio/{tenant_id}/calls/{call_id}/answered"


def amd_path(tenant_id: UUID, call_id: UUID) -> str:
    """Where the provider tells who or what answered."""
    return f"/webhooks/twilio/{tenant_id}/calls/{call_id}/amd"


def callback_path(tenant_id: UUID, call_id: UUID) -> str:
    """Where the provider reports on a call; the signature covers it, so it can be trusted once that is checked."""
    return f"/webhooks/twilio/{tenant_id}/calls/{call_id}/status"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a worker has to do for a call: dial it, look for it at the provider, or nothing any more."""

    kind: Literal["dial", "look", "nothing"]
    to: str = ""
    from_: str = ""
    asked_at: datetime | None = None
    ring_s: int = 30
    machine_detection: MachineDetection = "off"
    is_parallel: bool = False
    has_line: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of a call from the provider, by callback or by asking. Times by the provider's clock."""

    sid: str
    state: CallState
    at: datetime | None = None
    duration_s: int | None = None
    answered_by: str | None = None


async def _lock(tx: Tx, call_id: UUID) -> asyncpg.Record | None:
    return await tx.fetchrow(_SQL["lock_call"], id=call_id)


async def begin_dial(tx: Tx, call_id: UUID, deadline_s: float) -> Plan:
    """Write down the intent to dial, or say what to do instead. After `deadline_s` nobody waits for this call any more."""
    call = await _lock(tx, call_id)
    if call is None or not is_live(call["state"]) or call["provider_sid"] is not None:
        return Plan("nothing")
    if call["asked_at"] is not None:
        return Plan("look", call["to_number"], call["from_number"], call["asked_at"])
    if call["hangup_asked_at"] is not None:
        await move_call(tx, call, "canceled")
        return Plan("nothing")
    if call["now"] - call["created_at"] > timedelta(seconds=deadline_s):
        await move_call(tx, call, "failed", error=f"It could not be dialed within {deadline_s:.0f} seconds.")
        return Plan("nothing")
    await tx.execute(_SQL["ask_call"], id=call_id)
    if call["state"] == "queued":
        await move_call(tx, call, "dialing")
    on_line = any(leg["line_id"] is not None for leg in await live_legs(tx, call_id))
    return Plan(
        "dial",
        call["to_number"],
        call["from_number"],
        ring_s=call["ring_s"],
        machine_detection=call["machine_detection"],
        is_parallel=call["is_parallel"] and not call["holds_rep"],
        has_line=on_line,
    )


async def record_placed(tx: Tx, call_id: UUID, heard: Heard) -> None:
    """The provider has the call: remember its id, and hang up if that was asked meanwhile."""
    await tx.execute(_SQL["adopt_sid"], id=call_id, sid=heard.sid)
    await hear(tx, call_id, heard)
    call = await _lock(tx, call_id)
    if call is not None and call["hangup_asked_at"] is not None and is_live(call["state"]):
        await tx.defer("calls.hang_up", {"call_id": call_id})


async def forget_asking(tx: Tx, call_id: UUID) -> None:
    """The provider certainly has no such call: it may be dialed as if for the first time."""
    await tx.execute(_SQL["unask_call"], id=call_id)


async def fail(tx: Tx, call_id: UUID, reason: str) -> None:
    """The call can't be placed or followed; say why."""
    call = await _lock(tx, call_id)
    if call is not None:
        await move_call(tx, call, "failed", error=reason)


async def hear(tx: Tx, call_id: UUID, heard: Heard) -> bool:
    """Take in what the provider says. False when it is late, repeated, or about some other call."""
    call = await _lock(tx, call_id)
    if call is None:
        return False
    if call["provider_sid"] is None:
        await tx.execute(_SQL["adopt_sid"], id=call_id, sid=heard.sid)
    elif call["provider_sid"] != heard.sid:
        return False
    state = heard.state
    if call["direction"] == "inbound" and call["user_id"] is None:
        # Whoever hears it ring, or talks to the voicemail, is connected for the provider; for us nobody has taken the call.
        if state == "in_progress":
            return False
        state = "no_answer" if state == "completed" else state
    return await move_call(tx, call, state, at=heard.at, duration_s=heard.duration_s, answered_by=heard.answered_by)


async def hear_who_answered(tx: Tx, call_id: UUID, sid: str, answered_by: str) -> bool:
    """A person, a machine or a fax answered. False for some other call, or when nothing is new."""
    call = await _lock(tx, call_id)
    if call is None or call["provider_sid"] not in (None, sid) or call["answered_by"] == answered_by:
        return False
    await tx.execute(_SQL["set_answered_by"], id=call_id, answered_by=answered_by)
    if not is_live(call["state"]) and call["state"] == "completed":
        # The word came after the end: what the call is counted as follows it.
        abandoned = call["abandoned_at"] is not None
        await tx.execute(_SQL["set_outcome"], id=call_id, outcome=outcome_of("completed", answered_by, abandoned=abandoned))
    await emit_updated(tx, call_id)
    return True


async def strangers(tx: Tx, sids: Sequence[str]) -> list[str]:
    """Those of the provider's calls that belong to none of ours."""
    known = {row["provider_sid"] for row in await tx.fetch(_SQL["known_sids"], sids=list(sids))}
    return [sid for sid in sids if sid not in known]


async def sid_of(tx: Tx, call_id: UUID) -> tuple[str | None, bool]:
    """The provider's id of a call, and whether the call is still live."""
    call = await _lock(tx, call_id)
    return (call["provider_sid"], is_live(call["state"])) if call is not None else (None, False)


async def is_ending(tx: Tx, call_id: UUID) -> bool:
    """Whether somebody has asked for the call's end, so that it should be over by now."""
    call = await _lock(tx, call_id)
    return call is not None and call["hangup_asked_at"] is not None


async def give_up_plan(tx: Tx, call_id: UUID, deadline_s: float) -> Plan:
    """For a silent call without a provider's id: whether it is time to look for it once more and then give up."""
    call = await _lock(tx, call_id)
    if call is None or not is_live(call["state"]) or call["provider_sid"] is not None:
        return Plan("nothing")
    if call["now"] - call["created_at"] < timedelta(seconds=deadline_s + DOUBT_S):
        return Plan("nothing")
    if call["asked_at"] is None:
        await move_call(tx, call, "failed", error=f"It could not be dialed within {deadline_s:.0f} seconds.")
        return Plan("nothing")
    return Plan("look", call["to_number"], call["from_number"], call["asked_at"])


async def check_silent_calls(db: Database, silent_s: float, limit: int = 200) -> int:
    """Ask for a check of every live call, of any tenant, that was not heard of for `silent_s`. Returns how many."""
    asked = 0
    for row in await db.system_fetch(_SQL["unheard"], silent_s=silent_s, limit=limit):
        async with tenant_tx(db, Who.system(row["tenant_id"])) as tx:
            if await tx.fetchval(_SQL["touch_call"], id=row["id"], silent_s=silent_s) is not None:
                await tx.defer("calls.check", {"call_id": row["id"]}, max_attempts=3)
                asked += 1
    return asked
