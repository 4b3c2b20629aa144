"""What invitations in mail say of meetings (RFC 5546): theirs, ours sent from elsewhere, and answers to ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import asyncpg
import orjson

from hub.db import Tx
from hub.http.paging import EARLIEST, LATEST
from hub.mail.values import Stored
from hub.meetings.events import MeetingCanceled, MeetingChanged, MeetingPlanned
from hub.meetings.models import MeetingState
from hub.meetings.telling import tell
from hub.sqlfiles import load_sql
from integrations.mime import Address, Attendee, Invitation

_SQL = load_sql("meetings")

# What an invitation came to: there is a meeting now that was not, it changed, they agreed, refused or called it off, or they
# propose another time.
What = Literal["planned", "moved", "accepted", "declined", "tentative", "canceled", "countered"]

# The mail of a whole department is no meeting with every one of them.
_CONTACTS_AT_MOST = 20
_ATTENDEES_AT_MOST = 200


@dataclass(frozen=True, slots=True)
class Heard:
    """What a message said of a meeting. `is_arranged`: from here on there is a meeting with them."""

    what: What
    meeting_ids: tuple[UUID, ...]
    contact_ids: tuple[UUID, ...]
    summary: str
    is_arranged: bool


async def receive_invitation(tx: Tx, stored: Stored) -> Heard | None:
    """Take in the invitation in a message; None when it says nothing new of a meeting with a contact.

    Only the organizer's side moves a meeting, and an older version of it never replaces a newer one.
    """
    invitation = stored.parsed.invitation
    if invitation is None or not invitation.uid or not stored.contact_ids:
        return None
    uid = invitation.uid[:500]
    known = await tx.fetch(_SQL["lock_known"], mailbox_id=stored.mailbox_id, uid=uid)
    if stored.send_id is not None and any(row["mail_send_id"] == stored.send_id for row in known):
        await _went_out(tx, stored, known)
        return None
    if invitation.method == "REPLY":
        return await _answered(tx, stored, invitation, known)
    if invitation.method == "COUNTER":
        ours = [row for row in known if row["direction"] == "outbound"]
        return _heard("countered", ours, invitation) if ours and stored.direction == "inbound" else None
    # Of somebody else's meeting nobody but its organizer's side says how it stands.
    known = [row for row in known if row["direction"] == stored.direction and row["contact_id"] in stored.contact_ids]
    known = [row for row in known if row["sequence"] <= invitation.sequence]
    if invitation.method == "CANCEL" or invitation.status == "cancelled":
        return await _called_off(tx, stored, invitation, known)
    return await _asked(tx, stored, invitation, uid, known)


async def _went_out(tx: Tx, stored: Stored, known: Sequence[asyncpg.Record]) -> None:
    for row in known:
        if row["mail_send_id"] == stored.send_id:
            await tx.execute(_SQL["update_meeting"], id=row["id"], mail_message_id=stored.message_id)


async def _asked(tx: Tx, stored: Stored, invitation: Invitation, uid: str, known: Sequence[asyncpg.Record]) -> Heard | None:
    start, end = invitation.start, invitation.end or invitation.start
    # A year that no calendar shows is a mistake, or somebody's joke.
    if start is None or end is None or not (EARLIEST <= start <= LATEST and EARLIEST <= end <= LATEST):
        return None
    state: MeetingState = "confirmed" if stored.direction == "inbound" else "tentative"
    if invitation.status == "tentative":
        state = "tentative"
    fields: dict[str, Any] = {
        "sequence": invitation.sequence,
        "state": state,
        "summary": invitation.summary[:300],
        "note": invitation.description[:5000],
        "location": invitation.location[:500],
        "start_at": start,
        "end_at": max(end, start),
        "all_day": invitation.all_day,
        "recurrence": invitation.rrule[:500],
        "attendees": attendees_json(invitation.attendees),
        "mail_message_id": stored.message_id,
    }
    made: list[UUID] = []
    there = {row["contact_id"]: row for row in known}
    for contact_id in stored.contact_ids[:_CONTACTS_AT_MOST]:
        if contact_id in there:
            continue
        meeting_id = await tx.fetchval(
            _SQL["insert_meeting"],
            id=None,
            contact_id=contact_id,
            mailbox_id=stored.mailbox_id,
            whose_id=stored.user_id,
            uid=uid,
            direction=stored.direction,
            organizer=_organizer(invitation.organizer),
            mail_send_id=stored.send_id,
            **fields,
        )
        if meeting_id is not None:
            made.append(meeting_id)
            await _told(tx, stored, meeting_id, MeetingPlanned)
    for row in known:
        await tx.execute(_SQL["update_meeting"], id=row["id"], set_all_day=True, **fields)
        await _told(tx, stored, row["id"], MeetingChanged)
    # Published for everybody's calendar (RFC 5546, 3.2.1) it asks nobody in particular.
    arranged = invitation.method == "REQUEST"
    if made:
        return Heard("planned", tuple(made), stored.contact_ids, invitation.summary, arranged)
    moved = [row for row in known if (row["start_at"], row["end_at"]) != (start, max(end, start)) or row["state"] == "canceled"]
    return _heard("moved", moved, invitation, arranged=arranged) if moved else None


async def _called_off(tx: Tx, stored: Stored, invitation: Invitation, known: Sequence[asyncpg.Record]) -> Heard | None:
    standing = [row for row in known if row["state"] != "canceled"]
    for row in standing:
        await tx.execute(_SQL["update_meeting"], id=row["id"], state="canceled", sequence=invitation.sequence)
        await _told(tx, stored, row["id"], MeetingCanceled)
    return _heard("canceled", standing, invitation) if standing else None


async def _answered(tx: Tx, stored: Stored, invitation: Invitation, known: Sequence[asyncpg.Record]) -> Heard | None:
    if stored.direction == "outbound":
        await _we_answered(tx, stored, invitation, known)
        return None
    asked = [row for row in known if row["direction"] == "outbound"]
    # Whoever writes speaks for themselves alone.
    writer = stored.parsed.from_.address.lower()
    said = {one.address.lower(): one.status for one in invitation.attendees}
    answer = said.get(writer) or (invitation.attendees[0].status if len(invitation.attendees) == 1 else None)
    if not asked or answer is None:
        return None
    for row in asked:
        attendees = _with_answer(orjson.loads(row["attendees"]), {writer, *said}, answer)
        state = row["state"] if row["state"] == "canceled" else state_of(attendees)
        await tx.execute(_SQL["update_meeting"], id=row["id"], attendees=orjson.dumps(attendees).decode(), state=state)
        await _told(tx, stored, row["id"], MeetingChanged)
    if answer not in ("accepted", "declined", "tentative"):
        return None
    return _heard(answer, asked, invitation, arranged=answer == "accepted")


async def _we_answered(tx: Tx, stored: Stored, invitation: Invitation, known: Sequence[asyncpg.Record]) -> None:
    """Somebody of ours answered an invitation from another program."""
    ours = {stored.parsed.from_.address.lower()}
    answer = next((one.status for one in invitation.attendees if one.address.lower() in ours), None)
    if answer not in ("accepted", "declined", "tentative"):
        return
    for row in known:
        if row["direction"] == "inbound" and row["state"] != "canceled":
            await tx.execute(_SQL["update_meeting"], id=row["id"], answer=answer, state=after_answer(answer))
            await _told(tx, stored, row["id"], MeetingChanged)


def after_answer(answer: str) -> MeetingState:
    """How a meeting stands that they invited us to, once we have answered."""
    return "declined" if answer == "declined" else "tentative" if answer == "tentative" else "confirmed"


def state_of(attendees: Sequence[Mapping[str, Any]]) -> MeetingState:
    """How a meeting stands that we invited to: agreed once one has accepted, declined once all have."""
    said = [one["status"] for one in attendees]
    if "accepted" in said:
        return "confirmed"
    return "declined" if said and all(one == "declined" for one in said) else "tentative"


def attendees_json(attendees: Sequence[Attendee]) -> str:
    """The invited as they are kept."""
    rows = [{"name": one.name[:200], "address": one.address[:320], "status": one.status} for one in attendees]
    return orjson.dumps(rows[:_ATTENDEES_AT_MOST]).decode()


def _with_answer(attendees: list[dict[str, Any]], whose: set[str], answer: str) -> list[dict[str, Any]]:
    return [one | {"status": answer} if one["address"].lower() in whose else one for one in attendees]


def _organizer(organizer: Address | None) -> str | None:
    if organizer is None or not organizer.address:
        return None
    return orjson.dumps({"name": organizer.name[:200], "address": organizer.address[:320]}).decode()


def _heard(what: What, rows: Sequence[asyncpg.Record], invitation: Invitation, *, arranged: bool = False) -> Heard:
    contacts = tuple(dict.fromkeys(row["contact_id"] for row in rows))
    summary = invitation.summary or (rows[0]["summary"] if rows else "")
    return Heard(what, tuple(row["id"] for row in rows), contacts, summary, arranged)


async def _told(
    tx: Tx, stored: Stored, meeting_id: UUID, kind: type[MeetingPlanned] | type[MeetingChanged] | type[MeetingCanceled]
) -> None:
    # What an old mailbox brings along is on the timeline of nobody's today.
    if stored.is_fresh:
        await tell(tx, meeting_id, kind)
