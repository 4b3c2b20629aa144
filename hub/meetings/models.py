"""Meetings as they go in and out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from hub.contacts.models import Moment
from hub.http.paging import PageQuery

MeetingState = Literal["tentative", "confirmed", "declined", "canceled"]
MeetingAnswer = Literal["accepted", "tentative", "declined"]
AttendeeAnswer = Literal["needs-action", "accepted", "declined", "tentative", "delegated"]

_LONGEST = timedelta(days=31)
Summary = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
Place = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=5000)]


class MeetingPerson(BaseModel):
    """A member of this company."""

    id: UUID
    name: str


class MeetingMailbox(BaseModel):
    """The mailbox that an invitation came to, or goes out from."""

    id: UUID
    address: str


class MeetingAddress(BaseModel):
    """Somebody by their mail address."""

    name: str
    address: str


class MeetingAttendee(MeetingAddress):
    """Somebody who is invited, and what they say to it."""

    status: AttendeeAnswer


class Meeting(BaseModel):
    """A meeting with a contact.

    `inbound`: they invited, and `answer` is what we said. `outbound`: we invited, and `state` is confirmed once somebody has
    accepted. `recurrence` is the rule's text (RFC 5545), empty for a single meeting; whole days go from midnight to midnight UTC.
    `private` ones are shown to their mailbox's owner alone.
    """

    id: UUID
    contact_id: UUID
    direction: Literal["inbound", "outbound"]
    state: MeetingState
    summary: str
    note: str
    location: str
    start_at: datetime
    end_at: datetime
    all_day: bool
    recurrence: str
    organizer: MeetingAddress | None
    attendees: list[MeetingAttendee]
    answer: MeetingAnswer | None
    user: MeetingPerson | None
    mailbox: MeetingMailbox
    private: bool
    thread_id: UUID | None
    send_id: UUID | None
    created_at: datetime


class MeetingPage(BaseModel):
    """A page of meetings."""

    data: list[Meeting]
    next_cursor: str | None


class MeetingFilter(PageQuery):
    """Which meetings. The one that begins last comes first."""

    upcoming: Annotated[bool, Field(description="Only those that are not over, and neither declined nor canceled.")] = False


class _Times(BaseModel):
    start_at: Moment
    end_at: Moment

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> _Times:
        if self.end_at <= self.start_at:
            raise ValueError("end_at must come after start_at.")
        if self.end_at - self.start_at > _LONGEST:
            raise ValueError("A meeting can't last longer than 31 days.")
        return self


class MeetingIn(_Times):
    """Whom nobody has invited yet: the mail goes to `to` (the contact's first address) from `mailbox_id` (one's own)."""

    model_config = ConfigDict(extra="forbid")

    summary: Summary
    location: Place = ""
    note: Note = ""
    mailbox_id: UUID | None = None
    to: Annotated[str | None, StringConstraints(strip_whitespace=True, min_length=3, max_length=254)] = None


class MeetingMove(_Times):
    """Another time or place for a meeting that we invited to; the invitation goes out anew."""

    model_config = ConfigDict(extra="forbid")

    summary: Summary | None = None
    location: Place | None = None
    note: Note | None = None


class MeetingAnswerIn(BaseModel):
    """What we say to an invitation."""

    model_config = ConfigDict(extra="forbid")

    answer: MeetingAnswer
