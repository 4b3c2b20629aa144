"""The transactions around the provider: what is to be sent, the intent before it is, the record of it, the settling of doubt.

None of these functions calls the provider; workers.mail does, between them. A mail with an intent (`asked_at`) may be at the
provider: it is looked for there, by our Message-ID, before anything is sent again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg
import orjson

from hub.db import Database, Tx, tenant_tx
from hub.mail.moving import move_send
from hub.mail.receiving import store_message
from hub.mail.sending import ATTEMPTS
from hub.mail.threading import answer_subject
from hub.mail.values import Arrived, MailFile, Stored
from hub.mailboxes.queries import get_row
from hub.mailboxes.rows import MailboxRow
from hub.permits import actions as permits
from hub.sqlfiles import load_sql
from hub.who import Who
from integrations.mail import SentMail
from integrations.mime import Address, ParsedMessage

_SQL = load_sql("mail_sends")

# How long after the intent the provider is given to show a mail, before it counts as never sent. It is longer than a worker may
# take from the intent to the end of its request: until then somebody might still be about to send it.
DOUBT_S = 60.0
# A worker that has not begun its request so long after the intent leaves it.
BEGIN_WITHIN_S = 5.0
# While a worker is at it, and while it waits for its mailbox.
_AT_IT_S = 180.0
_HELD_S = 300.0
_KEPT_REFERENCES = 30


@dataclass(frozen=True, slots=True)
class Plan:
    """What a worker has to do for a mail: send it, look for it at the provider, or nothing any more."""

    kind: Literal["send", "look", "nothing"]
    send_id: UUID
    mailbox: MailboxRow | None = None
    message_id: str = ""
    asked_at: datetime | None = None
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    subject: str = ""
    html: str = ""
    text: str = ""
    headers: Mapping[str, str] | None = None
    invitation: bytes | None = None
    files: tuple[MailFile, ...] = ()
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    provider_thread_id: str = ""
    provider_draft_id: str | None = None
    contact_id: UUID | None = None
    is_bulk: bool = False


async def prepare(tx: Tx, send_id: UUID, now: datetime) -> Plan:
    """What is to be done for a mail at `now` (of the schedules' clock). What can't be sent just now waits and says why."""
    nothing = Plan("nothing", send_id)
    send = await tx.fetchrow(_SQL["lock_send"], id=send_id)
    if send is None or send["state"] not in ("scheduled", "queued", "sending") or send["provider_id"] is not None:
        return nothing
    if send["state"] == "scheduled" and send["send_at"] > now:
        return nothing
    if send["undo_until"] is not None and send["undo_until"] > send["now"]:
        await tx.defer("mail.send", {"send_id": send_id}, run_at=send["undo_until"], max_attempts=ATTEMPTS)
        return nothing
    mailbox = await get_row(tx, send["mailbox_id"])
    assert mailbox is not None
    plan = Plan("look", send_id, mailbox, send["message_id"], send["asked_at"], _people(send["to"]))
    if not mailbox.may_send:
        if mailbox.state == "disconnected" and send["asked_at"] is None:
            await move_send(tx, send, "failed", error=f"{mailbox.address} is not connected any more.")
        else:
            await hold(tx, send_id, _why_not(mailbox))
        return nothing
    if send["asked_at"] is None and send["source"] == "sequence" and mailbox.stopped_reason:
        await hold(tx, send_id, mailbox.stopped_reason)
        return nothing
    await tx.execute(_SQL["look_later"], id=send_id, wait_s=_AT_IT_S)
    if send["asked_at"] is not None:
        return plan
    if send["state"] == "scheduled":
        await move_send(tx, send, "queued")
    return await _whole(tx, plan, send, mailbox)


async def prepare_draft(tx: Tx, draft_id: UUID, version: int) -> Plan | None:
    """A draft as it would be sent; None when it has changed since this version, is no draft any more, or has nobody to go to."""
    send = await tx.fetchrow(_SQL["lock_send"], id=draft_id)
    if send is None or send["state"] != "draft" or send["version"] != version:
        return None
    mailbox = await get_row(tx, send["mailbox_id"])
    plan = Plan("send", draft_id, mailbox, send["message_id"], None, _people(send["to"]))
    if mailbox is None or not mailbox.may_send or not plan.to:
        return None
    return await _whole(tx, plan, send, mailbox)


async def note_draft(tx: Tx, plan: Plan, provider_draft_id: str) -> bool:
    """The provider has the draft. False when it is no draft here any more: then it is to be none there, either."""
    send = await tx.fetchrow(_SQL["lock_send"], id=plan.send_id)
    if send is None or send["state"] != "draft":
        return False
    await tx.execute(_SQL["set_provider_draft"], id=plan.send_id, draft_id=provider_draft_id)
    return True


async def _whole(tx: Tx, plan: Plan, send: asyncpg.Record, mailbox: MailboxRow) -> Plan:
    """The plan with everything that the message is made of."""
    above = await _above(tx, send)
    in_reply_to, thread, subject = "", "", send["subject"]
    references: tuple[str, ...] = ()
    if above is not None and above["message_id"]:
        in_reply_to = above["message_id"]
        before = above["refs"] or ([above["in_reply_to"]] if above["in_reply_to"] else [])
        references = tuple(dict.fromkeys([*before, in_reply_to]))
        if len(references) > _KEPT_REFERENCES:
            references = (references[0], *references[1 - _KEPT_REFERENCES :])
        thread = above["provider_thread_id"] if above["mailbox_id"] == mailbox.id else ""
        subject = subject or answer_subject(above["subject"])
    elif send["follows_send_id"] is not None:
        before_it = await tx.fetchrow(_SQL["state_of_send"], id=send["follows_send_id"])
        if before_it is not None and before_it["state"] == "sent":
            in_reply_to, references = before_it["message_id"], (before_it["message_id"],)
            subject = subject or answer_subject(before_it["subject"])
    return replace(
        plan,
        kind="send",
        cc=_people(send["cc"]),
        bcc=_people(send["bcc"]),
        subject=subject,
        html=send["html"],
        text=send["body_text"],
        # Providers that put a Message-ID of their own there keep this one.
        headers={**orjson.loads(send["headers"]), "X-Ringside-Id": send["message_id"]},
        invitation=send["invitation"].encode() if send["invitation"] else None,
        files=tuple(
            MailFile(one["key"], one["filename"], one["content_type"], one["size"]) for one in orjson.loads(send["attachments"])
        ),
        in_reply_to=in_reply_to,
        references=references,
        provider_thread_id=thread,
        provider_draft_id=send["provider_draft_id"],
        contact_id=send["contact_id"],
        is_bulk=send["source"] == "sequence",
    )


async def _above(tx: Tx, send: asyncpg.Record) -> asyncpg.Record | None:
    if send["reply_to_message_id"] is not None:
        return await tx.fetchrow(_SQL["message_to_answer"], id=send["reply_to_message_id"])
    if send["follows_send_id"] is not None:
        return await tx.fetchrow(_SQL["last_of_send"], id=send["follows_send_id"])
    return None


async def intend(tx: Tx, send_id: UUID, now: datetime) -> bool:
    """Write down the intent to send, by a permit that is decided now. False when it may not or need not be sent any more.

    `now` is of the schedules' clock: from then on it counts into the caps.
    """
    send = await tx.fetchrow(_SQL["lock_send"], id=send_id)
    if send is None or send["state"] != "queued" or send["asked_at"] is not None:
        return False
    mailbox = await get_row(tx, send["mailbox_id"])
    if mailbox is None or not mailbox.may_send:
        # It was paused, or its owner deactivated, since the worker began.
        if mailbox is not None:
            await hold(tx, send_id, _why_not(mailbox))
        return False
    refused, permit_id = await _refused(tx, send, now)
    if refused:
        await move_send(tx, send, "failed", error=refused)
        return False
    await tx.execute(_SQL["ask_send"], id=send_id, permit_id=permit_id, now=now)
    return await move_send(tx, send, "sending", quiet=True)


async def _refused(tx: Tx, send: asyncpg.Record, now: datetime) -> tuple[str, UUID | None]:
    """Why it may not be sent, or "" and the permit for its contact."""
    people = [one.address.lower() for one in (*_people(send["to"]), *_people(send["cc"]), *_people(send["bcc"]))]
    listed = await suppressed_of(tx, people if send["contact_id"] is None else people[1:])
    if listed:
        return f"{listed} is on the suppression list.", None
    if send["contact_id"] is None:
        return "", None
    permit = await permits.decide(tx, send["contact_id"], "email", people[0], user_id=send["user_id"], at=now)
    if not permit.allowed:
        return permit.explanation, None
    await permits.use(tx, permit.id)
    return "", permit.id


async def suppressed_of(tx: Tx, addresses: list[str]) -> str | None:
    """One of these addresses (in lower case) or their domains that gets no mail from this company; None when all may."""
    if not addresses:
        return None
    domains = sorted({address.rpartition("@")[2] for address in addresses})
    found: str | None = await tx.fetchval(_SQL["suppressed_of"], addresses=addresses, domains=domains)
    return found


async def record_sent(tx: Tx, plan: Plan, sent: SentMail, parsed: ParsedMessage, *, object_key: str | None, size: int) -> Stored:
    """The provider has it: the mail is sent, and a message of its thread. May be repeated.

    `parsed` is what was sent. The message is kept under the Message-ID that it went out with, which answers refer to.
    """
    assert plan.mailbox is not None
    known = replace(
        parsed, message_id=sent.message_id or parsed.message_id, headers={**parsed.headers, "x-ringside-id": plan.message_id}
    )
    labels = frozenset({"sent"})
    return await store_message(tx, plan.mailbox, known, Arrived(sent.ref, labels, datetime.now(UTC), object_key, size))


async def note_sent(tx: Tx, send_id: UUID, sent: SentMail) -> None:
    """The provider has sent it, and the message itself is not to be had any more."""
    send = await tx.fetchrow(_SQL["lock_send"], id=send_id)
    if send is not None:
        await tx.execute(_SQL["adopt_provider_id"], id=send_id, provider_id=sent.ref.id or None, sent_at=datetime.now(UTC))
        await move_send(tx, send, "sent")


async def forget_asking(tx: Tx, send_id: UUID, words: str | None = None) -> None:
    """The provider certainly does not have it: it may be sent as if for the first time, if it is still wanted.

    `words` say what it waits for.
    """
    send = await tx.fetchrow(_SQL["lock_send"], id=send_id)
    if send is not None and send["state"] == "sending" and send["provider_id"] is None:
        await tx.execute(_SQL["unask_send"], id=send_id)
        if send["unwanted"] is not None:
            await move_send(tx, send, "canceled", error=send["unwanted"])
        else:
            await move_send(tx, send, "queued", error=words, quiet=words is None)


async def hold(tx: Tx, send_id: UUID, words: str) -> None:
    """It waits for its mailbox; the sweep (`resume_unsettled`) has it go on within seconds once that is back."""
    await tx.execute(_SQL["hold_send"], id=send_id, error=words[:2000], wait_s=_HELD_S)


async def fail(tx: Tx, send_id: UUID, words: str) -> None:
    """It can't be sent, and the provider certainly does not have it."""
    send = await tx.fetchrow(_SQL["lock_send"], id=send_id)
    if send is not None and send["provider_id"] is None:
        await tx.execute(_SQL["unask_send"], id=send_id)
        await move_send(tx, send, "failed", error=words)


async def leave_to_a_person(tx: Tx, send_id: UUID, words: str) -> None:
    """Nobody can tell whether it was sent: it is not sent again by itself."""
    send = await tx.fetchrow(_SQL["lock_send"], id=send_id)
    if send is not None and send["provider_id"] is None:
        await move_send(tx, send, "unsure", error=words)


async def send_due(db: Database, now: datetime, limit: int = 500) -> int:
    """Have the mails of any tenant sent whose time has come at `now` (of the schedules' clock); how many."""
    begun = 0
    for tenant_id, ids in _by_tenant(await db.system_fetch(_SQL["sends_due"], now=now, limit=limit)).items():
        async with tenant_tx(db, Who.system(tenant_id)) as tx:
            for send_id in ids:
                send = await tx.fetchrow(_SQL["lock_send"], id=send_id)
                if send is not None and send["state"] == "scheduled" and send["send_at"] <= now:
                    await move_send(tx, send, "queued")
                    await tx.execute(_SQL["look_later"], id=send_id, wait_s=60.0)
                    await tx.defer("mail.send", {"send_id": send_id}, max_attempts=ATTEMPTS)
                    begun += 1
    return begun


async def resume_unsettled(db: Database, limit: int = 500) -> int:
    """Have somebody see to every mail of any tenant that nobody seems to see to; how many. Sending looks before it acts."""
    resumed = 0
    for tenant_id, ids in _by_tenant(await db.system_fetch(_SQL["sends_unsettled"], limit=limit)).items():
        async with tenant_tx(db, Who.system(tenant_id)) as tx:
            for send_id in ids:
                await tx.execute(_SQL["look_later"], id=send_id, wait_s=_AT_IT_S)
                await tx.defer("mail.send", {"send_id": send_id}, max_attempts=ATTEMPTS)
                resumed += 1
    return resumed


def _by_tenant(rows: list[asyncpg.Record]) -> dict[UUID, list[UUID]]:
    found: dict[UUID, list[UUID]] = {}
    for row in rows:
        found.setdefault(row["tenant_id"], []).append(row["id"])
    return found


def _people(text: str) -> tuple[Address, ...]:
    people: list[dict[str, Any]] = orjson.loads(text)
    return tuple(Address(one.get("name", ""), one["address"]) for one in people)


def _why_not(mailbox: MailboxRow) -> str:
    if mailbox.owner_gone_at is not None:
        return f"The owner of {mailbox.address} is no active member; the mail goes out when they are, or it is another's."
    if mailbox.state == "paused":
        return f"{mailbox.address} is paused; the mail goes out when it is resumed."
    return f"{mailbox.address} has to be connected again; the mail goes out then."
