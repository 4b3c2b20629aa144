"""Recordings as they go in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from hub.http.paging import PageQuery
from hub.recordings.consent import Rule

RecordingState = Literal["starting", "recording", "paused", "fetching", "stored", "failed", "deleted"]
Wanted = Literal["on", "paused", "off"]


class RecordedPerson(BaseModel):
    """A member."""

    id: UUID
    name: str


class RecordedContact(BaseModel):
    """Whose call it was."""

    id: UUID
    name: str


class Deletion(BaseModel):
    """Who deleted a recording; nobody when its time was over."""

    at: datetime
    by: RecordedPerson | None
    reason: Literal["asked", "retention"]


class Recording(BaseModel):
    """One stretch of a call. `wanted` is what was asked for, `state` how far that is."""

    id: UUID
    call_id: UUID
    contact: RecordedContact
    user: RecordedPerson | None
    kind: Literal["call", "voicemail"]
    state: RecordingState
    wanted: Wanted
    created_at: datetime
    started_at: datetime | None
    duration_s: int | None
    channels: int | None
    bytes: int | None
    rule: Rule
    places: list[str]
    announced_at: datetime | None
    error: str | None
    keep_until: datetime | None
    deleted: Deletion | None
    has_transcript: bool
    excerpt: Annotated[str | None, Field(description="What was said around the words asked for; those stand between « and ».")]


class RecordingPage(BaseModel):
    """A page of recordings."""

    data: list[Recording]
    next_cursor: str | None


class RecordingWithTranscript(Recording):
    """A recording and what was said in it, if that is known."""

    transcript: str | None


class CallRecording(BaseModel):
    """What can be recorded of a call, and what was, oldest first."""

    setting: Annotated[Literal["off", "always", "ask"], Field(description="Never, every call, or when the rep asks.")]
    state: Literal["off", "on", "paused"]
    must_announce: bool
    explanation: str
    data: list[Recording]


class RecordingFilter(PageQuery):
    """Which recordings."""

    q: Annotated[
        str | None,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
        Field(description="Words that were said."),
    ] = None
    contact_id: UUID | None = None
    user_id: UUID | None = None


class RecordingIn(BaseModel):
    """What the recording of a call shall do from now on."""

    model_config = ConfigDict(extra="forbid")

    state: Wanted


class AudioLink(BaseModel):
    """An address that plays without a token, for an audio element; only its bearer's, and not for long."""

    url: str
    expires_at: datetime


class LinkQuery(BaseModel):
    """What a link carries."""

    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, StringConstraints(min_length=1, max_length=400)]
