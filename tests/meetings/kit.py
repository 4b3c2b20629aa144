"""What the tests of meetings and of answers share: mailboxes that are there without a provider, and messages in them."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from uuid import UUID, uuid4

import orjson

from hub.contacts.actions import create_contact
from hub.contacts.models import ContactIn
from hub.db import Database, Tx, tenant_tx
from hub.mail.receiving import Arrived, Stored, store_message
from hub.mailboxes.rows import MailboxRow
from hub.meetings.receiving import receive_invitation
from hub.sqlfiles import Statement, load_sql
from hub.who import Role, Who
from integrations.mail import MessageRef
from integrations.mime import Address, make_invitation, read_message
from tests.conftest import Company

_numbers = itertools.count(1)

_MAILBOX = Statement(
    "mailbox",
    "INSERT INTO mailboxes (tenant_id, user_id, team_id, kind, address, address_lc, display_name, state, visibility, min_gap_s)"
    " VALUES (:tenant_id, :owner_id, :team_id, 'gmail', :address, :address, :name, 'active', :visibility, 0) RETURNING id",
)
_MEETINGS = Statement(
    "meetings",
    "SELECT m.id, m.state, m.sequence, m.direction, m.summary, m.start_at, m.answer, m.private, m.attendees::text AS attendees,"
    " m.mail_send_id FROM meetings m WHERE m.tenant_id = :tenant_id AND m.contact_id = :contact_id ORDER BY m.id",
)
_EVENTS = Statement(
    "events",
    "SELECT type, audience, frame::json -> 'data' AS data FROM events"
    " WHERE tenant_id = :tenant_id AND type ^@ :kind ORDER BY seq",
)

START = datetime(2031, 3, 4, 15, 0, tzinfo=UTC)
END = datetime(2031, 3, 4, 15, 30, tzinfo=UTC)


async def a_mailbox(
    db: Database, company: Company, role: Role = "rep", *, visibility: str = "everyone", team_id: UUID | None = None
) -> UUID:
    """A mailbox of a member, as if it had been connected."""
    async with tenant_tx(db, company.who(role)) as tx:
        mailbox_id: UUID = await tx.fetchval(
            _MAILBOX,
            owner_id=company.members[role],
            team_id=team_id,
            address=f"{role}{next(_numbers)}@{company.name.lower()}.test",
            name=f"{role.title()} of {company.name}",
            visibility=visibility,
        )
    return mailbox_id


async def a_contact_with_mail(db: Database, company: Company, address: str | None = None) -> UUID:
    """A contact with one mail address."""
    given = {"first_name": "Ada", "last_name": "Lovelace", "emails": [{"address": address or f"ada{next(_numbers)}@example.com"}]}
    async with tenant_tx(db, company.who("owner")) as tx:
        contact_id, _, _ = await create_contact(tx, ContactIn.model_validate(given))
    return contact_id


async def address_of(db: Database, company: Company, contact_id: UUID) -> str:
    """The contact's address."""
    statement = Statement(
        "address", "SELECT address FROM contact_emails WHERE tenant_id = :tenant_id AND contact_id = :contact_id"
    )
    async with tenant_tx(db, company.who("owner")) as tx:
        address: str = await tx.fetchval(statement, contact_id=contact_id)
    return address


async def address_of_mailbox(db: Database, company: Company, mailbox_id: UUID) -> str:
    """The mailbox's address."""
    statement = Statement("address", "SELECT address FROM mailboxes WHERE tenant_id = :tenant_id AND id = :id")
    async with tenant_tx(db, company.who("owner")) as tx:
        address: str = await tx.fetchval(statement, id=mailbox_id)
    return address


def message(
    from_: str,
    to: str,
    text: str = "Sounds good.",
    *,
    subject: str = "Hello",
    in_reply_to: str = "",
    headers: Sequence[str] = (),
    calendar: bytes | None = None,
    written: datetime | None = None,
) -> bytes:
    """A message as it comes over the wire, `written` now unless it was at another time."""
    lines = [
        f"From: {from_}",
        f"To: {to}",
        f"Subject: {subject}",
        f"Date: {format_datetime(written or datetime.now(UTC))}",
        f"Message-ID: <{uuid4()}@mail.example.com>",
        *([f"In-Reply-To: {in_reply_to}", f"References: {in_reply_to}"] if in_reply_to else []),
        *headers,
        "MIME-Version: 1.0",
    ]
    if calendar is None:
        return "\r\n".join([*lines, "Content-Type: text/plain; charset=utf-8", "", text]).encode()
    method = next(line.split(b":")[1].strip() for line in calendar.splitlines() if line.upper().startswith(b"METHOD:")).decode()
    lines += ['Content-Type: multipart/alternative; boundary="b"', "", "--b", "Content-Type: text/plain; charset=utf-8", "", text]
    lines += ["--b", f'Content-Type: text/calendar; charset=utf-8; method="{method}"', "", calendar.decode(), "--b--", ""]
    return "\r\n".join(lines).encode()


def invitation(organizer: str, attendee: str, uid: str, **more: Any) -> bytes:
    """An invitation as an iCalendar object."""
    given: dict[str, Any] = {"method": "REQUEST", "sequence": 0, "summary": "Demo", "start": START, "end": END} | more
    return make_invitation(
        uid=uid, organizer=Address("Host", organizer), attendees=(Address("Guest", attendee),), now=datetime.now(UTC), **given
    )


Then = Callable[[Tx, Stored], Awaitable[object]]


async def arrive(
    db: Database,
    company: Company,
    mailbox_id: UUID,
    raw: bytes,
    *,
    labels: Sequence[str] = ("inbox", "unread"),
    is_fresh: bool = True,
    then: Then = receive_invitation,
) -> Stored:
    """Store a message and take in what it says, as the sync does: in one transaction."""
    async with tenant_tx(db, Who.system(company.tenant_id)) as tx:
        arrived = Arrived(MessageRef(f"p{next(_numbers)}"), frozenset(labels), datetime.now(UTC), None, len(raw), is_fresh)
        stored = await store_message(tx, await _row(tx, mailbox_id), read_message(raw), arrived)
        await then(tx, stored)
    return stored


async def an_invitation_of_theirs(db: Database, company: Company, mailbox_id: UUID, contact_id: UUID) -> UUID:
    """A meeting that a contact invited to."""
    theirs, ours = await address_of(db, company, contact_id), await address_of_mailbox(db, company, mailbox_id)
    await arrive(db, company, mailbox_id, message(theirs, ours, calendar=invitation(theirs, ours, f"{uuid4()}@example.com")))
    meeting_id: UUID = (await meetings_with(db, company, contact_id))[-1]["id"]
    return meeting_id


async def meetings_with(db: Database, company: Company, contact_id: UUID) -> list[dict[str, Any]]:
    """What is kept of the meetings with a contact, the oldest first."""
    async with tenant_tx(db, company.who("owner")) as tx:
        rows = await tx.fetch(_MEETINGS, contact_id=contact_id)
    return [dict(row) | {"attendees": orjson.loads(row["attendees"])} for row in rows]


async def events_of(db: Database, company: Company, kind: str) -> list[tuple[str, str, Any]]:
    """Type, audience and data of the events whose type begins so."""
    async with tenant_tx(db, company.who("owner")) as tx:
        rows = await tx.fetch(_EVENTS, kind=kind)
    return [(row["type"], row["audience"], orjson.loads(row["data"])) for row in rows]


async def _row(tx: Tx, mailbox_id: UUID) -> MailboxRow:
    row = await tx.fetchrow(load_sql("mailboxes")["get_row"], id=mailbox_id)
    assert row is not None
    return MailboxRow.of(row)
