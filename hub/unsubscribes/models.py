"""Unsubscribing as it goes out."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

Way = Literal["one_click", "page", "reply"]


class UnsubscribedContact(BaseModel):
    """A contact."""

    id: UUID
    name: str


class Unsubscribe(BaseModel):
    """Somebody wants no more mail. `words` is what they wrote, when it was a reply."""

    id: UUID
    address: str
    contact: UnsubscribedContact | None
    send_id: UUID | None
    way: Way
    words: str
    at: datetime
    undone_at: datetime | None


class UnsubscribePage(BaseModel):
    """A page of those who unsubscribed, newest first."""

    data: list[Unsubscribe]
    next_cursor: str | None
