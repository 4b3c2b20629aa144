"""Messages that a provider has: into their threads, each once, with their contacts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import orjson

from hub.activities.actions import add_activity
from hub.db import Tx
from hub.errors import NotFound
from hub.mail.events import MailReceived, MailSent
from hub.mail.moving import move_send
from hub.mail.telling import audiences_of_thread, tell
from hub.mail.threading import Parent, answered_ids, choose_thread, find_parents, participants_with
from hub.mail.values import Arrived, Direction, SendSource, Stored
from hub.mailboxes.privacy import privacy_of
from hub.mailboxes.rows import MailboxRow
from hub.sqlfiles import load_sql
from integrations.mime import Address, ParsedMessage

__all__ = ["Arrived", "Stored", "store_message"]

_SQL = load_sql("mail")
_SENDS = load_sql("mail_sends")

# What is kept of a message in the database; the whole of it is the original.
_MAX_BODY = 400_000
_MAX_HTML = 800_000
_MAX_WORDS = 100_000
_SNIPPET = 200
# A sender's clock is believed as far as that.
_CLOCK_SLACK = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Own:
    """The mail of ours that a message is."""

    id: UUID
    contact_id: UUID | None
    user_id: UUID | None
    source: SendSource


async def store_message(tx: Tx, mailbox: MailboxRow, parsed: ParsedMessage, arrived: Arrived) -> Stored:
    """Take in a message of a mailbox, received or sent there.

    May be repeated: the provider's id and the Message-ID make it the same message. One that we sent is joined with its send,
    which then counts as sent whatever became of the worker that did it. Raises NotFound when the mailbox is gone.
    """
    mailbox_id = mailbox.id
    await tx.fetchval(_SQL["lock_mailbox_mail"], mailbox_id=mailbox_id)
    box = await tx.fetchrow(_SQL["mailbox_for_mail"], mailbox_id=mailbox_id, provider_id=arrived.ref.id, ids=_own_ids(parsed))
    if box is None:
        raise NotFound("There is no such mailbox.", code="mailbox_not_found")
    direction: Direction = "outbound" if _is_outbound(box["address_lc"], parsed, arrived) else "inbound"
    own = await _adopt(tx, box["send_id"], arrived) if direction == "outbound" and box["send_id"] is not None else None
    parents = await find_parents(tx, answered_ids(parsed))
    answered = next((parent.send_id for parent in parents if parent.send_id is not None), None)
    if box["known_id"] is not None:
        return await _known(tx, box, parsed, arrived, own, answered)

    contacts = await _contacts(tx, parsed, direction, box["address_lc"], parents, own)
    thread_id, is_new_thread = await choose_thread(tx, mailbox_id, parsed, arrived, parents, _first_state(direction, arrived))
    message_id: UUID = await tx.fetchval(
        _SQL["insert_message"],
        **_columns(parsed, arrived, direction),
        mailbox_id=mailbox_id,
        thread_id=thread_id,
        private=await _is_private(tx, mailbox_id, parsed, arrived.labels),
        contacts=orjson.dumps([{"id": str(one), "role": role} for one, role in contacts.items()]).decode(),
        send_id=own.id if own else None,
    )
    people = await participants_with(tx, thread_id, box["address_lc"], parsed)
    first = _by_role(contacts, direction)
    await tx.execute(
        _SQL["settle_thread"],
        id=thread_id,
        participants=people,
        contact_id=first[0] if first else next(iter(contacts), None),
        opens=arrived.is_fresh and not is_new_thread and direction == "inbound" and parsed.kind != "bulk",
    )
    if own is not None:
        await tx.execute(_SENDS["thread_of_send"], id=own.id, thread_id=thread_id)
    actor_id = (own.user_id if own else box["user_id"]) if direction == "outbound" else None
    await _show(tx, thread_id, message_id, contacts, direction, arrived, actor_id)
    return Stored(
        message_id,
        thread_id,
        True,
        direction,
        parsed.kind,
        tuple(first),
        parsed,
        answered,
        mailbox_id,
        arrived.received_at,
        arrived.is_fresh,
        actor_id,
        own.id if own else None,
        own.source if own else None,
    )


async def _known(
    tx: Tx, box: asyncpg.Record, parsed: ParsedMessage, arrived: Arrived, own: _Own | None, answered: UUID | None
) -> Stored:
    """It is here: note one more copy, and what the provider says of it now."""
    message = await tx.fetchrow(_SQL["known_message"], id=box["known_id"])
    assert message is not None
    if arrived.ref.id:
        await tx.execute(
            _SQL["add_copy"],
            mailbox_id=box["id"],
            provider_id=arrived.ref.id,
            message_id=message["id"],
            received_at=arrived.received_at,
        )
    send_id = message["send_id"] or (own.id if own else None)
    await tx.execute(
        _SQL["renew_message"],
        id=message["id"],
        provider_id=arrived.ref.id,
        provider_thread_id=arrived.ref.thread_id,
        object_key=arrived.object_key,
        labels=sorted(arrived.labels),
        is_read=_is_read(message["direction"], arrived.labels),
        trashed=_is_trashed(arrived.labels),
        send_id=own.id if own else None,
    )
    await tx.execute(_SQL["settle_thread"], id=message["thread_id"], participants=None, contact_id=None, opens=False)
    rows = await tx.fetch(_SQL["contacts_of_message"], message_id=message["id"])
    first = _by_role({row["contact_id"]: row["role"] for row in rows}, message["direction"])
    return Stored(
        message["id"],
        message["thread_id"],
        False,
        message["direction"],
        message["kind"],
        tuple(first),
        parsed,
        answered,
        box["id"],
        message["received_at"],
        arrived.is_fresh,
        own.user_id if own else box["user_id"] if message["direction"] == "outbound" else None,
        send_id,
        own.source if own else None,
    )


def _own_ids(parsed: ParsedMessage) -> list[str]:
    """Under which Message-IDs we may know it: a provider may have given it another and kept ours in a header."""
    named = (parsed.message_id, parsed.headers.get("x-ringside-id", ""), parsed.headers.get("x-google-original-message-id", ""))
    return list(dict.fromkeys(one.strip().lower() for one in named if one.strip()))


def _is_outbound(address_lc: str, parsed: ParsedMessage, arrived: Arrived) -> bool:
    return "sent" in arrived.labels or parsed.from_.address.lower() == address_lc


def _is_read(direction: Direction, labels: Iterable[str]) -> bool:
    return direction == "outbound" or "unread" not in labels


def _is_trashed(labels: Iterable[str]) -> bool:
    return not {"trash", "spam"}.isdisjoint(labels)


def _first_state(direction: Direction, arrived: Arrived) -> str:
    # What somebody has put away at the provider is no work any more.
    return "open" if direction == "outbound" or "inbox" in arrived.labels else "done"


async def _adopt(tx: Tx, send_id: UUID, arrived: Arrived) -> _Own | None:
    """The provider has a mail of ours: it is sent, whoever did it."""
    send = await tx.fetchrow(_SENDS["lock_send"], id=send_id)
    if send is None:
        return None
    await tx.execute(_SENDS["adopt_provider_id"], id=send_id, provider_id=arrived.ref.id or None, sent_at=arrived.received_at)
    await move_send(tx, send, "sent")
    return _Own(send["id"], send["contact_id"], send["user_id"], send["source"])


async def _is_private(tx: Tx, mailbox_id: UUID, parsed: ParsedMessage, labels: Iterable[str]) -> bool:
    addresses = [one.address for one in (parsed.from_, *parsed.reply_to, *parsed.to, *parsed.cc, *parsed.bcc)]
    rules = await privacy_of(tx, mailbox_id)
    return rules.covers(addresses=addresses, subject=parsed.subject, labels=labels)


async def _contacts(
    tx: Tx, parsed: ParsedMessage, direction: Direction, own_lc: str, parents: list[Parent], own: _Own | None
) -> dict[UUID, str]:
    """The contacts of a message and their parts in it, the likeliest first: by address, and by what it answers."""
    if parsed.bounce is not None:
        writers = [parsed.bounce.recipient, *parsed.bounce.others]
    elif parsed.complaint is not None:
        writers = [parsed.complaint.recipient]
    else:
        writers = [parsed.from_.address, *(one.address for one in parsed.reply_to)]
    others = [one.address for one in (*parsed.to, *parsed.cc, *parsed.bcc)]
    ours, theirs = ([], others) if direction == "outbound" else (writers, others)
    wanted = [one.lower() for one in (*ours, *theirs) if one and one.lower() != own_lc]
    rows = await tx.fetch(_SQL["contacts_of_addresses"], addresses=wanted[:200])
    by_address: dict[str, list[UUID]] = {}
    for row in rows:
        by_address.setdefault(row["address_lc"], []).append(row["contact_id"])
    found: dict[UUID, str] = {}
    if own is not None and own.contact_id is not None:
        found[own.contact_id] = "recipient"
    for role, addresses in (("author", ours), ("recipient", theirs)):
        for address in addresses:
            for contact_id in by_address.get(address.lower(), ()):
                found.setdefault(contact_id, role)
    if direction == "inbound" and "author" not in found.values():
        # Somebody answers from an address that nobody has: it is whom we wrote to.
        meant = next((parent.contact_id for parent in parents if parent.contact_id is not None), None)
        if meant is not None:
            found = {meant: "author"} | {one: role for one, role in found.items() if one != meant}
    return found


def _by_role(contacts: dict[UUID, str], direction: Direction) -> list[UUID]:
    wanted = "author" if direction == "inbound" else "recipient"
    return [one for one, role in contacts.items() if role == wanted]


def _columns(parsed: ParsedMessage, arrived: Arrived, direction: Direction) -> dict[str, object]:
    latest = arrived.received_at + _CLOCK_SLACK
    # Sent mail has no other time than the sender's; a date that can't be is the provider's.
    is_possible = parsed.date is not None and parsed.date <= latest and parsed.date.year >= 1990
    sent_at = parsed.date if is_possible and parsed.date is not None else arrived.received_at
    folded = parsed.quoted
    new_text = (folded.new_text or parsed.text)[:_MAX_BODY]
    snippet = " ".join(new_text[: _SNIPPET * 4].split())[:_SNIPPET]
    words = " ".join((parsed.subject, parsed.from_.name, parsed.from_.address, *_named((*parsed.to, *parsed.cc)), new_text))
    return {
        "provider_id": arrived.ref.id,
        "provider_thread_id": arrived.ref.thread_id,
        "message_id": parsed.message_id,
        "in_reply_to": parsed.in_reply_to,
        "refs": list(parsed.references),
        "direction": direction,
        "from_name": parsed.from_.name,
        "from_address": parsed.from_.address,
        "recipients": _recipients(parsed),
        "subject": parsed.subject,
        "sent_at": sent_at.astimezone(UTC),
        "received_at": arrived.received_at,
        "body_text": parsed.text[:_MAX_BODY],
        "new_text": new_text,
        "new_html": (folded.new_html or parsed.html) if len(folded.new_html or parsed.html) <= _MAX_HTML else "",
        "quoted_html": folded.quoted_html if len(folded.quoted_html) <= _MAX_HTML else "",
        "snippet": snippet,
        "kind": parsed.kind,
        "labels": sorted(arrived.labels),
        "is_read": _is_read(direction, arrived.labels),
        "trashed": _is_trashed(arrived.labels),
        "object_key": arrived.object_key,
        "size": arrived.size,
        "has_remote_images": parsed.has_remote_images,
        "words": words[:_MAX_WORDS],
        "files": orjson.dumps(
            [
                {
                    "index": one.index,
                    "filename": one.filename,
                    "content_type": one.content_type,
                    "size": one.size,
                    "content_id": one.content_id,
                }
                for one in parsed.attachments
            ]
        ).decode(),
    }


def _named(addresses: Iterable[Address]) -> list[str]:
    return [f"{one.name} {one.address}" for one in addresses][:100]


def _recipients(parsed: ParsedMessage) -> str:
    lists = {"to": parsed.to, "cc": parsed.cc, "bcc": parsed.bcc, "reply_to": parsed.reply_to}
    return orjson.dumps(
        {name: [{"name": one.name, "address": one.address} for one in people[:200]] for name, people in lists.items()}
    ).decode()


async def _show(
    tx: Tx,
    thread_id: UUID,
    message_id: UUID,
    contacts: dict[UUID, str],
    direction: Direction,
    arrived: Arrived,
    actor_id: UUID | None,
) -> None:
    """Put it on the contacts' timelines, and tell those who may see it, unless it is from long ago."""
    audiences = await audiences_of_thread(tx, thread_id) if arrived.is_fresh else []
    for contact_id in contacts:
        await add_activity(
            tx,
            contact_id,
            "email",
            mail_message_id=message_id,
            at=_happened(arrived.received_at),
            actor_id=actor_id,
            audiences=audiences,
        )
    if arrived.is_fresh:
        await tell(tx, thread_id, MailReceived if direction == "inbound" else MailSent)


def _happened(at: datetime) -> datetime:
    return min(at, datetime.now(UTC) + _CLOCK_SLACK)
