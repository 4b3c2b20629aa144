"""What follows from a message: in the transaction that stores it, so that no step goes out after an answer."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from uuid import UUID

from hub.bounces.actions import record_bounce, record_complaint
from hub.db import Tx
from hub.errors import Invalid
from hub.mail.values import Stored
from hub.meetings.receiving import Heard, receive_invitation
from hub.messages.receiving import Received
from hub.notifications.actions import notify
from hub.replies.absences import away_until
from hub.replies.wishes import asks_to_be_left_alone
from hub.sequences.actions import Why, pause_for, stop_for
from hub.sqlfiles import load_sql
from hub.tracking.actions import note_reply
from hub.unsubscribes.actions import by_reply
from integrations.mime import MailKind

_SQL = load_sql("replies")


async def follow(tx: Tx, stored: Stored, now: datetime | None = None) -> None:
    """Draw the consequences of a message that was just stored. Each message is followed once.

    `now` is the time of the schedules' clock (the message's own when left out). What an old mailbox brings along stops nothing.
    """
    if not stored.is_new:
        return
    heard = await receive_invitation(tx, stored)
    if not stored.is_fresh:
        return
    follows = _wrote_themselves if stored.direction == "outbound" else _INBOUND[stored.kind]
    await follows(tx, stored, heard, now or stored.received_at)


async def follow_message(tx: Tx, received: Received, now: datetime) -> None:
    """Draw the consequences of a text message that was just stored: an answer is an answer, whatever it comes by."""
    why: Why
    if received.keyword is None:
        why, words = "reply", "They answered by text message."
    elif received.keyword == "stop":
        why, words = "unsubscribe", "They texted STOP."
    else:
        return
    stopped = await stop_for(tx, [received.contact_id], why, words=words, now=now, by="sms")
    await _tell_whose(tx, stopped, words)


async def _wrote_themselves(tx: Tx, stored: Stored, heard: Heard | None, now: datetime) -> None:
    """Somebody of ours wrote, by hand or with an invitation. What a sequence sends is no such thing."""
    if stored.send_source in ("sequence", "system") or stored.kind not in ("human", "calendar"):
        return
    name = await tx.fetchval(_SQL["member_name"], person_id=stored.user_id) or "A colleague"
    if heard is not None and heard.is_arranged:
        await _stop(tx, stored, now, heard.contact_ids, "meeting", f"{name} invited them to a meeting.", tell=False)
    await _stop(
        tx,
        stored,
        now,
        stored.contact_ids,
        "colleague_contact",
        f"{name} wrote to them.",
        except_user=stored.user_id,
    )


async def _answered(tx: Tx, stored: Stored, heard: Heard | None, now: datetime) -> None:
    if heard is not None and heard.is_arranged:
        await _stop(tx, stored, now, heard.contact_ids, "meeting", _MEETING_WORDS[heard.what])
    if asks_to_be_left_alone(stored.parsed.quoted.new_text):
        await _leave_alone(tx, stored, now)
        return
    if stored.in_reply_to_send_id is not None:
        await note_reply(tx, stored.in_reply_to_send_id)
    words = "They replied." if heard is None else _MEETING_WORDS[heard.what]
    await _stop(tx, stored, now, stored.contact_ids, "reply", words)


async def _about_a_meeting(tx: Tx, stored: Stored, heard: Heard | None, now: datetime) -> None:
    """A calendar's message. A program wrote it, but on a person's word: whoever agrees, refuses or invites has answered."""
    if heard is None or heard.what in ("moved", "canceled"):
        return
    why: Why = "meeting" if heard.is_arranged else "reply"
    await _stop(tx, stored, now, heard.contact_ids, why, _MEETING_WORDS[heard.what])


async def _away(tx: Tx, stored: Stored, heard: Heard | None, now: datetime) -> None:
    named = stored.parsed.out_of_office_until
    until = away_until(named, now.date())
    if until is None:
        return
    words = (
        f"Out of office until {until:%-d %B %Y}, as their automatic answer says."
        if until == named
        else "Out of office; their automatic answer names no day, so three business days."
    )
    await pause_for(tx, stored.contact_ids, until, words)


async def _came_back(tx: Tx, stored: Stored, heard: Heard | None, now: datetime) -> None:
    bounce = stored.parsed.bounce
    contacts = await _reported(tx, stored, bounce.recipient) if bounce is not None else []
    if bounce is None or not (contacts or stored.in_reply_to_send_id):
        return
    await record_bounce(tx, stored.mailbox_id, bounce, stored.in_reply_to_send_id, at=now)
    if bounce.permanent:
        said = f"{bounce.status} {bounce.diagnostic}".strip()[:200]
        await _stop(tx, stored, now, contacts, "bounce", f"The mail came back: {said or 'it could not be delivered'}.")


async def _complained(tx: Tx, stored: Stored, heard: Heard | None, now: datetime) -> None:
    complaint = stored.parsed.complaint
    contacts = await _reported(tx, stored, complaint.recipient) if complaint is not None else []
    if complaint is None or not (contacts or stored.in_reply_to_send_id):
        return
    await record_complaint(tx, stored.mailbox_id, complaint, stored.in_reply_to_send_id, at=now)
    await _stop(tx, stored, now, contacts, "unsubscribe", "They reported the mail as spam to their provider.")


async def _nothing(tx: Tx, stored: Stored, heard: Heard | None, now: datetime) -> None:
    """A program's acknowledgement or a newsletter is nobody's answer."""


_INBOUND: dict[MailKind, Callable[[Tx, Stored, Heard | None, datetime], Awaitable[None]]] = {
    "human": _answered,
    "calendar": _about_a_meeting,
    "out_of_office": _away,
    "bounce": _came_back,
    "complaint": _complained,
    "auto_reply": _nothing,
    "bulk": _nothing,
}
_MEETING_WORDS = {
    "planned": "They sent an invitation to a meeting.",
    "moved": "They moved the meeting.",
    "accepted": "They accepted the meeting.",
    "declined": "They declined the meeting.",
    "tentative": "They may come to the meeting.",
    "canceled": "They called the meeting off.",
    "countered": "They propose another time for the meeting.",
}


async def _leave_alone(tx: Tx, stored: Stored, now: datetime) -> None:
    """They asked for no more mail: neither the address that asked nor the one that we had written to gets any."""
    words = stored.parsed.quoted.new_text.strip()
    asked = stored.parsed.from_.address.lower()
    written = await tx.fetchval(_SQL["address_of_send"], send_id=stored.in_reply_to_send_id) or asked
    first = stored.contact_ids[0] if stored.contact_ids else None
    for address in dict.fromkeys((asked, written)):
        with contextlib.suppress(Invalid):  # no address that could be written to either
            await by_reply(tx, address, first, words, stored.in_reply_to_send_id)
    await _stop(tx, stored, now, stored.contact_ids, "unsubscribe", "They asked in a reply for no more mail.")
    # Where a sequence does not stop for that, it stops for the answer.
    await _stop(tx, stored, now, stored.contact_ids, "reply", "They replied, and asked for no more mail.")


async def _reported(tx: Tx, stored: Stored, address: str) -> Sequence[UUID]:
    """The contacts whom a report is about. Anybody can write one: only those count whom this mailbox has written to."""
    if stored.in_reply_to_send_id is None:
        rows = await tx.fetch(_SQL["written_to"], contact_ids=list(stored.contact_ids), mailbox_id=stored.mailbox_id)
    else:
        rows = await tx.fetch(_SQL["copied_contacts"], send_id=stored.in_reply_to_send_id, address_lc=address.lower())
        rows = rows or await tx.fetch(_SQL["contact_of_send"], send_id=stored.in_reply_to_send_id)
    return [row["contact_id"] for row in rows]


async def _stop(
    tx: Tx,
    stored: Stored,
    now: datetime,
    contacts: Sequence[UUID],
    why: Why,
    words: str,
    *,
    except_user: UUID | None = None,
    tell: bool = True,
) -> None:
    if not contacts:
        return
    stopped = await stop_for(tx, contacts, why, words=words, send_id=stored.in_reply_to_send_id, except_user=except_user, now=now)
    if tell:
        await _tell_whose(tx, stopped, words)


async def _tell_whose(tx: Tx, stopped: Sequence[UUID], words: str) -> None:
    """Word to whoever had enrolled those whose enrolment ended."""
    if not stopped:
        return
    for row in await tx.fetch(_SQL["whose_enrolments"], ids=list(stopped)):
        name = await tx.fetchval(_SQL["contact_name"], contact_id=row["contact_id"])
        title = f"{name} has left the sequence {row['sequences']}"
        await notify(tx, row["user_id"], "sequence_stopped", title, words, "contact", row["contact_id"])
