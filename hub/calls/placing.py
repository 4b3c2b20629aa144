"""How calls come about: a rep places one, a contact calls in and a rep takes it, one of several parallel ones is answered."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import asyncpg

from hub.activities.actions import add_activity
from hub.calls import audit
from hub.calls.legs import add_leg, live_legs
from hub.calls.moves import ask_to_end, move_call
from hub.calls.reading import emit_state, emit_updated, lock_call, missing
from hub.calls.states import is_live
from hub.contacts import queries as contacts
from hub.contacts.actions import missing as contact_missing
from hub.contacts.addresses import AddressError, parse_phone
from hub.db import Tx
from hub.errors import Conflict, Forbidden, Invalid
from hub.leases import actions as leases
from hub.lines import actions as lines
from hub.permits import actions as permits
from hub.presence import actions as presence
from hub.sqlfiles import load_sql

Detection = Literal["off", "detect", "message_end"]

NOWHERE = UUID(int=0)

_SQL = load_sql("calls")


async def number_to_call(tx: Tx, contact_id: UUID, phone: str | None) -> str:
    """The number of a contact that is to be called: theirs that was asked for, else their first.

    Raises NotFound for the contact, Invalid when there is no such number on it.
    """
    wanted: str | None = None
    if phone is not None:
        try:
            wanted = parse_phone(phone).e164
        except AddressError as exc:
            raise Invalid.field("phone", str(exc)) from None
    number = await contacts.contact_phone(tx, contact_id, wanted)
    if number is None:
        if not await contacts.contact_exists(tx, contact_id):
            raise contact_missing()
        if wanted:
            raise Invalid.field("phone", f"{wanted} is not one of this contact's numbers. Add it to the contact first.")
        raise Invalid.field("contact_id", "This contact has no telephone number.")
    return number


async def place_call(
    tx: Tx,
    contact_id: UUID,
    *,
    phone: str | None = None,
    from_number: str | None = None,
    from_number_id: UUID | None = None,
    user_id: UUID | None = None,
    permit_id: UUID | None = None,
    queue_item_id: UUID | None = None,
    holds_rep: bool = True,
    machine_detection: Detection | None = None,
    ring_s: int | None = None,
    override_reason: str | None = None,
) -> UUID:
    """Ask for a call to a contact and return its id. The dialing is a job.

    `phone` is one of the contact's numbers (their first when None), `from_number` one of ours, `user_id` the rep (who
    acts, when None). `holds_rep` False makes it one of several parallel calls: it becomes the rep's with `attach_rep`.
    Raises NotFound for the contact, Invalid when there is no such number on it, Conflict when somebody is on a call
    with this contact or the rep is on another one, Forbidden ("not_permitted") without a permit.

    `permit_id` is a permit that is used already; without one it is decided here. The contact is the rep's while the call
    is live (a dialer's contact, with `queue_item_id`, is theirs before).
    """
    rep_id = user_id or tx.who.user_id
    if rep_id is None:
        raise Forbidden("Only a person can place a call.")
    number = await number_to_call(tx, contact_id, phone)
    if permit_id is None:
        permit_id = await permits.require(
            tx, contact_id, "call", number, user_id=rep_id, override_reason=override_reason, queue_item_id=queue_item_id
        )
    settled = await lines.settled(tx)
    if holds_rep and await tx.fetchval(_SQL["other_call_of"], person_id=rep_id, call_id=NOWHERE) is not None:
        raise Conflict("You are already on a call. End it before you start another.", code="already_on_a_call")
    if await tx.fetchval(_SQL["has_live_inbound"], contact_id=contact_id):
        raise Conflict("Someone is on a call with this contact.", code="contact_is_on_a_call")
    call_id: UUID = await tx.fetchval(
        _SQL["insert_call"],
        contact_id=contact_id,
        rep_id=rep_id,
        to_number=number,
        from_number=from_number or "",
        from_number_id=from_number_id,
        permit_id=permit_id,
        queue_item_id=queue_item_id,
        holds_rep=holds_rep,
        machine_detection=machine_detection or ("detect" if settled.machine_detection else "off"),
        ring_s=ring_s or settled.ring_s,
    )
    if queue_item_id is None:
        await leases.hold_for_call(tx, contact_id, rep_id, call_id)
    if holds_rep:
        await _bring_rep(tx, call_id, rep_id, settled.ring_s)
        await presence.on_call(tx, rep_id, call_id)
    await emit_state(tx, call_id)
    await add_activity(tx, contact_id, "call", call_id=call_id)
    if not holds_rep or not await _waits_for_the_rep(tx, rep_id):
        await ask_to_dial(tx, call_id)
    return call_id


async def ask_to_dial(tx: Tx, call_id: UUID) -> None:
    """See to it that the contact is dialed, once."""
    await tx.defer("calls.dial", {"call_id": call_id}, key=str(call_id), max_attempts=20)


async def _waits_for_the_rep(tx: Tx, rep_id: UUID) -> bool:
    """Whether the contact is dialed only when the rep is there: their own telephone has to be answered first."""
    line = await lines.line_of(tx, rep_id)
    if line is not None:
        return bool(line["state"] != "open")
    return (await lines.choice_of(tx, rep_id)).kind == "bridge"


async def _bring_rep(tx: Tx, call_id: UUID, rep_id: UUID, ring_s: int) -> None:
    """The rep is to be in the call: by their open line if they have one, else by being rung."""
    line = await lines.line_of(tx, rep_id)
    if line is None:
        await add_leg(tx, call_id, "rep", user_id=rep_id, ring_s=ring_s)
        return
    await add_leg(tx, call_id, "rep", user_id=rep_id, line_id=line["id"], ring_s=ring_s)
    await lines.enter(tx, line["id"], call_id)


async def attach_rep(tx: Tx, call_id: UUID) -> None:
    """A parallel call was answered first: it is its rep's from now on, and the other unanswered ones are given up.

    Raises Conflict when the rep has another call, or this one is over or nobody's.
    """
    call = await lock_call(tx, call_id)
    if call is None:
        raise missing()
    if not is_live(call["state"]) or call["user_id"] is None or call["hangup_asked_at"] is not None:
        raise Conflict("This call is over.", code="call_is_over")
    if call["holds_rep"]:
        return
    # The rep's presence is the lock that two answered calls meet at. Calls are always locked before people.
    await presence.hold(tx, call["user_id"])
    if await tx.fetchrow(_SQL["live_calls_of"], rep_id=call["user_id"]) is not None:
        raise Conflict("The rep is on another call.", code="already_on_a_call")
    # The index still refuses a call that the rep places at this very moment.
    await tx.conn.execute("SAVEPOINT winning")
    try:
        await tx.execute(_SQL["set_rep"], id=call_id, rep_id=call["user_id"], holds_rep=True)
    except asyncpg.UniqueViolationError:
        await tx.conn.execute("ROLLBACK TO SAVEPOINT winning")
        raise Conflict("The rep is on another call.", code="already_on_a_call") from None
    await _bring_rep(tx, call_id, call["user_id"], 15)
    await presence.on_call(tx, call["user_id"], call_id)
    for row in await tx.fetch(_SQL["parallel_siblings"], rep_id=call["user_id"], id=call_id):
        # By jobs: whoever answers one of them holds that call and waits for the rep.
        await tx.defer("calls.give_up", {"call_id": row["id"]})
    await emit_updated(tx, call_id)


async def create_inbound(tx: Tx, *, contact_id: UUID, number_id: UUID | None, to: str, from_: str, sid: str) -> UUID:
    """A contact calls one of our numbers; returns the call, which rings until a rep takes it.

    `sid` is the provider's id of the contact's leg. The same leg again is the same call.
    """
    known: UUID | None = await tx.fetchval(_SQL["call_of_sid"], sid=sid)
    if known is not None:
        return known
    call_id: UUID = await tx.fetchval(
        _SQL["insert_inbound"], contact_id=contact_id, from_number_id=number_id, to_number=to, from_number=from_, sid=sid
    )
    await emit_state(tx, call_id)
    await add_activity(tx, contact_id, "call", call_id=call_id)
    return call_id


async def take_call(tx: Tx, call_id: UUID, user_id: UUID, *, leg_sid: str | None = None, address: str = "") -> None:
    """A rep answered an inbound call: it is theirs. Raises Conflict when a colleague has it or they are on another one.

    `leg_sid` is the provider's id of the rep's leg where that has been answered already (`address` is what was dialed);
    without it the rep is rung.
    """
    call = await lock_call(tx, call_id)
    if call is None:
        raise missing()
    if not is_live(call["state"]):
        raise Conflict("This call is over.", code="call_is_over")
    if call["user_id"] == user_id:
        return
    if call["user_id"] is not None:
        raise Conflict("A colleague has taken this call.", code="call_is_taken")
    await tx.execute(_SQL["set_rep"], id=call_id, rep_id=user_id, holds_rep=True)
    if leg_sid is None:
        await _bring_rep(tx, call_id, user_id, (await lines.settled(tx)).ring_s)
    elif not any(leg["provider_sid"] == leg_sid for leg in await live_legs(tx, call_id)):
        await tx.execute(_SQL["insert_joined_leg"], call_id=call_id, person_id=user_id, address=address, sid=leg_sid)
    await leases.hold_for_call(tx, call["contact_id"], user_id, call_id, force=True)
    await presence.on_call(tx, user_id, call_id)
    await audit.note(tx, call_id, "taken", user_id=user_id)
    if not await move_call(tx, call, "in_progress"):
        await emit_updated(tx, call_id)


async def parallel_answer(tx: Tx, call_id: UUID, sid: str) -> bool:
    """Somebody answered a parallel call: whether its rep is theirs. Decided under locks, so of several one wins.

    Whoever does not win is written down as abandoned. May be repeated: the answer stays the same.
    """
    call = await lock_call(tx, call_id)
    if call is None or (call["provider_sid"] is not None and call["provider_sid"] != sid):
        raise missing()
    if call["provider_sid"] is None:
        await tx.execute(_SQL["adopt_sid"], id=call_id, sid=sid)
    if call["holds_rep"] and is_live(call["state"]):
        return True
    if call["abandoned_at"] is not None or not is_live(call["state"]):
        return False
    try:
        await attach_rep(tx, call_id)
    except Conflict:
        await _abandon(tx, call)
        return False
    now = await lock_call(tx, call_id)
    assert now is not None
    await move_call(tx, now, "in_progress")
    return True


async def give_up(tx: Tx, call_id: UUID) -> None:
    """One of the rep's other parallel calls was answered: end this one unless it was answered, too."""
    call = await lock_call(tx, call_id)
    if call is not None and call["state"] in ("queued", "dialing", "ringing") and not call["holds_rep"]:
        await ask_to_end(tx, call)


async def _abandon(tx: Tx, call: asyncpg.Record) -> None:
    await tx.execute(_SQL["abandon_call"], id=call["id"])
    await tx.execute(_SQL["set_call_error"], id=call["id"], error="It was answered while the rep was on another call.")
    if not await move_call(tx, call, "in_progress"):
        await emit_updated(tx, call["id"])
