"""Shapes of the job ledger's API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from hub.http.paging import PageQuery

JobState = Literal["ready", "running", "done", "dead", "dropped"]


class JobOut(BaseModel):
    """A job. `attempts` counts since it was made, or since an admin last retried it."""

    id: UUID
    kind: str
    state: JobState
    args: dict[str, Any]
    attempts: int
    max_attempts: int
    run_at: datetime
    last_error: str | None
    created_at: datetime
    finished_at: datetime | None


class JobPage(BaseModel):
    """Jobs, newest first."""

    data: list[JobOut]
    next_cursor: str | None


class JobFilter(PageQuery):
    """Which jobs to list."""

    state: Annotated[JobState | None, Field(description="Only jobs in this state; `dead` are those that failed for good.")] = None
    kind: Annotated[str | None, Field(max_length=100, description="Only jobs of this kind, such as calls.dial.")] = None


class JobData(BaseModel):
    """What the events about a job carry."""

    job: JobOut
