"""The floor as managers see it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from hub.calls.models import Call
from hub.contacts.models import Moment
from hub.http.paging import PageQuery
from hub.presence.models import Person, PersonUser


class FloorQuery(BaseModel):
    """Since when 'today' counts; midnight in the company's time zone when left out."""

    model_config = ConfigDict(extra="forbid")

    since: Moment | None = None


class Today(BaseModel):
    """The day's calls in numbers. talk_s is in seconds.

    A call counts as connected when its disposition says so, or, without one, when it was answered by a person.
    connect_rate is the share of those among the calls that are over, from 0 to 1; null before the first one is.
    """

    since: datetime
    calls: int
    connected: int
    connect_rate: float | None
    meetings: int
    by_outcome: dict[str, int]
    by_disposition: dict[str, int]
    talk_s: int


class Score(BaseModel):
    """What one person did today. GET /calls with user_id and since has the calls behind it."""

    user: PersonUser
    calls: int
    connected: int
    talk_s: int
    meetings: int


class QueueProgress(BaseModel):
    """How far a queue has come. `one_line_since` is when the abandonment cap took its parallel lines away."""

    id: UUID
    name: str
    state: Literal["running", "paused"]
    lines: int
    one_line_since: datetime | None
    reps: int
    total: int
    left: int
    done: int
    skipped: int


class AlertSubject(BaseModel):
    """Whom or what an alert is about."""

    kind: Literal["user", "queue"]
    id: UUID
    name: str


class Alert(BaseModel):
    """Something managers are warned of, until it has passed."""

    id: UUID
    kind: Literal["rep_idle", "queue_empty", "abandonment"]
    subject: AlertSubject
    message: str
    raised_at: datetime
    cleared_at: datetime | None


class Floor(BaseModel):
    """Everything on the floor at one moment; events after `seq` follow on the socket. Alerts are for managers."""

    epoch: UUID
    seq: int
    at: datetime
    people: list[Person]
    live_calls: list[Call]
    today: Today
    leaderboard: list[Score]
    queues: list[QueueProgress]
    alerts: list[Alert]
    recent: list[dict[str, Any]]


class RepIdleRule(BaseModel):
    """A rep is online and on no call for so many minutes."""

    model_config = ConfigDict(extra="forbid")

    on: StrictBool
    minutes: Annotated[int, Field(strict=True, ge=1, le=480)]


class QueueEmptyRule(BaseModel):
    """A running queue has so many contacts left, or fewer."""

    model_config = ConfigDict(extra="forbid")

    on: StrictBool
    contacts_left: Annotated[int, Field(strict=True, ge=0, le=1000)]


class AbandonmentRule(BaseModel):
    """A queue's share of abandoned calls over 30 days has come to so many percent of its cap."""

    model_config = ConfigDict(extra="forbid")

    on: StrictBool
    percent_of_cap: Annotated[int, Field(strict=True, ge=10, le=100)]


class AlertRules(BaseModel):
    """What managers are warned of, and whether they also get a notification."""

    model_config = ConfigDict(extra="forbid")

    rep_idle: RepIdleRule
    queue_empty: QueueEmptyRule
    abandonment: AbandonmentRule
    notify: StrictBool


class AlertFilter(PageQuery):
    """Which alerts."""

    open: Annotated[bool, Field(description="Only those that have not passed.")] = False


class AlertPage(BaseModel):
    """The rules, and a page of the alerts they raised, newest first."""

    rules: AlertRules
    data: list[Alert]
    next_cursor: str | None
