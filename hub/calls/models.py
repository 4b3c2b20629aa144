"""Calls as they go in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from hub.calls.states import CallState, LegState, Outcome
from hub.contacts.models import Moment
from hub.http.paging import PageQuery
from hub.lines.kinds import LineKind


class LegUser(BaseModel):
    """Who it is."""

    id: UUID
    name: str


class CallLeg(BaseModel):
    """Somebody in a call beside the contact: its rep, a listening manager, a colleague or an outside number.

    `since` is when they came in, or were asked; `error` why they did not come.
    """

    id: UUID
    kind: Literal["rep", "supervisor", "colleague"]
    user: LegUser | None
    phone: str | None
    mode: Literal["listen", "whisper", "barge"] | None
    state: LegState
    since: datetime
    muted: bool
    error: str | None


class ListenerPage(BaseModel):
    """Who listens to a call."""

    data: list[CallLeg]
    next_cursor: str | None


class Call(BaseModel):
    """A telephone call. Times are UTC; `started_at` is when it was asked for.

    `user_id` is whose call it is, null while nobody has taken an inbound one. `legs` is who is in it, while it is live.
    `answered_by` is human, machine, fax or unknown, where the provider was asked. `line_kind` is how its rep talks.
    """

    id: UUID
    contact_id: UUID
    user_id: UUID | None
    state: CallState
    direction: Literal["outbound", "inbound"]
    to: str
    from_: Annotated[str, Field(alias="from", serialization_alias="from")]
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    outcome: Outcome | None
    disposition: str | None
    note: str
    error: str | None
    contact_name: str
    line_kind: LineKind | None
    on_hold: bool
    recording: Literal["off", "on", "paused"]
    answered_by: str | None
    permit_id: UUID | None
    number_id: UUID | None
    queue_item_id: UUID | None
    queue_id: UUID | None
    legs: list[CallLeg]


class CallPage(BaseModel):
    """A page of calls."""

    data: list[Call]
    next_cursor: str | None


class OverrideIn(BaseModel):
    """Call although a rule is against it (admins); the reason is kept with the permit."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]


Phone = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)]


class CallIn(BaseModel):
    """Whom to call, on which of their numbers (their first when left out), and from which of ours (the best one)."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    contact_id: UUID
    phone: Phone | None = None
    from_: Annotated[Phone | None, Field(alias="from")] = None
    override: OverrideIn | None = None


class HoldIn(BaseModel):
    """Let the contact wait, or go on."""

    model_config = ConfigDict(extra="forbid")

    on: bool


class DigitsIn(BaseModel):
    """Keys to press for the contact's side: 0-9, *, #, and w for half a second's pause."""

    model_config = ConfigDict(extra="forbid")

    digits: Annotated[str, StringConstraints(pattern=r"^[0-9*#wW]{1,64}$")]


class SuperviseIn(BaseModel):
    """How to be in a rep's call: only hear, be heard by the rep, or be heard by both."""

    model_config = ConfigDict(extra="forbid")

    mode: Literal["listen", "whisper", "barge"]


class ParticipantIn(BaseModel):
    """Whom to bring into a call: a member, or an outside number."""

    model_config = ConfigDict(extra="forbid")

    user_id: UUID | None = None
    phone: Phone | None = None

    @model_validator(mode="after")
    def one_of_them(self) -> Self:
        """A member or a number, not both."""
        if (self.user_id is None) == (not self.phone):
            raise ValueError("Give either a user_id or a phone.")
        return self


class TransferIn(ParticipantIn):
    """To whom, and how: warm (talk to them first) or cold (leave at once)."""

    kind: Literal["warm", "cold"] = "warm"


class NoteIn(BaseModel):
    """The note of a call, also while talking."""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, StringConstraints(max_length=10_000)]


class AuditEntry(BaseModel):
    """Something somebody did in a call; Ringside itself where `actor` is null."""

    id: UUID
    at: datetime
    action: str
    detail: dict[str, Any]
    actor: LegUser | None


class AuditPage(BaseModel):
    """A page of what was done in a call."""

    data: list[AuditEntry]
    next_cursor: str | None


class DispositionIn(BaseModel):
    """How the call went: the value of a disposition. A note left out stays as it is.

    With `callback_at` there is a task to call back then, whatever the disposition.
    """

    model_config = ConfigDict(extra="forbid")

    disposition: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100, pattern=r"^[^\x00]*$")]
    note: Annotated[str | None, StringConstraints(max_length=10_000)] = None
    callback_at: Moment | None = None


def _states(value: object) -> object:
    return [part for part in value.split(",") if part] if isinstance(value, str) else value


class CallFilter(PageQuery):
    """Which calls."""

    contact_id: UUID | None = None
    user_id: UUID | None = None
    queue_id: UUID | None = None
    state: Annotated[
        list[CallState] | None,
        BeforeValidator(_states),
        Field(max_length=9, description="One state, or several with commas.", json_schema_extra={"type": "string"}),
    ] = None
    outcome: Outcome | None = None
    disposition: Annotated[str | None, StringConstraints(max_length=40, pattern=r"^[a-z0-9_]*$")] = None
    connected: Annotated[
        bool | None,
        Field(
            description="Whether it counts as connected: its disposition says so or, without one, a person answered. With since."
        ),
    ] = None
    since: Moment | None = None
