"""Calls as they go in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from hub.calls.states import CallState, Outcome
from hub.contacts.models import Moment
from hub.http.paging import PageQuery

Disposition = Literal[
    "connected", "left_voicemail", "no_answer", "busy", "wrong_number", "not_interested", "meeting_booked", "callback"
]
DISPOSITIONS: dict[Disposition, str] = {
    "connected": "Connected",
    "left_voicemail": "Left voicemail",
    "no_answer": "No answer",
    "busy": "Busy",
    "wrong_number": "Wrong number",
    "not_interested": "Not interested",
    "meeting_booked": "Meeting booked",
    "callback": "Call back",
}


class Call(BaseModel):
    """A telephone call. Times are UTC; `started_at` is when it was asked for."""

    id: UUID
    contact_id: UUID
    user_id: UUID
    state: CallState
    direction: Literal["outbound", "inbound"]
    to: str
    from_: Annotated[str, Field(alias="from", serialization_alias="from")]
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    outcome: Outcome | None
    disposition: Disposition | None
    note: str
    error: str | None
    contact_name: str


class CallPage(BaseModel):
    """A page of calls."""

    data: list[Call]
    next_cursor: str | None


class CallIn(BaseModel):
    """Whom to call, and on which of their numbers (their first when left out)."""

    model_config = ConfigDict(extra="forbid")

    contact_id: UUID
    phone: Annotated[str | None, StringConstraints(strip_whitespace=True, max_length=100)] = None


class DispositionIn(BaseModel):
    """How the call went, in the rep's words. A note left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    disposition: Disposition
    note: Annotated[str | None, StringConstraints(max_length=10_000)] = None


def _states(value: object) -> object:
    return [part for part in value.split(",") if part] if isinstance(value, str) else value


class CallFilter(PageQuery):
    """Which calls."""

    contact_id: UUID | None = None
    user_id: UUID | None = None
    state: Annotated[
        list[CallState] | None,
        BeforeValidator(_states),
        Field(max_length=9, description="One state, or several with commas.", json_schema_extra={"type": "string"}),
    ] = None
    since: Moment | None = None


class DispositionOption(BaseModel):
    """A disposition to choose from."""

    value: Disposition
    label: str


class DispositionPage(BaseModel):
    """The dispositions of this company."""

    data: list[DispositionOption]
    next_cursor: str | None
