"""Notifications as they go out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

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
