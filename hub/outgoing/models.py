"""Endpoints of outgoing webhooks and what was sent to them, as they go in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from hub.http.paging import PageQuery

EndpointState = Literal["active", "paused", "failing"]
DeliveryState = Literal["waiting", "accepted", "failed", "gone"]
Url = Annotated[str, StringConstraints(strip_whitespace=True, min_length=8, max_length=2000)]
Description = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Types = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=100)]] | None,
    Field(min_length=1, max_length=500, description="Types of events, as GET /webhooks/types lists them; null for all."),
]


class EndpointMaker(BaseModel):
    """The person whose eyes decide: what they may see is sent."""

    id: UUID
    name: str


class WebhookEndpoint(BaseModel):
    """Where events are sent.

    `reason` says why it is not active. `waiting` is how much is still to be sent, up to 1,000; `missed` how many events of the
    log were gone before it came to them. Until `rotating_until` the secret before signs as well.
    """

    id: UUID
    url: str
    description: str
    types: list[str] | None
    state: EndpointState
    reason: str
    user: EndpointMaker
    missed: int
    waiting: int
    next_at: datetime | None
    accepted_at: datetime | None
    refused_at: datetime | None
    rotating_until: datetime | None
    created_at: datetime
    updated_at: datetime


class NewWebhookEndpoint(WebhookEndpoint):
    """An endpoint that was made just now, with the secret that signs what is sent."""

    secret: str


class WebhookEndpointList(BaseModel):
    """All endpoints of the company."""

    data: list[WebhookEndpoint]
    next_cursor: None = None


class WebhookEndpointIn(BaseModel):
    """A new endpoint."""

    model_config = ConfigDict(extra="forbid")

    url: Url
    description: Description = ""
    types: Types = None


class WebhookEndpointPatch(BaseModel):
    """Changes to an endpoint. What is left out stays."""

    model_config = ConfigDict(extra="forbid")

    url: Url | None = None
    description: Description | None = None
    types: Types = None


class ResumeIn(BaseModel):
    """How to go on: `skip` leaves out the delivery that was given up last, which is tried first otherwise."""

    model_config = ConfigDict(extra="forbid")

    skip: bool = False


class WebhookSecret(BaseModel):
    """The secret, as libraries of Standard Webhooks want it."""

    secret: str


class EventTypeInfo(BaseModel):
    """A type of event, and what it says."""

    type: str
    words: str


class EventTypeList(BaseModel):
    """The types of events that may be sent."""

    data: list[EventTypeInfo]


class WebhookDelivery(BaseModel):
    """One event to one endpoint. `status` is what was answered last, `words` what went wrong; gone: it can't be sent any more."""

    id: UUID
    kind: Literal["event", "replay", "test"]
    event_id: UUID
    type: str
    event_at: datetime
    state: DeliveryState
    attempts: int
    next_at: datetime | None
    tried_at: datetime | None
    took_ms: int | None
    status: int | None
    words: str
    created_at: datetime


class WebhookDeliveryDetail(WebhookDelivery):
    """A delivery with what is sent (null when the log has it no more, or one may not see it) and how the answer began."""

    body: dict[str, Any] | None
    answer: str


class WebhookDeliveryPage(BaseModel):
    """A page of deliveries, the newest first."""

    data: list[WebhookDelivery]
    next_cursor: str | None


class DeliveryFilter(PageQuery):
    """Which deliveries."""

    state: DeliveryState | None = None


class ReplayIn(BaseModel):
    """Which span of time to send again: from one moment to before another."""

    model_config = ConfigDict(extra="forbid")

    from_at: AwareDatetime
    until_at: AwareDatetime


class Replayed(BaseModel):
    """How many events are sent again."""

    count: int
