"""What people write: drafts, their files, sending with time to undo, and deciding about what could not be sent or is in doubt."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson

from hub.contacts.queries import contact_exists
from hub.db import Tx
from hub.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed
from hub.mail import queries
from hub.mail.actions import check_later
from hub.mail.models import MailAddressIn, MailDraftIn, MailDraftPatch
from hub.mail.moving import move_send, tell_send
from hub.mail.sending import ATTEMPTS, addresses_json, check_address, contact_of, file_entry, new_message_id
from hub.mail.threading import answer_subject
from hub.mail.values import MailFile
from hub.permits import actions as permits
from hub.permits.actions import Permit
from hub.sqlfiles import load_sql
from integrations.mime import Address

_SQL = load_sql("mail_sends")

UNDO_S = 10.0
_PAUSE_S = 5.0
MAX_FILES = 20
# Gmail takes 25 MB with everything, and files grow by a third on the way.
MAX_FILES_BYTES = 18_000_000


async def begin_draft(tx: Tx, given: MailDraftIn) -> tuple[str, int]:
    """Begin a mail; its JSON and version. Raises NotFound for the mailbox or the message to answer, Invalid for addresses."""
    writer = tx.who.user_id
    if writer is None:
        raise Forbidden("Only a person can write a mail.")
    box = await _mailbox(tx, given.mailbox_id)
    to, cc, subject, thread_id = _people("to", given.to), _people("cc", given.cc), given.subject, None
    if given.reply_to_message_id is not None:
        await queries.get_message(tx, given.reply_to_message_id)
        above = await tx.fetchrow(_SQL["message_to_answer"], id=given.reply_to_message_id)
        assert above is not None
        thread_id = above["thread_id"]
        subject = subject or answer_subject(above["subject"])
        if not to:
            to, more = _answered(above, box["address"], given.reply_all)
            cc = cc or more
    contact_id = given.contact_id
    if contact_id is not None and not await contact_exists(tx, contact_id):
        raise Invalid.field("contact_id", "There is no such contact.")
    html = given.html
    if given.signature and box["signature_html"]:
        html = f'{html or "<p></p>"}<div class="signature">{box["signature_html"]}</div>'
    draft_id = uuid4()
    await tx.fetchrow(
        _SQL["insert_send"],
        id=draft_id,
        mailbox_id=box["id"],
        person_id=writer,
        contact_id=contact_id or (await contact_of(tx, to[0].address) if to else None),
        thread_id=thread_id,
        reply_to_message_id=given.reply_to_message_id,
        follows_send_id=None,
        state="draft",
        source="composer",
        to=addresses_json(to),
        cc=addresses_json(cc),
        bcc=addresses_json(_people("bcc", given.bcc)),
        subject=subject,
        html=html,
        body_text="",
        headers="{}",
        invitation=None,
        attachments="[]",
        send_at=None,
        undo_s=0.0,
        message_id=new_message_id(draft_id, box["address"]),
        step_run_id=None,
    )
    return await _told(tx, draft_id)


async def change_draft(tx: Tx, draft_id: UUID, given: MailDraftPatch, version: int | None) -> tuple[str, int]:
    """Change one's own draft; its JSON and version. Raises NotFound, Invalid, PreconditionFailed when it has another version."""
    draft = await _draft(tx, draft_id)
    if version is not None and version != draft["version"]:
        raise PreconditionFailed("This draft was changed meanwhile, in another window perhaps. Load it again.")
    if given.mailbox_id is not None:
        await _mailbox(tx, given.mailbox_id)
    if given.contact_id is not None and not await contact_exists(tx, given.contact_id):
        raise Invalid.field("contact_id", "There is no such contact.")
    files: str | None = None
    if given.attachments is not None:
        kept = {str(one) for one in given.attachments}
        files = orjson.dumps([one for one in orjson.loads(draft["attachments"]) if one["id"] in kept]).decode()
    await tx.execute(
        _SQL["update_draft"],
        id=draft_id,
        mailbox_id=given.mailbox_id,
        to=_json("to", given.to),
        cc=_json("cc", given.cc),
        bcc=_json("bcc", given.bcc),
        subject=given.subject,
        html=given.html,
        contact_id=given.contact_id,
        attachments=files,
    )
    return await _told(tx, draft_id)


async def delete_draft(tx: Tx, draft_id: UUID) -> list[str]:
    """Throw one's own draft away; the keys of its files, to delete from the store. Raises NotFound."""
    draft = await _draft(tx, draft_id)
    await move_send(tx, draft, "canceled")
    if draft["provider_draft_id"] is not None:
        await tx.defer("mail.forget_draft", {"mailbox_id": draft["mailbox_id"], "draft_id": draft["provider_draft_id"]})
    await tx.execute(_SQL["delete_draft"], id=draft_id)
    return [one["key"] for one in orjson.loads(draft["attachments"])]


async def attach(tx: Tx, draft_id: UUID, file: MailFile) -> tuple[str, int]:
    """Add a file that is in the store to one's own draft; its JSON and version. Raises NotFound, Invalid for too many."""
    draft = await _draft(tx, draft_id)
    files: list[dict[str, Any]] = orjson.loads(draft["attachments"])
    if len(files) >= MAX_FILES:
        raise Invalid.field("file", f"A mail takes {MAX_FILES} files at the most.")
    if sum(one["size"] for one in files) + file.size > MAX_FILES_BYTES:
        raise Invalid.field("file", f"The files of a mail may have {MAX_FILES_BYTES // 1_000_000} MB together.")
    await tx.execute(
        _SQL["update_draft"],
        id=draft_id,
        mailbox_id=None,
        to=None,
        cc=None,
        bcc=None,
        subject=None,
        html=None,
        contact_id=None,
        attachments=orjson.dumps([*files, file_entry(uuid4(), file)]).decode(),
    )
    return await _told(tx, draft_id)


async def send_draft(tx: Tx, draft_id: UUID, send_at: datetime | None, now: datetime) -> tuple[str | None, Permit | None]:
    """Send one's own draft, at a time after `now` (of the schedules' clock) or in UNDO_S seconds; its JSON.

    Where its contact may not be written to the JSON is None and the permit says why: let the transaction commit, and answer
    with that. It is decided again when it goes. Raises NotFound, Invalid without a recipient, Conflict when nothing can be sent
    from the mailbox.
    """
    draft = await _draft(tx, draft_id)
    to = orjson.loads(draft["to"])
    if not to:
        raise Invalid.field("to", "Say who the mail is for.")
    if send_at is not None:
        send_at = check_later("send_at", send_at, now)
    await _mailbox(tx, draft["mailbox_id"])
    contact_id = draft["contact_id"] or await contact_of(tx, to[0]["address"])
    if contact_id is not None and send_at is None:
        permit = await permits.decide(tx, contact_id, "email", to[0]["address"].lower(), user_id=tx.who.user_id, at=now)
        if not permit.allowed:
            return None, permit
    undo_until: datetime = await tx.fetchval(
        _SQL["launch_send"], id=draft_id, send_at=send_at, undo_s=0.0 if send_at else UNDO_S, contact_id=contact_id, now=now
    )
    await move_send(tx, draft, "scheduled" if send_at else "queued")
    if send_at is None:
        await tx.defer("mail.send", {"send_id": draft_id}, run_at=undo_until, max_attempts=ATTEMPTS)
    await _tell_sequence(tx, draft)
    return await queries.read_send(tx, draft_id), None


async def undo(tx: Tx, send_id: UUID) -> tuple[str, int]:
    """Take one's own mail back into the drafts while it waits; the draft's JSON and version.

    Raises NotFound, Conflict ("mail_is_sent") once it is on its way.
    """
    send = await _own(tx, send_id)
    if send["state"] not in ("scheduled", "queued") or send["asked_at"] is not None:
        raise Conflict("This mail is on its way already.", code="mail_is_sent")
    # In this order: what is scheduled has a time.
    await move_send(tx, send, "draft", quiet=True)
    await tx.execute(_SQL["back_to_draft"], id=send_id)
    await tell_send(tx, send_id)
    draft = await queries.get_draft(tx, send_id)
    return draft["json"], draft["version"]


async def retry(tx: Tx, send_id: UUID) -> str:
    """Send one's own mail again that failed, or that is in doubt and did not arrive; its JSON. Raises NotFound, Conflict."""
    send = await _own(tx, send_id)
    if send["state"] not in ("failed", "unsure"):
        raise Conflict("Only a mail that failed or is in doubt can be sent again.", code="mail_is_not_in_doubt")
    await tx.execute(_SQL["unask_send"], id=send_id)
    await move_send(tx, send, "queued")
    await tx.execute(_SQL["look_later"], id=send_id, wait_s=60.0)
    await tx.defer("mail.send", {"send_id": send_id}, max_attempts=ATTEMPTS)
    await _tell_sequence(tx, send)
    return await queries.read_send(tx, send_id)


async def discard(tx: Tx, send_id: UUID) -> str:
    """Let one's own mail be that failed, is in doubt or waits; its JSON. Raises NotFound, Conflict when it is on its way."""
    send = await _own(tx, send_id)
    if send["state"] == "canceled":
        return await queries.read_send(tx, send_id)
    if send["state"] in ("sending", "sent") or (send["state"] == "queued" and send["asked_at"] is not None):
        raise Conflict("This mail is on its way already.", code="mail_is_sent")
    await move_send(tx, send, "canceled", error=f"Discarded by {tx.who.name or 'its writer'}.")
    return await queries.read_send(tx, send_id)


async def _tell_sequence(tx: Tx, send: asyncpg.Record) -> None:
    """A sequence's mail goes out after all: its step is not given up any more. (Sequences know mail, mail knows no sequences.)"""
    if send["step_run_id"] is not None:
        await tx.defer("sequences.take_up", {"run_id": send["step_run_id"]})


async def _draft(tx: Tx, draft_id: UUID) -> asyncpg.Record:
    row = await tx.fetchrow(_SQL["lock_draft"], id=draft_id)
    if row is None:
        raise queries.no_send()
    return row


async def _own(tx: Tx, send_id: UUID) -> asyncpg.Record:
    send = await tx.fetchrow(_SQL["lock_send"], id=send_id)
    if send is None or send["user_id"] is None or send["user_id"] != tx.who.user_id or send["state"] == "draft":
        raise queries.no_send()
    return send


async def _mailbox(tx: Tx, mailbox_id: UUID) -> asyncpg.Record:
    box = await tx.fetchrow(_SQL["mailbox_to_write_from"], mailbox_id=mailbox_id)
    if box is None:
        raise NotFound("There is no such mailbox.", code="mailbox_not_found")
    return box


async def _told(tx: Tx, draft_id: UUID) -> tuple[str, int]:
    draft = await queries.get_draft(tx, draft_id)
    await tell_send(tx, draft_id)
    # The provider's drafts follow once the writer pauses.
    soon = datetime.now(UTC) + timedelta(seconds=_PAUSE_S)
    await tx.defer("mail.keep_draft", {"draft_id": draft_id, "version": draft["version"]}, run_at=soon, max_attempts=3)
    return draft["json"], draft["version"]


def _people(field: str, given: Iterable[MailAddressIn]) -> list[Address]:
    return [Address(one.name, check_address(f"{field}.{place}.address", one.address)) for place, one in enumerate(given)]


def _json(field: str, given: list[MailAddressIn] | None) -> str | None:
    return addresses_json(_people(field, given)) if given is not None else None


def _answered(above: asyncpg.Record, own: str, everybody: bool) -> tuple[list[Address], list[Address]]:
    """Whom an answer goes to: who wrote, or those it went to when that was us; and everybody else in it."""
    lists = {
        name: [Address(one["name"], one["address"]) for one in people]
        for name, people in orjson.loads(above["recipients"]).items()
    }
    if above["direction"] == "outbound":
        first, others = lists.get("to", []), lists.get("cc", [])
    else:
        first = lists.get("reply_to") or [Address(above["from_name"], above["from_address"])]
        others = [*lists.get("to", []), *lists.get("cc", [])]
    seen = {own.lower(), ""}
    to = _once(first, seen)
    return to, _once(others, seen) if everybody else []


def _once(people: Iterable[Address], seen: set[str]) -> list[Address]:
    found = []
    for one in people:
        if one.address.lower() not in seen:
            seen.add(one.address.lower())
            found.append(one)
    return found
