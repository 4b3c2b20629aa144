"""What people do with meetings: invite, move, call off, answer. The mail that says so goes out like any other."""

from __future__ import annotations

import html
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import asyncpg
import orjson

from hub.company.days import zone_of, zone_said
from hub.contacts.actions import missing as contact_missing
from hub.db import Tx
from hub.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed
from hub.mail.sending import MailOut, queue_mail
from hub.meetings import queries
from hub.meetings.events import MeetingCanceled, MeetingChanged, MeetingPlanned
from hub.meetings.models import MeetingAnswer, MeetingIn, MeetingMove
from hub.meetings.receiving import after_answer, attendees_json
from hub.meetings.telling import tell
from hub.permits import actions as permits
from hub.sqlfiles import load_sql
from integrations.mime import Address, Attendee, make_invitation, make_reply

_SQL = load_sql("meetings")
_ANSWERS = {"accepted": "Accepted", "tentative": "Tentative", "declined": "Declined"}


def missing() -> NotFound:
    """The answer for a meeting that is not there, not this tenant's, or not to be seen."""
    return NotFound("There is no such meeting.", code="meeting_not_found")


async def plan_meeting(tx: Tx, contact_id: UUID, given: MeetingIn, now: datetime) -> tuple[str, int]:
    """Invite a contact; the invitation goes out by mail. Returns the meeting's JSON and version.

    Raises NotFound for the contact, Invalid for a mailbox or an address that can't be used or a time that is past, Forbidden
    where the contact may not be written to.
    """
    invited = await _invited(tx, contact_id, given.to)
    box = await _mailbox(tx, given.mailbox_id)
    if given.end_at <= now:
        raise Invalid.field("end_at", "This time is past.")
    look = orjson.loads(await permits.look(tx, contact_id, "email", invited.address))
    if not look["allowed"]:
        raise Forbidden(look["explanation"], code="not_permitted")
    organizer = Address(box["display_name"] or box["user_name"], box["address"])
    meeting_id = uuid4()
    uid = f"{meeting_id}@{box['address'].rpartition('@')[2]}"
    await tx.fetchval(
        _SQL["insert_meeting"],
        id=meeting_id,
        contact_id=contact_id,
        mailbox_id=box["id"],
        whose_id=tx.who.user_id,
        uid=uid,
        sequence=0,
        direction="outbound",
        state="tentative",
        summary=given.summary,
        note=given.note,
        location=given.location,
        start_at=given.start_at,
        end_at=given.end_at,
        all_day=False,
        recurrence="",
        organizer=orjson.dumps({"name": organizer.name, "address": organizer.address}).decode(),
        attendees=attendees_json([Attendee(invited.name, invited.address)]),
        mail_message_id=None,
        # Set once the mail is there to refer to.
        mail_send_id=None,
    )
    row = await _lock(tx, meeting_id)
    await _send(tx, row, "REQUEST", row["sequence"])
    await tell(tx, meeting_id, MeetingPlanned)
    return await _read(tx, meeting_id)


async def move_meeting(tx: Tx, meeting_id: UUID, given: MeetingMove, version: int | None, now: datetime) -> tuple[str, int]:
    """Give a meeting that we invited to another time or place, and say so to the invited. Returns its JSON and version.

    Raises NotFound, Conflict for theirs and for one that was called off, PreconditionFailed when somebody else was quicker.
    """
    row = await _lock(tx, meeting_id)
    if version is not None and version != row["version"]:
        raise PreconditionFailed("Somebody changed this meeting since you opened it. Look at it again, then save.")
    _check_ours(row)
    if given.end_at <= now:
        raise Invalid.field("end_at", "This time is past.")
    asked = [Attendee(one["name"], one["address"]) for one in orjson.loads(row["attendees"])]
    await tx.execute(
        _SQL["update_meeting"],
        id=meeting_id,
        sequence=row["sequence"] + 1,
        state="tentative",
        start_at=given.start_at,
        end_at=given.end_at,
        summary=given.summary,
        location=given.location,
        note=given.note,
        # Whoever had agreed to the old time has not agreed to this one.
        attendees=attendees_json(asked),
    )
    await _send(tx, await _lock(tx, meeting_id), "REQUEST", row["sequence"] + 1)
    await tell(tx, meeting_id, MeetingChanged)
    return await _read(tx, meeting_id)


async def cancel_meeting(tx: Tx, meeting_id: UUID) -> tuple[str, int]:
    """Call a meeting off that we invited to; the invited are told. One that was called off stays so.

    Raises NotFound, Conflict for a meeting that they invited to.
    """
    row = await _lock(tx, meeting_id)
    if row["state"] != "canceled":
        _check_ours(row)
        await tx.execute(_SQL["update_meeting"], id=meeting_id, sequence=row["sequence"] + 1, state="canceled")
        await _send(tx, row, "CANCEL", row["sequence"] + 1)
        await tell(tx, meeting_id, MeetingCanceled)
    return await _read(tx, meeting_id)


async def answer_meeting(tx: Tx, meeting_id: UUID, answer: MeetingAnswer) -> tuple[str, int]:
    """Answer an invitation of theirs by mail. The same answer again sends nothing. Raises NotFound and Conflict."""
    row = await _lock(tx, meeting_id)
    if row["direction"] != "inbound":
        raise Conflict("We invited to this meeting; move it or call it off instead.", code="meeting_is_ours")
    if row["state"] == "canceled":
        raise Conflict("This meeting was called off.", code="meeting_is_canceled")
    organizer = orjson.loads(row["organizer"]) if row["organizer"] else None
    if organizer is None:
        raise Conflict("The invitation does not say who to answer to.", code="meeting_has_no_organizer")
    if row["answer"] != answer:
        box = await _mailbox(tx, row["mailbox_id"])
        host = Address(organizer["name"], organizer["address"])
        us = Address(box["display_name"] or box["user_name"], box["address"])
        reply = make_reply(
            uid=row["uid"],
            sequence=row["sequence"],
            organizer=host,
            attendee=us,
            status=answer,
            now=datetime.now(UTC),
            start=row["start_at"].date() if row["all_day"] else row["start_at"],
            summary=row["summary"],
        )
        subject = f"{_ANSWERS[answer]}: {row['summary']}"[:300]
        await queue_mail(
            tx,
            MailOut(
                mailbox_id=box["id"],
                to=(host,),
                subject=subject,
                html=f"<p>{html.escape(subject)}</p>",
                user_id=tx.who.user_id,
                contact_id=row["contact_id"],
                reply_to_message_id=row["mail_message_id"],
                invitation=reply,
                source="meeting",
            ),
        )
        await tx.execute(_SQL["update_meeting"], id=meeting_id, answer=answer, state=after_answer(answer))
        await tell(tx, meeting_id, MeetingChanged)
    return await _read(tx, meeting_id)


async def _send(tx: Tx, row: asyncpg.Record, method: Literal["REQUEST", "CANCEL"], sequence: int) -> None:
    """Put the mail that says it into the outbox, below the ones before it."""
    organizer = orjson.loads(row["organizer"])
    attendees = tuple(Address(one["name"], one["address"]) for one in orjson.loads(row["attendees"]))
    invitation = make_invitation(
        method=method,
        uid=row["uid"],
        sequence=sequence,
        summary=row["summary"],
        start=row["start_at"],
        end=row["end_at"],
        organizer=Address(organizer["name"], organizer["address"]),
        attendees=attendees,
        now=datetime.now(UTC),
        location=row["location"],
        description=row["note"],
    )
    word = "Canceled" if method == "CANCEL" else "Invitation" if sequence == 0 else "New time"
    sent: UUID = await queue_mail(
        tx,
        MailOut(
            mailbox_id=row["mailbox_id"],
            to=attendees,
            subject=f"{word}: {row['summary']}"[:300],
            html=_page(row, word, await zone_of(tx)),
            user_id=tx.who.user_id,
            contact_id=row["contact_id"],
            follows_send_id=row["mail_send_id"],
            invitation=invitation,
            source="meeting",
        ),
    )
    await tx.execute(_SQL["update_meeting"], id=row["id"], mail_send_id=sent)


def _page(row: asyncpg.Record, word: str, zone: ZoneInfo) -> str:
    """What stands in the mail for a reader whose program shows no invitations, by the clock of the company that invites."""
    start, end = row["start_at"].astimezone(zone), row["end_at"].astimezone(zone)
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%A, %-d %B %Y, %H:%M}"
    lines = [f"<b>{word}: {html.escape(row['summary'])}</b>", f"{start:%A, %-d %B %Y, %H:%M} to {until} {zone_said(zone)}"]
    lines += [html.escape(row["location"])] if row["location"] else []
    lines += [html.escape(row["note"]).replace("\n", "<br>")] if row["note"] else []
    return "".join(f"<p>{line}</p>" for line in lines)


def _check_ours(row: asyncpg.Record) -> None:
    if row["direction"] != "outbound":
        raise Conflict("They invited to this meeting; decline it instead.", code="meeting_is_theirs")
    if row["state"] == "canceled":
        raise Conflict("This meeting was called off. Plan a new one.", code="meeting_is_canceled")


async def _mailbox(tx: Tx, mailbox_id: UUID | None) -> asyncpg.Record:
    box = await tx.fetchrow(_SQL["mailbox_to_invite_from"], mailbox_id=mailbox_id)
    if box is None:
        words = "Connect a mailbox first." if mailbox_id is None else "There is no such mailbox, or it is not yours to send from."
        raise Invalid.field("mailbox_id", words)
    if box["state"] in ("revoked", "paused"):
        raise Invalid.field("mailbox_id", f"{box['address']} can't send now; look at its settings.")
    return box


async def _invited(tx: Tx, contact_id: UUID, to: str | None) -> Address:
    row = await tx.fetchrow(_SQL["contact_to_invite"], contact_id=contact_id, to=to.lower() if to else None)
    if row is None:
        raise contact_missing()
    if row["address"] is None:
        words = "This is none of the contact's addresses." if to else "The contact has no mail address."
        raise Invalid.field("to", words)
    return Address(row["name"], row["address"])


async def _lock(tx: Tx, meeting_id: UUID) -> asyncpg.Record:
    row = await tx.fetchrow(_SQL["lock_meeting"], id=meeting_id)
    if row is None:
        raise missing()
    return row


async def _read(tx: Tx, meeting_id: UUID) -> tuple[str, int]:
    found = await queries.get_meeting(tx, meeting_id)
    if found is None:
        raise missing()
    return found
