"""What a rep does to a call while talking: hold, mute, press keys."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from hub.calls import audit
from hub.calls.legs import live_legs
from hub.calls.reading import emit_updated, lock_call, lock_talking, read_call
from hub.calls.states import is_live
from hub.db import Tx
from hub.errors import Conflict
from hub.sqlfiles import load_sql

_SQL = load_sql("calls")


@dataclass(frozen=True, slots=True)
class ContactSeat:
    """Where the contact sits, and whether they are to wait."""

    conference_sid: str | None
    call_sid: str
    on_hold: bool


async def hold(tx: Tx, call_id: UUID, on: bool) -> str:
    """Let the contact wait with music, or go on; returns the call as JSON. The provider follows by a job."""
    call = await lock_talking(tx, call_id)
    if (call["hold_since"] is not None) == on:
        return await read_call(tx, call_id)
    await tx.execute(_SQL["set_hold"], id=call_id, on=on)
    await tx.defer("calls.hold", {"call_id": call_id})
    await audit.note(tx, call_id, "hold" if on else "unhold")
    return await emit_updated(tx, call_id)


async def mute(tx: Tx, call_id: UUID, on: bool) -> str:
    """Let the contact not hear the rep, or hear them again; returns the call as JSON."""
    call = await lock_talking(tx, call_id)
    leg = next((leg for leg in await live_legs(tx, call_id) if leg["kind"] == "rep" and leg["user_id"] == call["user_id"]), None)
    if leg is None:
        raise Conflict("The rep is not on the line.", code="rep_not_on_the_line")
    if leg["muted"] == on:
        return await read_call(tx, call_id)
    await tx.execute(_SQL["set_leg_muted"], id=leg["id"], muted=on)
    await tx.defer("calls.apply_leg", {"call_id": call_id, "leg_id": leg["id"]})
    await audit.note(tx, call_id, "mute" if on else "unmute")
    return await emit_updated(tx, call_id)


async def press(tx: Tx, call_id: UUID, digits: str) -> str:
    """Press keys for the contact's side, once; returns the call as JSON. The audit keeps how many, not which."""
    await lock_talking(tx, call_id)
    await tx.defer("calls.press", {"call_id": call_id, "digits": digits}, max_attempts=1)
    await audit.note(tx, call_id, "digits", count=len(digits))
    return await read_call(tx, call_id)


async def contact_seat(tx: Tx, call_id: UUID) -> ContactSeat | None:
    """Where the contact sits as things are wished now; None when they are not in the conference."""
    call = await lock_call(tx, call_id)
    if call is None or call["provider_sid"] is None or not is_live(call["state"]):
        return None
    return ContactSeat(call["conference_sid"], call["provider_sid"], call["hold_since"] is not None)
