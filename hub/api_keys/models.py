"""API keys as they go in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from hub.http.paging import PageQuery

MOST_DAYS = 366


class KeyOwner(BaseModel):
    """The person in whose place a key acts."""

    id: UUID
    name: str


class ApiKey(BaseModel):
    """A key, without what makes it one: `hint` is how it begins. What is ended or has run out opens nothing."""

    id: UUID
    name: str
    hint: str
    scopes: list[str]
    user: KeyOwner
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    last_used_from: str | None
    ended_at: datetime | None


class NewApiKey(ApiKey):
    """A key that was made just now. This is the only time that `key` is shown."""

    key: str


class ApiKeyPage(BaseModel):
    """A page of keys."""

    data: list[ApiKey]
    next_cursor: str | None


class ApiKeyIn(BaseModel):
    """A new key for oneself."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    scopes: Annotated[list[str], Field(min_length=1, max_length=200, description="Permissions one has oneself.")]
    expires_in_days: Annotated[int, Field(ge=1, le=MOST_DAYS, strict=True)] = 90


class ApiKeyFilter(PageQuery):
    """Whose keys: one's own, or everybody's for those who may set how people sign in."""

    everybody: bool = False
