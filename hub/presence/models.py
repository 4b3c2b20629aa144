"""People on the floor as they go in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from hub.calls.models import Call
from hub.tenants.models import MemberRole

PresenceState = Literal["offline", "online", "away", "on_call", "wrap_up"]
ChosenState = Literal["online", "away"]


class PersonUser(BaseModel):
    """Who it is."""

    id: UUID
    name: str
    role: MemberRole


class Person(BaseModel):
    """A person of the floor: their state, since when, and the call they are on or wrap up.

    `until` is when a wrap-up ends by itself; null when only the person ends it.
    """

    user: PersonUser
    state: PresenceState
    since: datetime
    call: Call | None
    reason: str | None
    until: datetime | None


class PresenceIn(BaseModel):
    """How one wants to be seen. Either ends a wrap-up."""

    model_config = ConfigDict(extra="forbid")

    state: ChosenState


class ExtendIn(BaseModel):
    """How many seconds more one needs to write a call up."""

    model_config = ConfigDict(extra="forbid")

    seconds: Annotated[int, Field(strict=True, ge=1, le=3600)] = 60
