"""Telephone numbers as they go in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from hub.http.paging import PageQuery
from hub.teams.models import Teammate

NumberState = Literal["buying", "active", "releasing", "released", "failed"]
RouteKind = Literal["assigned", "rep", "team_in_turn", "team_at_once", "voicemail"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Greeting = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("There is no such time zone. It looks like America/New_York.") from None
    return name


Zone = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60), AfterValidator(_known_zone)]
Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$")]


class Span(BaseModel):
    """From when until when on a day, by the number's own clock: 09:00 to 17:30; the end of the day is 24:00."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    from_: Annotated[Clock, Field(alias="from", serialization_alias="from")]
    to: Clock

    @model_validator(mode="after")
    def _forward(self) -> Span:
        if self.from_ >= self.to:
            raise ValueError("The end must come after the beginning, on the same day.")
        return self


Hours = Annotated[dict[Weekday, Annotated[list[Span], Field(max_length=6)]], Field(max_length=7)]


class NamedTeam(BaseModel):
    """A team."""

    id: UUID
    name: str


class Routing(BaseModel):
    """Who answers. `assigned`: whom the number is assigned to. Without `hours` always; else voicemail outside them."""

    kind: RouteKind
    user: Teammate | None
    team: NamedTeam | None
    hours: Hours | None
    ring_s: int
    voicemail: bool
    greeting: str
    closed_greeting: str


class Number(BaseModel):
    """A number. The `shared` one is the installation's own: it has no id, and is shown where no other fits."""

    id: UUID | None
    e164: str
    label: str
    state: NumberState
    error: str | None
    country: str
    region: str
    locality: str
    area_code: str
    time_zone: str
    voice: bool
    sms: bool
    shared: bool
    user: Teammate | None
    team: NamedTeam | None
    routing: Routing | None
    created_at: datetime | None


class NumberPage(BaseModel):
    """A page of numbers."""

    data: list[Number]
    next_cursor: str | None


class NumberFilter(PageQuery):
    """Which numbers."""

    every: Annotated[bool, Field(description="Also those that were given back or could not be bought.")] = False


class AvailableFilter(BaseModel):
    """What to look for among the numbers on sale."""

    model_config = ConfigDict(extra="forbid")

    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), BeforeValidator(lambda v: str(v).upper())] = "US"
    area_code: Annotated[str | None, StringConstraints(pattern=r"^[2-9][0-9]{2}$")] = None
    contains: Annotated[str | None, StringConstraints(pattern=r"^[0-9A-Za-z*]{2,16}$")] = None
    kind: Literal["local", "toll_free", "mobile"] = "local"
    limit: Annotated[int, Field(ge=1, le=50)] = 20


class Available(BaseModel):
    """A number on sale."""

    e164: str
    locality: str
    region: str
    country: str
    voice: bool
    sms: bool


class AvailablePage(BaseModel):
    """Numbers on sale."""

    data: list[Available]
    next_cursor: str | None


class NumberIn(BaseModel):
    """A number to buy."""

    model_config = ConfigDict(extra="forbid")

    e164: Annotated[str, StringConstraints(strip_whitespace=True, min_length=4, max_length=40)]
    label: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)] = ""
    locality: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)] = ""


class RoutingPatch(BaseModel):
    """What to change of who answers; what is left out stays. `hours` null is always."""

    model_config = ConfigDict(extra="forbid")

    kind: RouteKind | None = None
    user_id: UUID | None = None
    team_id: UUID | None = None
    hours: Hours | None = None
    ring_s: Annotated[int | None, Field(ge=5, le=120)] = None
    voicemail: bool | None = None
    greeting: Greeting | None = None
    closed_greeting: Greeting | None = None

    @model_validator(mode="after")
    def _complete(self) -> RoutingPatch:
        if self.kind == "rep" and self.user_id is None:
            raise ValueError("Say whom to ring: user_id.")
        if self.kind in ("team_in_turn", "team_at_once") and self.team_id is None:
            raise ValueError("Say which team to ring: team_id.")
        if self.kind is None and (self.user_id is not None or self.team_id is not None):
            raise ValueError("Say how to ring them: kind.")
        return self


class NumberPatch(BaseModel):
    """What to change of a number; what is left out stays. It is a person's, a team's, or (both null) everybody's."""

    model_config = ConfigDict(extra="forbid")

    label: Annotated[str | None, StringConstraints(strip_whitespace=True, max_length=80)] = None
    time_zone: Zone | None = None
    user_id: UUID | None = None
    team_id: UUID | None = None
    routing: RoutingPatch | None = None

    @model_validator(mode="after")
    def _one_owner(self) -> NumberPatch:
        if self.user_id is not None and self.team_id is not None:
            raise ValueError("A number is a person's or a team's, not both.")
        return self
