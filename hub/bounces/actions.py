"""What follows from mail that came back: the address is not written to again, and a mailbox with too many of them stops."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

import orjson

from hub.bounces.events import MailBounced, MailComplained
from hub.db import Tx
from hub.errors import Invalid
from hub.mailboxes.actions import stop_sending
from hub.mailboxes.audience import mail_audiences
from hub.mailboxes.queries import get_row
from hub.permits.actions import suppress
from hub.permits.models import Source
from hub.sqlfiles import load_sql
from hub.unsubscribes.actions import contacts_of
from integrations.mime import Bounce, Complaint

_SQL = load_sql("bounces")

# So often mail may come back for the time being within thirty days before the address rests for thirty.
SOFT_LIMIT = 3
REST = timedelta(days=30)
# A mailbox is measured by its last mails, and not before it has sent a few: one of five says nothing.
MEASURED, AT_LEAST = 200, 20


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was made of a report: whose address it is, whether it came for the first time, and what follows from it."""

    contact_ids: list[UUID]
    is_new: bool
    permanent: bool
    suppressed: bool
    mailbox_stopped: bool


async def record_bounce(
    tx: Tx, mailbox_id: UUID, bounce: Bounce, send_id: UUID | None, *, at: datetime | None = None
) -> Recorded:
    """Take in that a mail came back. `at` is when by the schedules' clock (None: now). A report may be taken in twice.

    For good: the address (and the others that the report names) goes on the suppression list. For the time being: after the
    third within thirty days it rests for thirty. Sequences are stopped by the caller.
    """
    recorded = await _record(tx, "bounce", mailbox_id, bounce.recipient, bounce, send_id, at)
    for other in bounce.others:
        await _record(tx, "bounce", mailbox_id, other, bounce, None, at)
    return recorded


async def record_complaint(
    tx: Tx, mailbox_id: UUID, complaint: Complaint, send_id: UUID | None, *, at: datetime | None = None
) -> Recorded:
    """Take in that somebody called a mail spam, which is their own word: they get no more."""
    return await _record(tx, "complaint", mailbox_id, complaint.recipient, complaint, send_id, at)


async def _record(
    tx: Tx,
    kind: Literal["bounce", "complaint"],
    mailbox_id: UUID,
    recipient: str,
    report: Bounce | Complaint,
    send_id: UUID | None,
    at: datetime | None,
) -> Recorded:
    sent = await tx.fetchrow(_SQL["sent_to"], send_id=send_id) if send_id is not None else None
    address = _text(recipient or (sent["address_lc"] if sent is not None else None) or "").strip().lower()[:320]
    contact_id: UUID | None = sent["contact_id"] if sent is not None else None
    contacts = await contacts_of(tx, address, contact_id)
    private = sent is not None and bool(sent["private"])
    permanent = report.permanent if isinstance(report, Bounce) else True
    if not address:
        return Recorded(contacts, False, permanent, False, False)
    row = await tx.fetchrow(
        _SQL["add_bounce"],
        kind=kind,
        mailbox_id=mailbox_id,
        send_id=send_id,
        contact_id=contact_id or (contacts[0] if contacts else None),
        address_lc=address,
        permanent=permanent,
        status=_text(report.status)[:20] if isinstance(report, Bounce) else "",
        diagnostic=_text(report.diagnostic if isinstance(report, Bounce) else report.feedback_type)[:1000],
        private=private,
        at=at,
    )
    if row is None:
        return Recorded(contacts, False, permanent, False, False)
    event = MailBounced if kind == "bounce" else MailComplained
    for audience in await _audiences(tx, mailbox_id, private):
        tx.emit(event(row["id"], {"bounce": orjson.Fragment(row["json"])}, audience))
    suppressed = await _suppress(tx, kind, address, contact_id, report, permanent, at)
    stopped = permanent and await _stop_mailbox(tx, mailbox_id, row["id"])
    return Recorded(contacts, True, permanent, suppressed, stopped)


async def _suppress(
    tx: Tx,
    kind: Literal["bounce", "complaint"],
    address: str,
    contact_id: UUID | None,
    report: Bounce | Complaint,
    permanent: bool,
    at: datetime | None,
) -> bool:
    source: Source = "complaint" if kind == "complaint" else "bounce"
    until: datetime | None = None
    if kind == "complaint":
        reason = "They called a mail of ours spam"
    elif permanent:
        assert isinstance(report, Bounce)
        said = _text(" ".join(part for part in (report.status, report.diagnostic) if part))
        reason = f"Mail to this address came back: {said}" if said else "Mail to this address came back"
    else:
        if await tx.fetchval(_SQL["soft_bounces"], address_lc=address, at=at) < SOFT_LIMIT:
            return False
        until = (at or datetime.now(UTC)) + REST
        reason = f"Mail to this address came back {SOFT_LIMIT} times within thirty days"
    try:
        await suppress(tx, "email", address, reason, source, channel="email", expires_at=until)
    except Invalid:
        # What a server calls an address may be none by our rules. Then the contact is what we know.
        if contact_id is None:
            return False
        await suppress(tx, "contact", str(contact_id), reason, source, channel="email", expires_at=until)
    return True


async def _audiences(tx: Tx, mailbox_id: UUID, private: bool) -> list[str]:
    """Whom somebody writes to is told to those alone who see the mailbox's mail."""
    mailbox = await get_row(tx, mailbox_id)
    return await mail_audiences(tx, mailbox, private=private) if mailbox is not None else []


async def _stop_mailbox(tx: Tx, mailbox_id: UUID, bounce_id: UUID) -> bool:
    rate = await tx.fetchrow(_SQL["rate_of_mailbox"], mailbox_id=mailbox_id, of=MEASURED)
    if rate is None or rate["stopped_reason"] is not None or rate["sent"] < AT_LEAST:
        return False
    if rate["bad"] * 1000 <= rate["limit_permille"] * rate["sent"]:
        return False
    reason = (
        f"{rate['bad']} of its last {rate['sent']} mails came back or were complained about,"
        f" more than the limit of {rate['limit_permille'] / 10:g} %. Look at the addresses before you let it go on."
    )
    if not await stop_sending(tx, mailbox_id, reason):
        return False
    await tx.execute(_SQL["note_stop"], id=bounce_id)
    return True


def _text(said: str) -> str:
    # Reports are written by other people's servers, and no text here can hold this.
    return said.replace("\x00", "")
