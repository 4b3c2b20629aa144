"""The writes on contacts."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import orjson

from hub.contacts import queries
from hub.contacts.addresses import AddressError, parse_email, parse_phone
from hub.contacts.events import ContactCreated, ContactDeleted, ContactHandedOver, ContactRestored, ContactUpdated
from hub.contacts.models import ContactIn, ContactPatch, EmailIn, PhoneIn
from hub.db import Tx
from hub.errors import Invalid, NotFound, PreconditionFailed
from hub.sqlfiles import load_sql

_SQL = load_sql("contacts")


def missing() -> NotFound:
    """The answer for a contact that is not there, or not this tenant's."""
    return NotFound("There is no such contact.", code="contact_not_found")


async def create_contact(tx: Tx, given: ContactIn) -> tuple[UUID, str, int]:
    """Add a contact and return its id, its JSON and its version. Raises Invalid for a bad number, address or owner."""
    emails, phones = _emails(given.emails), _phones(given.phones)
    try:
        contact_id: UUID = await tx.fetchval(
            _SQL["insert_contact"],
            first_name=given.first_name,
            last_name=given.last_name,
            company=given.company,
            title=given.title,
            stage=given.stage,
            owner_id=given.owner_id,
            custom=_json({k: v for k, v in given.custom.items() if v is not None}),
        )
    except asyncpg.InsufficientPrivilegeError as exc:
        raise _out_of_sight() from exc
    await tx.execute(_SQL["add_emails"], id=contact_id, emails=emails)
    await tx.execute(_SQL["add_phones"], id=contact_id, phones=phones)
    await tx.execute(_SQL["add_tags"], id=contact_id, tags=_json(given.tags))
    await tx.execute(_SQL["refresh_search"], id=contact_id)
    text, version = await _read(tx, contact_id)
    tx.emit(ContactCreated(contact_id, {"contact": orjson.Fragment(text)}))
    return contact_id, text, version


async def update_contact(tx: Tx, contact_id: UUID, given: ContactPatch, version: int | None) -> tuple[str, int]:
    """Change the given fields and return the JSON and the new version.

    `version` is what the caller last saw; PreconditionFailed when somebody else was quicker. NotFound when it is gone.
    """
    fields = given.model_fields_set
    own = {name: getattr(given, name) for name in fields & {"first_name", "last_name", "company", "title", "stage", "owner_id"}}
    if "custom" in fields:
        own["custom"] = _json(given.custom)
    is_moved = "owner_id" in fields and await tx.fetchval(_SQL["moves_out_of_sight"], id=contact_id, owner_id=given.owner_id)
    try:
        changed = await tx.fetchval(
            _SQL["update_contact"], id=contact_id, version=version, **own, **{f"set_{name}": True for name in own}
        )
    except asyncpg.InsufficientPrivilegeError as exc:
        raise _out_of_sight() from exc
    if changed is None:
        if await queries.contact_exists(tx, contact_id):
            raise PreconditionFailed("Somebody changed this contact since you opened it. Look at it again, then save.")
        raise missing()
    if "emails" in fields:
        await tx.execute(_SQL["clear_emails"], id=contact_id)
        await tx.execute(_SQL["add_emails"], id=contact_id, emails=_emails(given.emails))
    if "phones" in fields:
        await tx.execute(_SQL["clear_phones"], id=contact_id)
        await tx.execute(_SQL["add_phones"], id=contact_id, phones=_phones(given.phones))
    if "tags" in fields:
        await tx.execute(_SQL["clear_tags"], id=contact_id)
        await tx.execute(_SQL["add_tags"], id=contact_id, tags=_json(given.tags))
    await tx.execute(_SQL["refresh_search"], id=contact_id)
    text, now = await _read(tx, contact_id)
    if is_moved:
        tx.emit(ContactHandedOver(contact_id, {"contact_id": contact_id}))
    tx.emit(ContactUpdated(contact_id, {"contact": orjson.Fragment(text)}))
    return text, now


async def delete_contact(tx: Tx, contact_id: UUID) -> None:
    """Delete a contact so that it can be restored. NotFound when it is not there."""
    if await tx.fetchval(_SQL["delete_contact"], id=contact_id) is None:
        raise missing()
    await tx.execute(_SQL["forget_search"], id=contact_id)
    tx.emit(ContactDeleted(contact_id, {"contact_id": contact_id}))


async def restore_contact(tx: Tx, contact_id: UUID) -> tuple[str, int]:
    """Undo a delete. A contact that is not deleted stays as it is."""
    if await tx.fetchval(_SQL["restore_contact"], id=contact_id) is None:
        return await _read(tx, contact_id)
    await tx.execute(_SQL["refresh_search"], id=contact_id)
    text, version = await _read(tx, contact_id)
    tx.emit(ContactRestored(contact_id, {"contact": orjson.Fragment(text)}))
    return text, version


async def _read(tx: Tx, contact_id: UUID) -> tuple[str, int]:
    found = await queries.get_contact(tx, contact_id)
    if found is None:
        raise missing()
    return found


def _out_of_sight() -> Invalid:
    """What the policy of contacts refuses to write: a contact of somebody whose things its writer does not see."""
    said = "You don't see what is theirs and would not see this contact any more. Let somebody do this who sees both."
    return Invalid.field("owner_id", said)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _emails(given: list[EmailIn]) -> str:
    rows: dict[str, dict[str, object]] = {}
    for place, email in enumerate(given):
        try:
            address = parse_email(email.address)
        except AddressError as exc:
            raise Invalid.field(f"emails.{place}.address", str(exc)) from None
        rows.setdefault(address.lower(), {"position": place, "address": address, "label": email.label})
    return _json(list(rows.values()))


def _phones(given: list[PhoneIn]) -> str:
    rows: dict[tuple[str, str], dict[str, object]] = {}
    for place, phone in enumerate(given):
        try:
            found = parse_phone(phone.written)
        except AddressError as exc:
            raise Invalid.field(f"phones.{place}.{'number' if phone.number else 'e164'}", str(exc)) from None
        extension = phone.extension or found.extension
        rows.setdefault(
            (found.e164, extension),
            {
                "position": place,
                "e164": found.e164,
                "extension": extension,
                "label": phone.label,
                "kind": found.kind,
                "time_zones": list(found.time_zones),
            },
        )
    return _json(list(rows.values()))
