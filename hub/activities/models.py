"""Activities as they go in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from hub.calls.models import Call
from hub.mail.values import Direction
from hub.meetings.models import Meeting
from hub.messages.models import Message
from integrations.mime import MailKind


class Actor(BaseModel):
    """Who did it."""

    id: UUID
    name: str


class ActivityMail(BaseModel):
    """The mail of a timeline, and the thread to read it in."""

    id: UUID
    thread_id: UUID
    direction: Direction
    kind: MailKind
    subject: str
    snippet: str


class Activity(BaseModel):
    """Something that happened with a contact."""

    id: UUID
    contact_id: UUID
    kind: Literal["call", "email", "sms", "note", "task", "system", "meeting"]
    at: datetime
    actor: Actor | None
    body: str
    call: Call | None
    message: Message | None
    mail: ActivityMail | None
    meeting: Meeting | None


class ActivityPage(BaseModel):
    """A page of a timeline."""

    data: list[Activity]
    next_cursor: str | None


class NoteIn(BaseModel):
    """A note on a contact."""

    model_config = ConfigDict(extra="forbid")

    body: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
