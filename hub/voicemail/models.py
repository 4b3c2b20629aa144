"""Messages to leave, as they go in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class DropOwner(BaseModel):
    """Whose message it is."""

    id: UUID
    name: str


class VoicemailDrop(BaseModel):
    """A message to leave; one without `user` is everybody's."""

    id: UUID
    name: str
    user: DropOwner | None
    shared: bool
    content_type: Literal["audio/wav", "audio/mpeg"]
    duration_ms: int
    bytes: int
    created_at: datetime


class VoicemailDropPage(BaseModel):
    """A page of messages."""

    data: list[VoicemailDrop]
    next_cursor: str | None


class VoicemailDropForm(BaseModel):
    """The form of an upload."""

    model_config = ConfigDict(extra="forbid")

    file: Annotated[
        str,
        Field(
            description="WAV (16-bit PCM) or MP3, at most two minutes and 10 MB.", json_schema_extra={"contentEncoding": "binary"}
        ),
    ]
    name: Annotated[str, Field(min_length=1, max_length=80)]
    shared: Annotated[Literal["true", "false"], Field(description="Everybody's; managers only.")] = "false"


class DropIn(BaseModel):
    """Which message to leave."""

    model_config = ConfigDict(extra="forbid")

    drop_id: UUID
