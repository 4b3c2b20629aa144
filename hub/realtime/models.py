"""The event log as it goes out over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

MAX_EVENTS = 500
Place = Annotated[int, Field(ge=0, lt=2**63 - 1)]


class Actor(BaseModel):
    """Who did it."""

    kind: Literal["user", "system"]
    id: UUID | None
    name: str


class Subject(BaseModel):
    """What it happened to."""

    kind: str
    id: UUID | None


class LiveEvent(BaseModel):
    """One event, the same over the socket and over HTTP. The shape of `data` goes with `type`: see docs/asyncapi.yaml."""

    seq: int
    id: UUID
    type: str
    at: datetime
    actor: Actor
    subject: Subject
    data: dict[str, Any]


class EventQuery(BaseModel):
    """Which events: those after `after`; from the oldest that is kept when left out."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[Place | None, Field(description="The sequence number of the last event you have.")] = None
    cursor: Annotated[Place | None, Field(description="next_cursor of the page before; the same as `after`.")] = None
    epoch: Annotated[UUID | None, Field(description="The epoch that `after` belongs to, to be told when it is over.")] = None
    limit: Annotated[int, Field(ge=1, le=MAX_EVENTS, description="How many events at the most.")] = 100


class EventPage(BaseModel):
    """Events in order. `seq` is where the log stands: without a next_cursor, that is what to ask for next."""

    data: list[LiveEvent]
    next_cursor: str | None
    epoch: UUID
    seq: int
