"""Unsubscribing and taking it back: both go through the suppression list, which every permit asks."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from uuid import UUID

import orjson

from hub.activities.actions import add_activity
from hub.db import Tx
from hub.errors import Invalid
from hub.permits.actions import lift_unsubscribe, suppress
from hub.sqlfiles import load_sql
from hub.unsubscribes.events import MailResubscribed, MailUnsubscribed
from hub.unsubscribes.models import Way

_SQL = load_sql("unsubscribes")

_SAID: dict[Way, str] = {
    "one_click": "Unsubscribed with one click in their mail program.",
    "page": "Unsubscribed on the page that a mail led to.",
    "reply": "Asked by reply to get no more mail.",
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Whoever got a mail: their address, the contact they are, from which company it came, and what they said before."""

    send_id: UUID | None
    contact_id: UUID | None
    address: str
    company: str
    has_unsubscribed: bool


async def reader_of(tx: Tx, send_id: UUID) -> Reader | None:
    """Who got a mail; None when it is not known any more."""
    row = await tx.fetchrow(_SQL["mail_of_token"], send_id=send_id)
    if row is None:
        return None
    return Reader(row["known_send"], row["contact_id"], row["address_lc"], row["company"], row["unsubscribed"])


async def unsubscribe(
    tx: Tx, address: str, way: Way, *, contact_id: UUID | None, send_id: UUID | None, words: str = ""
) -> UUID | None:
    """Send an address no more mail, at once, whoever of the company writes. Its id, None when they had said it before.

    Sequences stop in a job (`unsubscribes.follow`); nothing goes out in between, because the permit refuses it.
    """
    address_lc = address.strip().lower()
    row = await tx.fetchrow(
        _SQL["unsubscribe"], send_id=send_id, contact_id=contact_id, address_lc=address_lc, way=way, words=words[:2000]
    )
    if row is None and await tx.fetchval(_SQL["is_suppressed"], address_lc=address_lc):
        return None
    try:
        await suppress(tx, "email", address_lc, _SAID[way], "unsubscribe", channel="email")
    except Invalid:
        # What their mail program calls them may be no address by our rules; the contact is known all the same.
        if contact_id is not None:
            await suppress(tx, "contact", str(contact_id), _SAID[way], "unsubscribe", channel="email")
    if row is None:
        return None
    unsubscribe_id: UUID = row["id"]
    tx.emit(MailUnsubscribed(unsubscribe_id, {"unsubscribe": orjson.Fragment(row["json"])}))
    contacts = await contacts_of(tx, address_lc, contact_id)
    for person in contacts:
        await add_activity(tx, person, "system", body=f"{_SAID[way]} ({address_lc})")
    if contacts:
        await tx.defer(
            "unsubscribes.follow",
            {"contact_ids": contacts, "send_id": send_id, "words": _SAID[way]},
            key=str(unsubscribe_id),
            max_attempts=20,
        )
    return unsubscribe_id


async def by_reply(tx: Tx, address: str, contact_id: UUID | None, words: str, send_id: UUID | None = None) -> UUID | None:
    """The same for somebody who wrote it in an answer. `words` is what they wrote."""
    return await unsubscribe(tx, address, "reply", contact_id=contact_id, send_id=send_id, words=words)


async def resubscribe(tx: Tx, address: str, contact_id: UUID | None) -> bool:
    """Take it back, because it was a mistake. What else stands on the suppression list stays. False when there was nothing."""
    row = await tx.fetchrow(_SQL["resubscribe"], address_lc=address)
    if row is None:
        return False
    with contextlib.suppress(Invalid):  # an address by their rules and not by ours was never on the list
        await lift_unsubscribe(tx, address)
    tx.emit(MailResubscribed(row["id"], {"unsubscribe": orjson.Fragment(row["json"])}))
    for person in await contacts_of(tx, address, contact_id):
        await add_activity(tx, person, "system", body=f"Subscribed again on the page that a mail led to. ({address})")
    return True


async def contacts_of(tx: Tx, address_lc: str, contact_id: UUID | None = None) -> list[UUID]:
    """Everybody with this address, and `contact_id` if one is given."""
    found = {row["contact_id"] for row in await tx.fetch(_SQL["contacts_of_address"], address_lc=address_lc)}
    return sorted(found | ({contact_id} if contact_id is not None else set()))
