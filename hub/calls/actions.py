"""What people do with calls: place, hang up, dispose."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import orjson

from hub.activities.actions import add_activity
from hub.calls.events import CallDispositionSet
from hub.calls.models import Disposition
from hub.calls.moves import emit_state, move_call
from hub.calls.states import is_live
from hub.contacts import queries as contacts
from hub.contacts.actions import missing as contact_missing
from hub.contacts.addresses import AddressError, parse_phone
from hub.db import Tx
from hub.errors import Forbidden, Invalid, NotFound
from hub.presence import actions as presence
from hub.sqlfiles import load_sql

_SQL = load_sql("calls")


async def place_call(tx: Tx, contact_id: UUID, phone: str | None, from_number: str) -> str:
    """Ask for a call to a contact and return it as JSON. The dialing is a job.

    Raises NotFound for the contact, Invalid when there is no such number on it, Conflict when somebody is on a call
    with this contact or the rep is on another one.
    """
    if tx.who.user_id is None:
        raise Forbidden("Only a person can place a call.")
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
    call_id: UUID = await tx.fetchval(_SQL["insert_call"], contact_id=contact_id, to_number=number, from_number=from_number)
    await presence.on_call(tx, tx.who.user_id, call_id)
    await emit_state(tx, call_id)
    await add_activity(tx, contact_id, "call", call_id=call_id)
    await tx.defer("calls.dial", {"call_id": call_id}, key=str(call_id), max_attempts=20)
    return await read_call(tx, call_id)


async def read_call(tx: Tx, call_id: UUID) -> str:
    """A call as JSON. NotFound when there is none."""
    row = await tx.fetchrow(_SQL["get_call"], id=call_id)
    if row is None:
        raise missing()
    text: str = row["json"]
    return text


def missing() -> NotFound:
    """The answer for a call that is not there, or not this tenant's."""
    return NotFound("There is no such call.", code="call_not_found")


async def _lock_own(tx: Tx, call_id: UUID) -> asyncpg.Record:
    call = await tx.fetchrow(_SQL["lock_call"], id=call_id)
    if call is None:
        raise missing()
    if call["user_id"] != tx.who.user_id and not tx.who.is_manager:
        raise Forbidden("This is a colleague's call; a manager can do this.")
    return call


async def hang_up(tx: Tx, call_id: UUID) -> str:
    """End a live call, or see to it that it ends as soon as the provider has it. A finished call stays as it is."""
    call = await _lock_own(tx, call_id)
    if is_live(call["state"]):
        await tx.execute(_SQL["ask_hangup"], id=call_id)
        if call["asked_at"] is None:
            await move_call(tx, call, "canceled")
        elif call["provider_sid"] is not None:
            await tx.defer("calls.hang_up", {"call_id": call_id})
    return await read_call(tx, call_id)


async def set_disposition(tx: Tx, call_id: UUID, disposition: Disposition, note: str | None) -> str:
    """Say how a call went; after the call this ends the wrap-up."""
    call = await _lock_own(tx, call_id)
    await tx.execute(_SQL["set_disposition"], id=call_id, disposition=disposition, note=note)
    text = await read_call(tx, call_id)
    tx.emit(CallDispositionSet(call_id, {"call": orjson.Fragment(text)}))
    if not is_live(call["state"]):
        await presence.free(tx, call["user_id"], call_id)
    return text
