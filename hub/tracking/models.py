"""Tracking as it goes in and out."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from hub.tracking.regions import COUNTRIES, GROUPS

Switch = Literal["off", "on"]

_DOMAIN = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


def _region(value: str) -> str:
    region = value.strip().upper()
    if region not in GROUPS and region not in COUNTRIES:
        raise ValueError(f"{value!r} is no region: give EU, EEA or a country such as DE.")
    return region


def _domain(value: str) -> str:
    domain = value.strip().lower().removeprefix("https://").rstrip("/")
    if domain and _DOMAIN.fullmatch(domain) is None:
        raise ValueError("Give a host name such as links.example.com, without a path.")
    return domain


def _unique(value: list[str]) -> list[str]:
    return list(dict.fromkeys(value))


class TrackingSettings(BaseModel):
    """Where opens and clicks are looked for.

    `off_regions` are regions (EU, EEA) and countries (ISO 3166) in which nothing is tracked, by the contact's telephone numbers
    and the ends of their addresses; `unknown_region` is what holds where those say nothing. `domain` is a host name of one's
    own that points at this server and is used in links once it was seen to (TrackingDomain); empty means the server's address.
    """

    model_config = ConfigDict(extra="forbid")

    opens: Switch = "off"
    clicks: Switch = "off"
    off_regions: Annotated[
        list[Annotated[str, StringConstraints(max_length=10), AfterValidator(_region)]],
        Field(max_length=260),
        AfterValidator(_unique),
    ] = []
    unknown_region: Switch = "on"
    domain: Annotated[str, StringConstraints(max_length=260), AfterValidator(_domain)] = ""


class TrackingDomain(BaseModel):
    """How the domain for links stands. It is used once it was seen to lead here."""

    domain: str
    is_used: bool
    checked_at: datetime | None
    words: str


class TrackingRule(BaseModel):
    """A reason to take an open or a click for a machine's."""

    id: str
    title: str
    kinds: list[Literal["open", "click"]]
    source: str
    values: list[str]
    within_s: float | None


class TrackingRules(BaseModel):
    """Every rule, in the order in which they are asked."""

    data: list[TrackingRule]


class MailActivity(BaseModel):
    """What people did with a mail; machines are left out. `url` is the link that was clicked last."""

    send_id: UUID
    thread_id: UUID | None
    contact_id: UUID | None
    subject: str
    opens: int
    clicks: int
    first_opened_at: datetime | None
    last_opened_at: datetime | None
    first_clicked_at: datetime | None
    last_clicked_at: datetime | None
    url: str | None


class TrackedHit(BaseModel):
    """One fetch, and by which rule it was taken for a machine's. `human` is null until it was judged."""

    kind: Literal["open", "click"]
    at: datetime
    url: str | None
    agent: str
    human: bool | None
    rule: str | None


class TrackedSend(BaseModel):
    """What is known of one mail: whether and why it was tracked, and everything that was fetched, machines included."""

    send_id: UUID
    opens_tracked: bool
    clicks_tracked: bool
    reason: str
    opens: int
    clicks: int
    bot_opens: int
    bot_clicks: int
    hits: list[TrackedHit]
