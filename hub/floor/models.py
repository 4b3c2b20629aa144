"""The floor as managers see it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from hub.calls.models import Call
from hub.contacts.models import Moment
from hub.presence.models import Person


class FloorQuery(BaseModel):
    """Since when 'today' counts: the caller's midnight; midnight UTC when left out."""

    model_config = ConfigDict(extra="forbid")

    since: Moment | None = None


class Today(BaseModel):
    """The day's calls in numbers. talk_s is in seconds."""

    since: datetime
    calls: int
    connected: int
    by_outcome: dict[str, int]
    by_disposition: dict[str, int]
    talk_s: int


class Floor(BaseModel):
    """Everything on the floor at one moment; events after `seq` follow on the socket."""

    epoch: UUID
    seq: int
    at: datetime
    people: list[Person]
    live_calls: list[Call]
    today: Today
    recent: list[dict[str, Any]]
