"""Queues, their items and sessions as they go in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from hub.contacts.models import Moment
from hub.dialer.states import ItemState, Order, QueueState, SessionState
from hub.http.paging import EARLIEST, LATEST, PageQuery

MAX_LISTED = 10_000

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Lines = Annotated[int, Field(strict=True, ge=1, le=5)]
RingS = Annotated[int, Field(strict=True, ge=15, le=120, description="At least 15 seconds of ringing: 16 CFR 310.4(b)(4)(ii).")]
CountdownS = Annotated[int, Field(strict=True, ge=0, le=300)]
CapPerMille = Annotated[
    int, Field(strict=True, ge=0, le=30, description="At most 30: 16 CFR 310.4(b)(4)(i) allows three percent.")
]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
ContactIds = Annotated[list[UUID], Field(min_length=1, max_length=MAX_LISTED)]


def _written(value: Any) -> Any:
    # A number would be taken for seconds since 1970.
    if value is not None and not isinstance(value, str | datetime):
        raise ValueError("Write the time as text, for example 2026-03-01T10:00:00Z.")
    return value


class SavedFilter(BaseModel):
    """Which contacts: the filters of the contact list, and the search."""

    model_config = ConfigDict(extra="forbid")

    q: Annotated[str | None, StringConstraints(strip_whitespace=True, max_length=200)] = None
    owner_id: UUID | None = None
    stage: Annotated[str | None, Field(max_length=60)] = None
    tag: Annotated[str | None, Field(max_length=60)] = None
    company: Annotated[str | None, Field(max_length=200, description="The company's name or its beginning.")] = None
    updated_since: Moment | None = None


class Retry(BaseModel):
    """When somebody is called again. What is null follows the company's dispositions."""

    model_config = ConfigDict(extra="forbid")

    busy_s: Annotated[int | None, Field(strict=True, ge=60, le=2_592_000)] = None
    no_answer_s: Annotated[int | None, Field(strict=True, ge=60, le=2_592_000)] = None
    attempts: Annotated[int | None, Field(strict=True, ge=1, le=20)] = None


class QueueIn(BaseModel):
    """A new queue: from a saved filter, from a list of contacts, or empty."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    filter: SavedFilter | None = None
    contact_ids: ContactIds | None = None
    members: Annotated[list[UUID], Field(max_length=500)] = []
    order: Order = "local_time"
    lines: Lines = 1
    ring_s: RingS = 25
    countdown_s: CountdownS = 5
    abandon_cap_per_mille: CapPerMille = 30
    retry: Retry = Retry()

    @model_validator(mode="after")
    def _one_source(self) -> QueueIn:
        if self.filter is not None and self.contact_ids is not None:
            raise ValueError("Give a filter or contact_ids, not both.")
        return self


class QueuePatch(BaseModel):
    """What to change; what is left out stays. `members` and `retry` replace."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    members: Annotated[list[UUID] | None, Field(max_length=500)] = None
    order: Order | None = None
    lines: Lines | None = None
    ring_s: RingS | None = None
    countdown_s: CountdownS | None = None
    abandon_cap_per_mille: CapPerMille | None = None
    retry: Retry | None = None


class ItemsIn(BaseModel):
    """Contacts to add. Those who are in the queue already stay as they are."""

    model_config = ConfigDict(extra="forbid")

    contact_ids: ContactIds


class SomebodyOut(BaseModel):
    """A member by name."""

    id: UUID
    name: str


class Counts(BaseModel):
    """Items by state. `later` are retries that wait for their time, and not among `waiting`."""

    waiting: int
    later: int
    callback: int
    claimed: int
    dialing: int
    done: int
    skipped: int
    total: int


class Fill(BaseModel):
    """How far the saved filter has become items."""

    state: Literal["filling", "filled", "failed"]
    error: str | None


class RetryOut(BaseModel):
    """When somebody is called again; null follows the company's dispositions."""

    busy_s: int | None
    no_answer_s: int | None
    attempts: int | None


class Queue(BaseModel):
    """A queue. `counts` are as of `counted_at`; the progress endpoint counts anew."""

    id: UUID
    name: str
    filter: dict[str, Any] | None
    order: Order
    state: QueueState
    lines: int
    ring_s: int
    countdown_s: int
    abandon_cap_per_mille: int
    retry: RetryOut
    members: list[SomebodyOut]
    fill: Fill
    counts: Counts
    counted_at: datetime
    one_line_since: datetime | None
    started_at: datetime | None
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime


class QueuePage(BaseModel):
    """A page of queues."""

    data: list[Queue]
    next_cursor: str | None


class QueueQuery(PageQuery):
    """Which queues."""

    state: QueueState | None = None


class ItemContact(BaseModel):
    """Whom an item is about."""

    id: UUID
    name: str
    company: str
    title: str
    stage: str


class Item(BaseModel):
    """A contact of a queue: how often it was called, how that ended, what it waits for or why it was skipped."""

    id: UUID
    queue_id: UUID
    contact: ItemContact
    state: ItemState
    attempts: int
    not_before: datetime | None
    callback_for: UUID | None
    last_outcome: str | None
    reason_code: str | None
    reason: str | None
    phone: str | None
    call_id: UUID | None
    claimed_by: SomebodyOut | None


class ItemPage(BaseModel):
    """A page of items."""

    data: list[Item]
    next_cursor: str | None


class ItemQuery(PageQuery):
    """Which items."""

    state: ItemState | None = None


class Card(BaseModel):
    """A contact in the rep's hands. `permit` says in words why they may be called."""

    item_id: UUID
    contact: ItemContact
    phone: str | None
    attempts: int
    zones: list[str]
    local_time: str | None
    permit_id: UUID | None
    permit: str | None
    last_outcome: str | None
    callback_at: datetime | None
    call_id: UUID | None


class SessionQueue(BaseModel):
    """The queue a session is in."""

    id: UUID
    name: str
    state: QueueState
    lines: int


class Session(BaseModel):
    """A rep at work in a queue. `dial_at` is when the countdown ends, `note` what it waits for, in words."""

    id: UUID
    queue: SessionQueue
    user: SomebodyOut
    state: SessionState
    since: datetime
    next: Card | None
    current: list[Card]
    call_id: UUID | None
    dial_at: datetime | None
    look_at: datetime | None
    note: str | None
    lines: int
    lines_used: int
    lines_note: str | None
    is_automatic: bool
    pause_asked: bool
    leave_asked: bool
    calls: int
    connected: int
    started_at: datetime
    ended_at: datetime | None


class SessionList(BaseModel):
    """Sessions that are under way."""

    data: list[Session]
    next_cursor: str | None


class CurrentSession(BaseModel):
    """One's own session, if there is one."""

    session: Session | None


class JoinIn(BaseModel):
    """With how many lines to work (the queue's, when left out)."""

    model_config = ConfigDict(extra="forbid")

    lines: Lines | None = None


class SkipIn(BaseModel):
    """Why the prepared contact is not to be called."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class CallbackIn(BaseModel):
    """When to call: the contact one is on the telephone with or writes up, else the prepared one."""

    model_config = ConfigDict(extra="forbid")

    at: Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST), BeforeValidator(_written)]


class OutcomeCount(BaseModel):
    """Items whose last call ended so."""

    outcome: str
    items: int


class SkippedCount(BaseModel):
    """Items that were skipped for one kind of reason."""

    code: str
    items: int


class Pace(BaseModel):
    """What the abandonment cap leaves: the campaign's present thirty days, the last thirty days, and the lines allowed now."""

    answered: int
    abandoned: int
    answered_30: int
    abandoned_30: int
    under_way: int
    cap_per_mille: int
    lines: int


class Progress(BaseModel):
    """How a queue stands, counted now."""

    queue_id: UUID
    counts: Counts
    outcomes: list[OutcomeCount]
    skipped: list[SkippedCount]
    next_at: datetime | None
    pace: Pace
    sessions: list[Session]
