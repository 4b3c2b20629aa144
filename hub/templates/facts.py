"""What templates know of a contact, of who writes, and of the company."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from hub.contacts.actions import missing as contact_missing
from hub.db import Tx
from hub.sqlfiles import load_sql
from hub.templates.language import Fields, trusted
from hub.templates.plain import clean
from hub.templates.rendering import UNSUBSCRIBE_URL, Facts

_SQL = load_sql("templates")

# Every variable with what it is, as GET /templates/variables lists them; the custom ones of contacts come to these.
VARIABLES: tuple[tuple[str, str], ...] = (
    ("contact.first_name", "The contact's first name"),
    ("contact.last_name", "The contact's last name"),
    ("contact.name", "The contact's whole name"),
    ("contact.email", "The contact's first email address"),
    ("contact.phone", "The contact's first telephone number"),
    ("contact.company", "Where the contact works"),
    ("contact.title", "What the contact does there"),
    ("contact.stage", "The contact's stage"),
    ("sender.name", "Your name"),
    ("sender.email", "The address of the mailbox that sends, or yours"),
    ("sender.phone", "Your telephone number"),
    ("sender.signature", "The signature of the mailbox that sends"),
    ("company.name", "Your company's name"),
    ("unsubscribe_url", "Where the reader can unsubscribe"),
)


async def facts_for(tx: Tx, contact_id: UUID, *, user_id: UUID | None, mailbox_id: UUID | None = None) -> Facts:
    """The facts about one contact, for a mail that a member sends. Raises NotFound for the contact."""
    found = (await facts_for_many(tx, [contact_id], user_id=user_id, mailbox_id=mailbox_id)).get(contact_id)
    if found is None:
        raise contact_missing()
    return found


async def facts_for_many(
    tx: Tx, contact_ids: Sequence[UUID], *, user_id: UUID | None, mailbox_id: UUID | None = None
) -> dict[UUID, Facts]:
    """The facts about many contacts in two statements; those that do not exist are left out."""
    shared = await facts_of_sender(tx, user_id=user_id, mailbox_id=mailbox_id)
    facts: dict[UUID, Facts] = {}
    for found in await tx.fetch(_SQL["contact_facts"], contact_ids=list(contact_ids)):
        values = _filled(orjson.loads(found["json"]))
        values["custom"] = Fields("contact.custom", _filled(values.get("custom") or {}))
        facts[found["id"]] = {**shared, "contact": Fields("contact", values)}
    return facts


async def facts_of_sender(tx: Tx, *, user_id: UUID | None, mailbox_id: UUID | None = None) -> Facts:
    """The facts about who writes and for which company, with a contact of whom nothing is known."""
    row = await tx.fetchrow(_SQL["sender_facts"], person_id=user_id, mailbox_id=mailbox_id)
    assert row is not None
    known = orjson.loads(row["json"])
    sender = _filled(known["sender"])
    if "signature" in sender:
        sender["signature"] = trusted(clean(sender["signature"]))
    company = Fields("company", _filled(known["company"]))
    company.zone = row["zone"]
    return {
        "contact": Fields("contact", {"custom": Fields("contact.custom", {})}),
        "sender": Fields("sender", sender),
        "company": company,
        "unsubscribe_url": UNSUBSCRIBE_URL,
    }


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    # What is empty is missing: nobody is called by a blank.
    return {name: value for name, value in values.items() if value is not None and str(value).strip() != ""}
