"""Permits, suppressions, consent, quiet days and their settings as they go in and out."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StringConstraints, model_validator

from hub.contacts.models import Moment
from hub.http.paging import PageQuery

Channel = Literal["call", "sms", "email"]
SuppressionKind = Literal["phone", "email", "domain", "contact", "company"]
SuppressionChannel = Literal["all", "call", "sms", "email"]
Source = Literal["person", "contact", "stop", "disposition", "bounce", "list", "unsubscribe", "complaint"]
Code = Literal[
    "allowed",
    "allowed_in_practice",
    "overridden",
    "do_not_contact",
    "suppressed",
    "consent_denied",
    "consent_missing",
    "no_place",
    "quiet_day",
    "holiday",
    "closed_day",
    "outside_hours",
    "called_too_often",
]

Reason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
Quarter = Annotated[
    int, Field(strict=True, ge=0, le=1440, multiple_of=15, description="Minutes after midnight at the contact's place.")
]


def _weekdays(value: list[int]) -> list[int]:
    return sorted(set(value))


Weekdays = Annotated[
    list[Annotated[int, Field(strict=True, ge=1, le=7)]],
    Field(min_length=1, max_length=7, description="1 is Monday, 7 is Sunday."),
    AfterValidator(_weekdays),
]


class Named(BaseModel):
    """A member."""

    id: UUID
    name: str


class Override(BaseModel):
    """Who set a refusal aside, and why."""

    by: Named
    reason: str


class PermitOut(BaseModel):
    """A decision about one outreach. `facts` is what it was decided from; `explanation` says it in words."""

    id: UUID
    contact_id: UUID
    contact_name: str
    channel: Channel
    address: str
    user: Named | None
    allowed: bool
    code: Code
    explanation: str
    rule_version: str
    facts: dict[str, Any]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    next_allowed_at: datetime | None
    override: Override | None
    queue_item_id: UUID | None


class PermitPage(BaseModel):
    """Decisions, newest first."""

    data: list[PermitOut]
    next_cursor: str | None


class PermitLook(BaseModel):
    """What the decision would be now. Nothing is written down."""

    contact_id: UUID
    channel: Channel
    address: str
    allowed: bool
    code: Code
    explanation: str
    rule_version: str
    facts: dict[str, Any]
    next_allowed_at: datetime | None
    overridable: bool


class PermitQuery(BaseModel):
    """By which channel, and on which of the contact's numbers or addresses (their first when left out)."""

    model_config = ConfigDict(extra="forbid")

    channel: Channel = "call"
    phone: Annotated[str | None, Field(max_length=100)] = None
    email: Annotated[str | None, Field(max_length=254)] = None


class PermitFilter(PageQuery):
    """Which decisions."""

    contact_id: UUID | None = None
    allowed: bool | None = None
    since: Moment | None = None


class PermitSettings(BaseModel):
    """A company's own rules, within the law's. Hours are minutes after midnight, in quarters, at the contact's place.

    `abroad_*` hold in countries whose law is not among the rules. A cap of null is none. A company that practises talks to
    nobody: hours, days and caps are worked out and shown, but refuse nothing.
    """

    model_config = ConfigDict(extra="forbid")

    calls_per_contact_per_day: Annotated[int | None, Field(strict=True, ge=1, le=100)] = 3
    calls_per_contact_per_week: Annotated[int | None, Field(strict=True, ge=1, le=500)] = 7
    hours_start: Quarter = 480
    hours_end: Quarter = 1260
    days: Weekdays = [1, 2, 3, 4, 5, 6, 7]
    abroad_start: Quarter = 540
    abroad_end: Quarter = 1200
    abroad_days: Weekdays = [1, 2, 3, 4, 5, 6]
    require_consent: StrictBool = False
    practice: StrictBool = False

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> PermitSettings:
        for start, end, name in ((self.hours_start, self.hours_end, "hours"), (self.abroad_start, self.abroad_end, "abroad")):
            if start >= end:
                raise ValueError(f"{name}_start must come before {name}_end.")
        return self


class Suppression(BaseModel):
    """Somebody who is not to be reached. The sources contact, stop, unsubscribe and complaint are their own word."""

    id: UUID
    kind: SuppressionKind
    value: str
    channel: SuppressionChannel
    reason: str
    source: Source
    created_by: Named | None
    created_at: datetime
    expires_at: datetime | None


class SuppressionPage(BaseModel):
    """A page of the suppression list, newest first."""

    data: list[Suppression]
    next_cursor: str | None


class SuppressionIn(BaseModel):
    """Whom to put on the list. `contact` as source says that they asked for it themselves."""

    model_config = ConfigDict(extra="forbid")

    kind: SuppressionKind
    value: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=320)]
    channel: SuppressionChannel = "all"
    reason: Reason = ""
    source: Literal["person", "contact", "list"] = "person"
    expires_at: Moment | None = None


class SuppressionFilter(PageQuery):
    """Which entries; `value` is a number's, an address's, a domain's or a company's beginning."""

    kind: SuppressionKind | None = None
    value: Annotated[str | None, Field(max_length=320)] = None


class Consent(BaseModel):
    """What a contact has said about a channel, and where that is from."""

    contact_id: UUID
    channel: Channel
    state: Literal["granted", "denied", "unknown"]
    source: str
    at: datetime
    by: Named | None


class ConsentList(BaseModel):
    """What a contact has said."""

    data: list[Consent]


class ConsentIn(BaseModel):
    """What a contact has said about a channel. `source` is where it is on record."""

    model_config = ConfigDict(extra="forbid")

    channel: Channel
    state: Literal["granted", "denied", "unknown"]
    source: Reason = ""


class QuietDay(BaseModel):
    """A day, at the contact's place, on which the company reaches nobody."""

    model_config = ConfigDict(extra="forbid")

    day: Annotated[date, Field(ge=date(2000, 1, 1), le=date(2100, 12, 31))]
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = ""


class QuietDays(BaseModel):
    """The company's quiet days, in order."""

    model_config = ConfigDict(extra="forbid")

    data: Annotated[list[QuietDay], Field(max_length=1000)]


class Rule(BaseModel):
    """One rule of the law as data, with its source. Hours are minutes after midnight, days ISO weekdays."""

    id: str
    jurisdiction: str
    kind: Literal["hours", "no_contact", "holidays", "frequency"]
    channels: list[Channel]
    days: list[int] | None
    opens: int | None
    closes: int | None
    holidays: list[str] | None
    calls: int | None
    within_hours: int | None
    title: str
    source: str


class Rules(BaseModel):
    """Every rule, and the version of them all."""

    version: str
    data: list[Rule]
