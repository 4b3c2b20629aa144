"""Bringing colleagues and outside numbers into a call, and handing it over to them, warm or cold."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import asyncpg

from hub.calls import audit
from hub.calls.legs import add_leg, ask_to_leave, live_legs, lock_leg
from hub.calls.reading import emit_updated, lock_talking, read_call
from hub.contacts.addresses import AddressError, parse_phone
from hub.db import Tx
from hub.errors import Conflict, Invalid, NotFound
from hub.lines import actions as lines
from hub.presence import actions as presence
from hub.sqlfiles import load_sql

_SQL = load_sql("calls")


async def add_participant(tx: Tx, call_id: UUID, *, user_id: UUID | None = None, phone: str | None = None) -> str:
    """Ring a colleague or an outside number into a call that is being talked on; returns the call as JSON.

    Raises Conflict when they are in it or on another call, Invalid for a number that is none, NotFound for the call.
    """
    call = await lock_talking(tx, call_id)
    await _invite(tx, call, user_id, phone, None)
    return await emit_updated(tx, call_id)


async def remove_participant(tx: Tx, call_id: UUID, leg_id: UUID) -> str:
    """Take a colleague or an outside number out of a call again; returns the call as JSON."""
    await lock_talking(tx, call_id)
    leg = await lock_leg(tx, call_id, leg_id)
    if leg is None or leg["kind"] == "supervisor":
        raise NotFound("There is nobody of this id in the call.", code="leg_not_found")
    if leg["kind"] == "rep":
        raise Conflict("This is the rep's own line. Hand the call over, or hang up.", code="leg_is_the_reps")
    if leg["state"] in ("left", "failed"):
        return await read_call(tx, call_id)
    await audit.note(tx, call_id, "removed", leg_id=leg_id, user_id=leg["user_id"])
    await ask_to_leave(tx, leg)
    return await emit_updated(tx, call_id)


async def transfer(
    tx: Tx, call_id: UUID, kind: Literal["warm", "cold"], *, user_id: UUID | None = None, phone: str | None = None
) -> str:
    """Hand a call over; returns it as JSON.

    Warm: they are rung in, and the rep leaves with `complete_transfer` when they have talked. Cold: the rep leaves at
    once and the call is the colleague's, who is rung; with an outside number it is nobody's and holds no rep.
    Raises Conflict when they are on another call or it is handed over already.
    """
    call = await lock_talking(tx, call_id)
    legs = [leg for leg in await live_legs(tx, call_id) if leg["kind"] == "colleague"]
    if any(leg["takes_over"] == "warm" for leg in legs):
        raise Conflict("This call is being handed over already.", code="transfer_under_way")
    already = next((leg for leg in legs if user_id is not None and leg["user_id"] == user_id), None)
    if already is not None:
        await tx.execute(_SQL["mark_takes_over"], id=already["id"], takes_over=kind)
        leg_id: UUID = already["id"]
    else:
        leg_id = await _invite(tx, call, user_id, phone, kind)
    await audit.note(tx, call_id, f"transfer_{kind}", leg_id=leg_id, user_id=user_id, phone=phone)
    if kind == "cold":
        leg = await lock_leg(tx, call_id, leg_id)
        assert leg is not None
        await hand_over(tx, call, leg)
    return await emit_updated(tx, call_id)


async def complete_transfer(tx: Tx, call_id: UUID) -> str:
    """The rep leaves, and the call is the one's whom they have talked to. Conflict when nobody has come yet."""
    call = await lock_talking(tx, call_id)
    legs = await live_legs(tx, call_id)
    heir = next((leg for leg in legs if leg["takes_over"] == "warm"), None)
    if heir is None:
        raise Conflict("This call is not being handed over.", code="no_transfer")
    if heir["state"] != "joined":
        raise Conflict("They have not answered yet.", code="transfer_not_answered")
    await audit.note(tx, call_id, "transferred", leg_id=heir["id"], user_id=heir["user_id"])
    await hand_over(tx, call, heir)
    return await emit_updated(tx, call_id)


async def hand_over(tx: Tx, call: asyncpg.Record, heir: asyncpg.Record) -> None:
    """Make a call somebody else's: the rep is out of it and writes it up, a colleague is on it.

    An outside number talks on without any of ours: the call then holds no rep, and stays the one's who had it.
    """
    before: UUID | None = call["user_id"]
    after: UUID | None = heir["user_id"]
    if after is not None and after != before and await tx.fetchval(_SQL["live_calls_of"], rep_id=after) is not None:
        raise Conflict("They are on another call by now.", code="colleague_is_busy")
    for leg in await live_legs(tx, call["id"]):
        if leg["kind"] == "rep" and leg["id"] != heir["id"]:
            await ask_to_leave(tx, leg)
    await tx.execute(_SQL["set_rep"], id=call["id"], rep_id=after or before, holds_rep=after is not None)
    if after is not None:
        await tx.execute(_SQL["make_leg_the_reps"], id=heir["id"])
    if before is not None and before != after:
        await presence.wrap_up(tx, before, call["id"])
    if after is not None:
        await presence.on_call(tx, after, call["id"])


async def _invite(
    tx: Tx, call: asyncpg.Record, user_id: UUID | None, phone: str | None, takes_over: Literal["warm", "cold"] | None
) -> UUID:
    ring_s = (await lines.settled(tx)).ring_s
    if user_id is None:
        number = _number(phone or "")
        leg_id = await add_leg(tx, call["id"], "colleague", phone=number, takes_over=takes_over, ring_s=ring_s)
        await audit.note(tx, call["id"], "invited", leg_id=leg_id, phone=number)
        return leg_id
    name = await tx.fetchval(_SQL["person_name"], person_id=user_id)
    if name is None:
        raise Invalid.field("user_id", "There is no such active member.")
    if user_id == call["user_id"]:
        raise Invalid.field("user_id", f"It is {name}'s call already.")
    await presence.hold(tx, user_id)
    busy = await tx.fetchval(_SQL["other_call_of"], person_id=user_id, call_id=call["id"])
    if busy is not None:
        raise Conflict(f"{name} is on another call.", code="colleague_is_busy")
    leg_id = await add_leg(tx, call["id"], "colleague", user_id=user_id, takes_over=takes_over, ring_s=ring_s)
    await audit.note(tx, call["id"], "invited", leg_id=leg_id, user_id=user_id)
    return leg_id


def _number(phone: str) -> str:
    try:
        return parse_phone(phone).e164
    except AddressError as exc:
        raise Invalid.field("phone", str(exc)) from None
