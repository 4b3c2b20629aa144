"""Who calls or writes: the contact with this number, made where there is none."""

from __future__ import annotations

from uuid import UUID

from hub.contacts.actions import create_contact
from hub.contacts.addresses import AddressError, parse_phone
from hub.contacts.models import ContactIn, PhoneIn
from hub.db import Tx
from hub.sqlfiles import load_sql

_SQL = load_sql("inbound")


async def contact_of(tx: Tx, number: str) -> UUID:
    """The contact behind a number; a new one where nobody has it. All who hide their number are one contact."""
    try:
        e164 = parse_phone(number).e164
    except AddressError:
        return await _unknown_caller(tx)
    found: UUID | None = await tx.fetchval(_SQL["contact_of_number"], e164=e164)
    if found is not None:
        return found
    contact_id, _, _ = await create_contact(tx, ContactIn(phones=[PhoneIn(e164=e164)]))
    return contact_id


async def _unknown_caller(tx: Tx) -> UUID:
    found: UUID | None = await tx.fetchval(_SQL["unknown_caller"])
    if found is not None:
        return found
    contact_id, _, _ = await create_contact(tx, ContactIn(first_name="Unknown", last_name="caller"))
    return contact_id
