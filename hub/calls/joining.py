"""Bringing people into a call and what follows when they come and go: the transactions around the provider.

None of these functions calls the provider; workers.legs does, between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import asyncpg

from hub.calls import audit
from hub.calls.dialing import DOUBT_S
from hub.calls.legs import live_legs, lock_leg, move_leg
from hub.calls.moves import ask_to_end
from hub.calls.placing import ask_to_dial
from hub.calls.reading import emit_listeners, emit_updated, lock_call
from hub.calls.states import LegState, is_live
from hub.calls.transferring import hand_over
from hub.config import Settings
from hub.db import Database, Tx, tenant_tx
from hub.lines import actions as lines
from hub.lines.kinds import Way, way_to
from hub.presence import actions as presence
from hub.sqlfiles import load_sql
from hub.tasks import actions as tasks
from hub.who import Who
from integrations.ports import CallState as ProviderState

_SQL = load_sql("calls")

_LEG_STATES: dict[ProviderState, LegState] = {
    "dialing": "asked",
    "ringing": "ringing",
    "in_progress": "joined",
    "completed": "left",
    "busy": "failed",
    "no_answer": "failed",
    "failed": "failed",
    "canceled": "failed",
}


def conference_name(call_id: UUID) -> str:
    """The room of a call at the provider."""
    return f"ringside-{call_id}"


def leg_path(tenant_id: UUID, call_id: UUID, leg_id: UUID) -> str:
    """Where the provider reports on somebody in a call."""
    return f"/webhooks/twilio/{tenant_id}/calls/{call_id}/legs/{leg_id}/status"


def conference_path(tenant_id: UUID, call_id: UUID) -> str:
    """Where the provider reports on a call's conference."""
    return f"/webhooks/twilio/{tenant_id}/calls/{call_id}/conference"


@dataclass(frozen=True, slots=True)
class JoinPlan:
    """What a worker has to do to bring somebody in: ring them, look for them at the provider, wait, or nothing any more."""

    kind: Literal["ring", "look", "wait", "nothing"]
    to: str = ""
    from_: str = ""
    muted: bool = False
    coach_sid: str | None = None
    ring_s: int = 25
    conference_sid: str | None = None
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Seat:
    """Where somebody sits, or is to: what a worker needs to change it. `changes` is how often that was wished."""

    conference_sid: str | None
    call_sid: str
    muted: bool
    coach_sid: str | None
    changes: int


async def begin_join(tx: Tx, settings: Settings, call_id: UUID, leg_id: UUID) -> JoinPlan:
    """Write down the intent to bring somebody in, or say what to do instead."""
    call = await lock_call(tx, call_id)
    leg = await lock_leg(tx, call_id, leg_id)
    if call is None or leg is None or leg["provider_sid"] is not None or leg["state"] in ("left", "failed"):
        return JoinPlan("nothing")
    if leg["asked_at"] is not None:
        return JoinPlan("look", conference_sid=call["conference_sid"], asked_at=leg["asked_at"])
    if leg["line_id"] is not None:
        # lines.move brings it in; here only the kind of line is noted.
        await _note_line_kind(tx, call, leg)
        return JoinPlan("nothing")
    if not is_live(call["state"]) or leg["leave_asked_at"] is not None:
        await move_leg(tx, leg, "left")
        return JoinPlan("nothing")
    if leg["now"] - leg["created_at"] > timedelta(seconds=settings.call_dial_deadline_s):
        await _out(tx, call, leg, "failed", f"It could not be dialed within {settings.call_dial_deadline_s:.0f} seconds.")
        return JoinPlan("nothing")
    way = await _way(tx, settings, leg)
    if way is None:
        await _out(tx, call, leg, "failed", "No softphone is set up, and no telephone number was chosen to be rung.")
        return JoinPlan("nothing")
    coach_sid = await _coach(tx, call_id) if leg["kind"] == "supervisor" and leg["mode"] != "barge" else None
    if leg["kind"] == "supervisor" and leg["mode"] != "barge" and coach_sid is None:
        return JoinPlan("wait")
    if leg["kind"] == "rep":
        await tx.execute(_SQL["set_line_kind"], id=call_id, line_kind=way.kind)
    await tx.execute(_SQL["ask_leg"], id=leg_id, address=way.address)
    return JoinPlan("ring", way.address, _our_number(call, settings), leg["muted"], coach_sid, leg["ring_s"])


async def _way(tx: Tx, settings: Settings, leg: asyncpg.Record) -> Way | None:
    if leg["user_id"] is None:
        return Way("bridge", leg["address"])
    choice = await lines.choice_of(tx, leg["user_id"])
    return way_to(settings, tx.who.tenant_id, leg["user_id"], choice.kind, choice.phone)


async def _note_line_kind(tx: Tx, call: asyncpg.Record, leg: asyncpg.Record) -> None:
    line = await lines.lock_line(tx, leg["line_id"])
    if line is not None and call["line_kind"] is None:
        await tx.execute(_SQL["set_line_kind"], id=call["id"], line_kind=line["kind"])


def _our_number(call: asyncpg.Record, settings: Settings) -> str:
    ours: str = call["to_number"] if call["direction"] == "inbound" else call["from_number"]
    return ours or (settings.twilio.from_number if settings.twilio else "")


async def _coach(tx: Tx, call_id: UUID) -> str | None:
    """The provider's id of the leg that listeners speak to: the rep's."""
    for leg in await live_legs(tx, call_id):
        if leg["kind"] == "rep" and leg["state"] == "joined" and leg["provider_sid"] is not None:
            sid: str = leg["provider_sid"]
            return sid
    return None


async def record_leg(tx: Tx, call_id: UUID, leg_id: UUID, sid: str, conference_sid: str, state: ProviderState) -> None:
    """The provider has the leg: remember its id and the room's, and let it go again if that was asked meanwhile."""
    call = await lock_call(tx, call_id)
    if call is not None and call["conference_sid"] is None:
        await tx.execute(_SQL["adopt_conference"], id=call_id, conference_sid=conference_sid)
    await hear_leg(tx, call_id, leg_id, sid, state)
    leg = await lock_leg(tx, call_id, leg_id)
    if leg is None or leg["state"] in ("left", "failed"):
        return
    if leg["leave_asked_at"] is not None or call is None or not is_live(call["state"]):
        await tx.defer("calls.drop_leg", {"call_id": call_id, "leg_id": leg_id})


async def forget_leg(tx: Tx, leg_id: UUID) -> None:
    """The provider certainly has no such leg: it may be asked for as if for the first time."""
    await tx.execute(_SQL["unask_leg"], id=leg_id)


async def fail_leg(tx: Tx, call_id: UUID, leg_id: UUID, reason: str) -> None:
    """Somebody can't be brought in; say why."""
    call = await lock_call(tx, call_id)
    leg = await lock_leg(tx, call_id, leg_id)
    if call is not None and leg is not None:
        await _out(tx, call, leg, "left" if leg["state"] == "joined" else "failed", reason)


async def hear_leg(tx: Tx, call_id: UUID, leg_id: UUID, sid: str, state: ProviderState) -> bool:
    """Take in what the provider says of somebody's leg. False when it is late, repeated, or about some other leg."""
    call = await lock_call(tx, call_id)
    leg = await lock_leg(tx, call_id, leg_id)
    if call is None or leg is None:
        return False
    if leg["provider_sid"] is None:
        await tx.execute(_SQL["adopt_leg_sid"], id=leg_id, sid=sid)
        leg = await lock_leg(tx, call_id, leg_id)
        assert leg is not None
    elif leg["provider_sid"] != sid:
        return False
    wanted = _LEG_STATES[state]
    if wanted == "failed" and leg["state"] == "joined":
        wanted = "left"
    if wanted in ("left", "failed"):
        return await _out(tx, call, leg, wanted, _why(leg, state) if wanted == "failed" else None)
    if not await move_leg(tx, leg, wanted):
        return False
    if wanted == "joined":
        await _joined(tx, call, leg)
    await _tell(tx, call, leg)
    return True


def _why(leg: asyncpg.Record, state: ProviderState) -> str | None:
    if leg["leave_asked_at"] is not None:
        return None
    if leg["address"].startswith("client:"):
        who, what = "The softphone", {"busy": "was busy", "no_answer": "did not answer", "canceled": "was not rung any more"}
    else:
        who, what = (
            f"The telephone {leg['address']}",
            {
                "busy": "was busy",
                "no_answer": "did not answer",
                "canceled": "was not rung any more",
            },
        )
    return f"{who} {what.get(state, 'could not be reached')}."


async def _tell(tx: Tx, call: asyncpg.Record, leg: asyncpg.Record) -> None:
    if not is_live(call["state"]):
        return
    if leg["kind"] == "supervisor":
        await emit_listeners(tx, call["id"])
    else:
        await emit_updated(tx, call["id"])


async def _joined(tx: Tx, call: asyncpg.Record, leg: asyncpg.Record) -> None:
    if leg["kind"] == "rep" and call["direction"] == "outbound" and call["asked_at"] is None and is_live(call["state"]):
        await ask_to_dial(tx, call["id"])
    if leg["kind"] == "rep":
        await aim_listeners(tx, call["id"])
    if leg["kind"] == "colleague" and is_live(call["state"]):
        if leg["user_id"] is not None:
            await presence.on_call(tx, leg["user_id"], call["id"])
        if call["holds_rep"] and not any(other["kind"] == "rep" for other in await live_legs(tx, call["id"])):
            # The rep went while they were still being rung.
            await hand_over(tx, call, leg)
    await audit.note(tx, call["id"], "joined", leg_id=leg["id"], kind=leg["kind"], user_id=leg["user_id"], mode=leg["mode"])


async def _out(tx: Tx, call: asyncpg.Record, leg: asyncpg.Record, to: LegState, error: str | None) -> bool:
    """Somebody is out of a call, or did not come: who is left decides whether it goes on."""
    if not await move_leg(tx, leg, to, error=error):
        return False
    await audit.note(
        tx, call["id"], to, leg_id=leg["id"], kind=leg["kind"], user_id=leg["user_id"], mode=leg["mode"], error=error
    )
    if not is_live(call["state"]):
        return True
    if leg["kind"] == "colleague" and leg["user_id"] is not None and leg["user_id"] != call["user_id"]:
        await presence.free(tx, leg["user_id"], call["id"])
    if leg["kind"] != "supervisor":
        await _go_on_without(tx, call, leg, error)
    await _tell(tx, call, leg)
    return True


async def _go_on_without(tx: Tx, call: asyncpg.Record, leg: asyncpg.Record, error: str | None) -> None:
    """The call ends with its rep unless somebody stays with the contact: then it is theirs."""
    legs = await live_legs(tx, call["id"])
    # Who was asked to leave is as good as gone, however long the provider takes.
    staying = [other for other in legs if other["kind"] != "supervisor" and other["leave_asked_at"] is None]
    if any(other["kind"] == "rep" for other in staying):
        return
    heir = next((other for other in staying if other["state"] == "joined"), None)
    if heir is not None:
        await hand_over(tx, call, heir)
    elif not staying:
        # Nobody is left on our side.
        if leg["joined_at"] is None and leg["takes_over"] is not None:
            error = f"It was handed over, and nobody took it. {error or ''}".strip()
            if leg["user_id"] is not None:
                # There is nothing for them to write up, and something to do.
                await presence.free(tx, leg["user_id"], call["id"])
                await tasks.create_task(
                    tx,
                    kind="missed_call",
                    title="Call back: a call was handed over to you",
                    contact_id=call["contact_id"],
                    assignee_id=leg["user_id"],
                    due_at=call["now"],
                    call_id=call["id"],
                )
        await ask_to_end(tx, call, error=error)


async def aim_listeners(tx: Tx, call_id: UUID) -> None:
    """The rep's leg is another one now: whoever listens or whispers has to speak to that one."""
    for leg in await live_legs(tx, call_id):
        if leg["kind"] == "supervisor" and leg["state"] == "joined":
            await tx.defer("calls.apply_leg", {"call_id": call_id, "leg_id": leg["id"]})


async def seat_of(tx: Tx, call_id: UUID, leg_id: UUID) -> Seat | None:
    """Where somebody is to sit as things are wished now; None when they are not in the call."""
    call = await lock_call(tx, call_id)
    leg = await lock_leg(tx, call_id, leg_id)
    if call is None or leg is None or leg["state"] != "joined" or leg["provider_sid"] is None or not is_live(call["state"]):
        return None
    coach_sid = await _coach(tx, call_id) if leg["mode"] in ("listen", "whisper") else None
    return Seat(call["conference_sid"], leg["provider_sid"], leg["muted"], coach_sid, leg["changes"])


async def adopt_conference(tx: Tx, call_id: UUID, conference_sid: str) -> None:
    """Remember the room of a call."""
    await tx.execute(_SQL["adopt_conference"], id=call_id, conference_sid=conference_sid)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A leg to ask the provider about: by its id, or by its label where that is not known.

    `is_leaving`: it should be gone by now, and is to be ended rather than looked at.
    """

    sid: str | None
    conference_sid: str | None
    is_leaving: bool = False


async def doubt_of(tx: Tx, call_id: UUID, leg_id: UUID, deadline_s: float) -> Doubt | None:
    """What to ask about a silent leg; None when there is nothing to ask (any more)."""
    call = await lock_call(tx, call_id)
    leg = await lock_leg(tx, call_id, leg_id)
    if call is None or leg is None or leg["state"] in ("left", "failed"):
        return None
    if leg["line_id"] is not None:
        line = await lines.lock_line(tx, leg["line_id"])
        if line is None or line["state"] == "ended":
            await _out(tx, call, leg, "left", "The rep's line ended.")
        return None
    if leg["provider_sid"] is not None:
        return Doubt(leg["provider_sid"], call["conference_sid"], leg["leave_asked_at"] is not None or not is_live(call["state"]))
    waited = leg["now"] - leg["created_at"]
    if leg["asked_at"] is None:
        if waited > timedelta(seconds=deadline_s):
            await _out(tx, call, leg, "failed", f"It could not be dialed within {deadline_s:.0f} seconds.")
        return None
    return Doubt(None, call["conference_sid"]) if waited > timedelta(seconds=deadline_s + DOUBT_S) else None


async def hear_join(tx: Tx, call_id: UUID, conference_sid: str, sid: str | None, label: str | None) -> None:
    """Somebody came into a call's conference: its id, and who came by an open line."""
    call = await lock_call(tx, call_id)
    if call is None:
        return
    if call["conference_sid"] is None:
        await tx.execute(_SQL["adopt_conference"], id=call_id, conference_sid=conference_sid)
    for leg in await live_legs(tx, call_id):
        if sid is not None and label == str(leg["id"]):
            await hear_leg(tx, call_id, leg["id"], sid, "in_progress")


async def leg_sid(tx: Tx, call_id: UUID, leg_id: UUID) -> str | None:
    """The provider's id of a leg that is still in; None otherwise."""
    leg = await lock_leg(tx, call_id, leg_id)
    if leg is None or leg["state"] in ("left", "failed"):
        return None
    sid: str | None = leg["provider_sid"]
    return sid


async def check_silent_legs(db: Database, silent_s: float, limit: int = 200) -> int:
    """Ask for a check of every leg, of any tenant, that was not heard of for `silent_s`. Returns how many."""
    asked = 0
    for row in await db.system_fetch(_SQL["unheard_legs"], silent_s=silent_s, limit=limit):
        async with tenant_tx(db, Who.system(row["tenant_id"])) as tx:
            leg = await tx.fetchrow(_SQL["touch_leg"], id=row["id"], silent_s=silent_s)
            if leg is not None:
                await tx.defer("calls.check_leg", {"call_id": leg["call_id"], "leg_id": leg["id"]}, max_attempts=3)
                asked += 1
    return asked
