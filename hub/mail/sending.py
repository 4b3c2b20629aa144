"""Mail that goes out: queued in the transaction that wants it, taken back in the one that no longer does."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import orjson

from hub.contacts.addresses import AddressError, parse_email
from hub.db import Tx
from hub.errors import Invalid, NotFound
from hub.mail.moving import move_send, tell_send
from hub.mail.values import MailFile, MailOut
from hub.sqlfiles import load_sql
from integrations.mime import Address

__all__ = ["MailFile", "MailOut", "cancel_mail", "new_message_id", "queue_mail"]

_SQL = load_sql("mail_sends")

# The job tries for hours; then the sweep has it begin again, for as long as the mail waits.
ATTEMPTS = 60


async def queue_mail(tx: Tx, mail: MailOut) -> UUID:
    """Have a mail sent, exactly once. Returns the id of the send; for a `step_run_id` that has one already, that one.

    Whether it may be sent is decided when it is sent (permit, suppressions, state of the mailbox); a refusal makes it `failed`
    with the words. Raises NotFound for the mailbox, Invalid for a missing or impossible recipient.
    """
    if not mail.to:
        raise Invalid.field("to", "Say who the mail is for.")
    for name, people in (("to", mail.to), ("cc", mail.cc), ("bcc", mail.bcc)):
        for one in people:
            check_address(name, one.address)
    from_address: str | None = await tx.fetchval(_SQL["mailbox_is_there"], mailbox_id=mail.mailbox_id)
    if from_address is None:
        raise NotFound("There is no such mailbox.", code="mailbox_not_found")
    contact_id = mail.contact_id or await contact_of(tx, mail.to[0].address)
    send_id = mail.send_id or uuid4()
    row = await tx.fetchrow(
        _SQL["insert_send"],
        id=send_id,
        mailbox_id=mail.mailbox_id,
        person_id=mail.user_id,
        contact_id=contact_id,
        thread_id=None,
        reply_to_message_id=mail.reply_to_message_id,
        follows_send_id=mail.follows_send_id,
        state="scheduled" if mail.send_at else "queued",
        source=mail.source,
        to=addresses_json(mail.to),
        cc=addresses_json(mail.cc),
        bcc=addresses_json(mail.bcc),
        subject=mail.subject[:998],
        html=mail.html,
        body_text=mail.text,
        headers=orjson.dumps(dict(mail.headers)).decode(),
        invitation=mail.invitation.decode() if mail.invitation else None,
        attachments=files_json(mail.attachments),
        send_at=mail.send_at,
        undo_s=mail.undo_s,
        message_id=new_message_id(send_id, from_address),
        step_run_id=mail.step_run_id,
    )
    if row is None:
        there: UUID = await tx.fetchval(_SQL["send_of_step"], step_run_id=mail.step_run_id)
        return there
    if mail.send_at is None:
        await tx.defer("mail.send", {"send_id": send_id}, run_at=row["undo_until"], max_attempts=ATTEMPTS)
    await tell_send(tx, send_id)
    return send_id


async def cancel_mail(tx: Tx, send_id: UUID, reason: str) -> bool:
    """Take a mail back, and keep why. False when it is on its way or over: then it can't be taken back any more.

    One that is on its way, and turns out not to have arrived at the provider, is not sent again.
    """
    send = await tx.fetchrow(_SQL["lock_send"], id=send_id)
    if send is not None and send["state"] == "sending":
        await tx.execute(_SQL["want_no_more"], id=send_id, reason=reason[:2000])
    if send is None or send["asked_at"] is not None or send["state"] not in ("draft", "scheduled", "queued"):
        return False
    return await move_send(tx, send, "canceled", error=reason)


async def contact_of(tx: Tx, address: str) -> UUID | None:
    """The contact who has this address; None when nobody has."""
    found: UUID | None = await tx.fetchval(_SQL["contact_of_address"], address_lc=address.lower())
    return found


def check_address(field: str, address: str) -> str:
    """The address as it is sent to. Raises Invalid in words."""
    try:
        return parse_email(address)
    except AddressError as exc:
        raise Invalid.field(field, str(exc)) from None


def new_message_id(send_id: UUID, from_address: str) -> str:
    """Our Message-ID for a mail: by it the provider is asked whether it has it."""
    domain = from_address.rpartition("@")[2].lower()
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode()
        except UnicodeError:
            domain = ""
    return f"<{send_id.hex}.{secrets.token_hex(6)}@{domain or 'mail.invalid'}>"


def addresses_json(people: Sequence[Address]) -> str:
    """Addresses as they are kept."""
    return orjson.dumps([{"name": one.name[:200], "address": one.address} for one in people]).decode()


def files_json(files: Sequence[MailFile]) -> str:
    """Files to send along as they are kept; each gets an id of its own."""
    return orjson.dumps([file_entry(uuid4(), file) for file in files]).decode()


def file_entry(file_id: UUID, file: MailFile) -> dict[str, Any]:
    """One file as it is kept."""
    return {
        "id": str(file_id),
        "key": file.key,
        "filename": file.filename[:200],
        "content_type": file.content_type,
        "size": file.size,
    }
