"""Notifications as they go out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from hub.http.paging import PageQuery


class Notification(BaseModel):
    """Something one person should know, and what it is about."""

    id: UUID
    kind: str
    title: str
    body: str
    subject_kind: str | None
    subject_id: UUID | None
    created_at: datetime
    read_at: datetime | None


class NotificationPage(BaseModel):
    """A page of one's own notifications. `unread` counts to a hundred."""

    data: list[Notification]
    next_cursor: str | None
    unread: int


class NotificationFilter(PageQuery):
    """Which of one's own notifications."""

    unread: Annotated[bool, Field(description="Only those that are not read.")] = False


class ReadAll(BaseModel):
    """How many were read at once."""

    read: int


class Places(BaseModel):
    """Where somebody wants to be told."""

    model_config = ConfigDict(extra="forbid")

    console: bool
    email: bool
    push: bool


class TopicChoice(BaseModel):
    """A topic, and where somebody wants to be told of it."""

    name: str
    label: str
    hint: str
    console: bool
    email: bool
    push: bool


Minute = Annotated[int, Field(ge=0, le=1439, description="Minutes after midnight.")]


class Hours(BaseModel):
    """When somebody wants neither mail nor pushes: from later to earlier is over midnight, from a minute to the same is never."""

    model_config = ConfigDict(extra="forbid")

    quiet: Annotated[bool, Field(description="Are there quiet hours at all?")]
    quiet_from: Minute
    quiet_until: Minute
    quiet_weekends: Annotated[bool, Field(description="All of Saturday and Sunday as well.")]
    zone: Annotated[str, Field(min_length=1, max_length=64, description="An IANA time zone, such as Europe/Berlin.")]


class NotificationSettings(BaseModel):
    """Where somebody wants to be told what, and when not."""

    topics: list[TopicChoice]
    hours: Hours


class NotificationSettingsIn(BaseModel):
    """What shall be otherwise; what is not named stays."""

    model_config = ConfigDict(extra="forbid")

    topics: Annotated[dict[str, Places], Field(max_length=50, description="By the topics' names.")] = {}
    hours: Hours | None = None


class Device(BaseModel):
    """A browser that takes pushes."""

    id: UUID
    device: str
    created_at: datetime
    last_sent_at: datetime | None
    last_error: str | None
    is_this_sign_in: bool


class Devices(BaseModel):
    """One's own devices. `key` is what a browser subscribes with (applicationServerKey, RFC 8292)."""

    key: str
    data: list[Device]


class DeviceIn(BaseModel):
    """A browser's subscription, as PushSubscription.toJSON() has it."""

    model_config = ConfigDict(extra="forbid")

    endpoint: Annotated[str, Field(min_length=10, max_length=2000)]
    p256dh: Annotated[str, Field(min_length=80, max_length=100)]
    auth: Annotated[str, Field(min_length=20, max_length=30)]
    device: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]


WhatChanged = Literal["choices", "devices"]
