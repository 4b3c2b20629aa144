"""Which thread a message belongs to, and what it answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

import orjson

from hub.db import Tx
from hub.mail.values import Arrived
from hub.sqlfiles import load_sql
from integrations.mime import ParsedMessage

_SQL = load_sql("mail")

# What mail programs of many countries put before the subject of an answer or of what is passed on.
_ANSWER = re.compile(
    r"^\s*(?:re|aw|antw|antwort|sv|vs|ref|rif|r|res|odp|ynt|vá|fwd?|wg|tr|rv|enc|i|vl|doorst)(?:\[\d{1,3}\])?\s*[:：]\s*", re.I
)
_MAX_PARTICIPANTS = 30
_MAX_ANSWERED = 100


@dataclass(frozen=True, slots=True)
class Parent:
    """A message that another one answers or tells of, or the mail of ours that it is (`send_id`); the nearest come first."""

    message_id: UUID | None
    thread_id: UUID | None
    mailbox_id: UUID
    send_id: UUID | None
    contact_id: UUID | None


def subject_key(subject: str) -> str:
    """The subject without Re: and its like, in lower case and with single spaces."""
    left = subject
    for _ in range(20):
        rest = _ANSWER.sub("", left, count=1)
        if rest == left:
            break
        left = rest
    return " ".join(left.lower().split())[:500]


def is_answer(subject: str) -> bool:
    """Whether the subject says that it answers something."""
    return _ANSWER.match(subject) is not None


def answer_subject(subject: str) -> str:
    """The subject of an answer to this one."""
    return subject if _ANSWER.match(subject) else f"Re: {subject}"[:998]


def answered_ids(parsed: ParsedMessage) -> list[str]:
    """The Message-IDs (in lower case) that a message refers to, the nearest first."""
    named = [parsed.in_reply_to, *reversed(parsed.references)]
    if parsed.bounce is not None:
        named.insert(0, parsed.bounce.original_message_id)
    if parsed.complaint is not None:
        named.insert(0, parsed.complaint.original_message_id)
    return list(dict.fromkeys(one.strip().lower() for one in named if one.strip()))[:_MAX_ANSWERED]


async def find_parents(tx: Tx, ids: list[str]) -> list[Parent]:
    """What we have of the messages with these ids, in their order."""
    if not ids:
        return []
    order = {one: place for place, one in enumerate(ids)}
    rows = await tx.fetch(_SQL["find_parents"], ids=ids)
    # Of one Message-ID, the message itself comes before the mere send.
    rows.sort(key=lambda row: (order[row["message_id"]], row["id"] is None))
    return [Parent(row["id"], row["thread_id"], row["mailbox_id"], row["send_id"], row["contact_id"]) for row in rows]


async def choose_thread(
    tx: Tx, mailbox_id: UUID, parsed: ParsedMessage, arrived: Arrived, parents: list[Parent], first_state: str
) -> tuple[UUID, bool]:
    """The thread of a new message, and whether it was begun with it.

    The provider's thread if we have a message of it, else that of what it answers, else (for an answer that refers to nothing we
    have) one of the same subject within 30 days with the same people; else a new one.
    """
    if arrived.ref.thread_id:
        found: UUID | None = await tx.fetchval(
            _SQL["thread_of_provider"], mailbox_id=mailbox_id, provider_thread_id=arrived.ref.thread_id
        )
        if found is not None:
            return found, False
    for parent in parents:
        if parent.thread_id is not None and parent.mailbox_id == mailbox_id:
            return parent.thread_id, False
    key = subject_key(parsed.subject)
    if is_answer(parsed.subject) and not arrived.ref.thread_id:
        people = {one.address.lower() for one in (parsed.from_, *parsed.to, *parsed.cc)}
        for row in await tx.fetch(_SQL["threads_of_subject"], mailbox_id=mailbox_id, subject_key=key, around=arrived.received_at):
            if not people.isdisjoint(one["address"].lower() for one in orjson.loads(row["participants"])):
                return row["id"], False
    made: UUID = await tx.fetchval(
        _SQL["insert_thread"],
        mailbox_id=mailbox_id,
        subject=parsed.subject[:998],
        subject_key=key,
        at=arrived.received_at,
        state=first_state,
    )
    return made, True


async def participants_with(tx: Tx, thread_id: UUID, own_lc: str, parsed: ParsedMessage) -> str:
    """The people of a thread with those of one more message, as JSON; the mailbox itself is none of them."""
    known: list[dict[str, str]] = orjson.loads(await tx.fetchval(_SQL["thread_participants"], id=thread_id))
    seen = {one["address"].lower() for one in known}
    for one in (parsed.from_, *parsed.to, *parsed.cc):
        address = one.address.lower()
        if address and address != own_lc and address not in seen and len(known) < _MAX_PARTICIPANTS:
            seen.add(address)
            known.append({"name": one.name, "address": one.address})
    return orjson.dumps(known).decode()
