"""Text messages as they go in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from hub.http.paging import PageQuery
from hub.messages.states import MessageState


class Writer(BaseModel):
    """Who wrote it."""

    id: UUID
    name: str


class Message(BaseModel):
    """A text message. One that waits has `send_at`, and `held_for` says why. `media` are addresses of pictures."""

    id: UUID
    contact_id: UUID
    number_id: UUID | None
    direction: Literal["outbound", "inbound"]
    to: str
    from_: Annotated[str, Field(alias="from", serialization_alias="from")]
    body: str
    media: list[str]
    state: MessageState
    error: str | None
    send_at: datetime | None
    held_for: str | None
    automatic: bool
    created_at: datetime
    user: Writer | None
    contact_name: str


class MessagePage(BaseModel):
    """A page of messages."""

    data: list[Message]
    next_cursor: str | None


class ThreadContact(BaseModel):
    """The contact of a conversation."""

    id: UUID
    name: str


class Thread(BaseModel):
    """The messages with a contact: the last one, and how many nobody has read."""

    contact: ThreadContact
    last: Message
    unread: int
    last_at: datetime


class ThreadPage(BaseModel):
    """A page of conversations."""

    data: list[Thread]
    next_cursor: str | None


class ThreadFilter(PageQuery):
    """Which conversations."""

    unread: Annotated[bool, Field(description="Only those with something unread.")] = False


class SmsOverride(BaseModel):
    """Why a refusal is set aside; for owners and admins."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class MessageIn(BaseModel):
    """A message to a contact: to which of their numbers (their first) and from which of ours (the one that fits best)."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    body: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1600)]
    to: Annotated[str | None, StringConstraints(strip_whitespace=True, max_length=100)] = None
    from_: Annotated[
        str | None,
        StringConstraints(strip_whitespace=True, max_length=100),
        Field(alias="from", serialization_alias="from"),
    ] = None
    override: SmsOverride | None = None
