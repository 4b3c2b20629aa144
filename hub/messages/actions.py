"""What people do with text messages: write, take back, read."""

from __future__ import annotations

from uuid import UUID

import orjson

from hub.activities.actions import add_activity
from hub.calls.actions import number_to_call
from hub.contacts.actions import missing as contact_missing
from hub.contacts.queries import contact_exists
from hub.db import Tx
from hub.errors import Conflict, Forbidden, NotFound
from hub.leases import actions as leases
from hub.messages import queries
from hub.messages.events import MessageSent, ThreadRead
from hub.messages.models import MessageIn
from hub.messages.moving import move_message
from hub.numbers.actions import caller_id, chosen_number
from hub.permits import actions as permits
from hub.permits.actions import Permit
from hub.sqlfiles import load_sql

_SQL = load_sql("messages")

# Refusals that time heals: the message is kept and sent as soon as it may be.
HEALED_BY_TIME = frozenset({"outside_hours", "quiet_day"})


def missing() -> NotFound:
    """The answer for a message that is not there, or not this tenant's."""
    return NotFound("There is no such message.", code="message_not_found")


async def write_message(
    tx: Tx, contact_id: UUID, given: MessageIn, default_from: str, *, writer_id: UUID | None = None
) -> tuple[str | None, Permit]:
    """Write to a contact; the sending is a job. Returns the message's JSON, and the permit it goes by.

    `writer_id` is whom the system writes for, such as in a sequence; else it is who acts.
    In quiet hours the message is kept until it may be sent. Where it may not be sent at all the JSON is None: let the
    transaction commit, so that the refusal is kept, and answer with it. Raises NotFound for the contact, Invalid for a number
    that is not theirs or not ours, Conflict while a colleague is busy with them.
    """
    writer = tx.who.user_id or writer_id
    if writer is None:
        raise Forbidden("Only a person can write a message.")
    to = await number_to_call(tx, contact_id, given.to)
    number_id, from_number = await _from(tx, contact_id, to, given, default_from, writer)
    await leases.take(tx, contact_id, writer, "sms")
    permit = await permits.decide(
        tx,
        contact_id,
        "sms",
        to,
        user_id=writer,
        override_reason=given.override.reason if given.override else None,
    )
    waits = not permit.allowed and permit.code in HEALED_BY_TIME and permit.next_allowed_at is not None
    if not permit.allowed and not waits:
        return None, permit
    if permit.allowed:
        await permits.use(tx, permit.id)
    message_id: UUID = await tx.fetchval(
        _SQL["insert_message"],
        contact_id=contact_id,
        number_id=number_id,
        to_number=to,
        from_number=from_number,
        body=given.body,
        state="scheduled" if waits else "queued",
        automatic=False,
        sender_id=writer,
        permit_id=permit.id,
        send_at=permit.next_allowed_at if waits else None,
        held_for=permit.explanation if waits else None,
    )
    await tx.defer("messages.send", {"message_id": message_id}, run_at=permit.next_allowed_at if waits else None, max_attempts=20)
    return await added(tx, contact_id, message_id), permit


async def reply_automatically(tx: Tx, contact_id: UUID, number_id: UUID | None, to: str, from_number: str, body: str) -> None:
    """Confirm a word such as STOP. What the law and the carriers ask for needs no permit."""
    message_id: UUID = await tx.fetchval(
        _SQL["insert_message"],
        contact_id=contact_id,
        number_id=number_id,
        to_number=to,
        from_number=from_number,
        body=body,
        state="queued",
        automatic=True,
        sender_id=None,
        permit_id=None,
        send_at=None,
        held_for=None,
    )
    await tx.defer("messages.send", {"message_id": message_id}, max_attempts=20)
    await added(tx, contact_id, message_id)


async def added(tx: Tx, contact_id: UUID, message_id: UUID) -> str:
    """Put a message that we wrote into its conversation and the timeline, and say so; its JSON."""
    await tx.execute(_SQL["touch_thread"], id=message_id, unread=0)
    text = await read_message(tx, message_id)
    thread = await queries.thread_json(tx, contact_id)
    tx.emit(MessageSent(message_id, {"message": orjson.Fragment(text), "thread": orjson.Fragment(thread)}))
    body = orjson.loads(text)["body"]
    await add_activity(tx, contact_id, "sms", body=body, message_id=message_id)
    return text


async def cancel_message(tx: Tx, message_id: UUID) -> str:
    """Take back a message that still waits; its JSON. Raises Conflict when it is on its way."""
    message = await tx.fetchrow(_SQL["lock_message"], id=message_id)
    if message is None:
        raise missing()
    if message["user_id"] != tx.who.user_id and not tx.who.is_manager:
        raise Forbidden("This is a colleague's message; a manager can do this.")
    if message["state"] == "canceled":
        return await read_message(tx, message_id)
    if message["state"] not in ("scheduled", "queued") or message["asked_at"] is not None:
        raise Conflict("This message is on its way already.", code="message_is_sent")
    await move_message(tx, message, "canceled")
    return await read_message(tx, message_id)


async def take_back(tx: Tx, message_id: UUID, reason: str) -> bool:
    """Take a message back that nobody wants any more, and keep why. False when it is on its way or over."""
    message = await tx.fetchrow(_SQL["lock_message"], id=message_id)
    if message is None or message["state"] not in ("scheduled", "queued") or message["asked_at"] is not None:
        return False
    return await move_message(tx, message, "canceled", error=reason[:500])


async def read_thread(tx: Tx, contact_id: UUID) -> None:
    """Note that the conversation with a contact was read. May be repeated."""
    if not await contact_exists(tx, contact_id):
        raise contact_missing()
    if await tx.execute(_SQL["read_thread"], contact_id=contact_id):
        tx.emit(ThreadRead(contact_id, {"contact_id": contact_id}))


async def read_message(tx: Tx, message_id: UUID) -> str:
    """A message as JSON. NotFound when there is none."""
    text: str | None = await tx.fetchval(_SQL["get_message"], id=message_id)
    if text is None:
        raise missing()
    return text


async def _from(tx: Tx, contact_id: UUID, to: str, given: MessageIn, default: str, writer: UUID) -> tuple[UUID | None, str]:
    if given.from_ is not None:
        return await chosen_number(tx, given.from_, default=default)
    row = await tx.fetchrow(_SQL["last_sender"], contact_id=contact_id)
    if row is not None:
        return row["id"], row["e164"]
    return await caller_id(tx, to, writer, default=default, sms=True)
