"""The audit log as it goes out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from hub.contacts.models import Moment
from hub.http.paging import PageQuery

Action = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]*)*$", max_length=80),
    Field(description="An action, or what it begins with: `member.updated`, `recording.`"),
]


class AuditFilter(PageQuery):
    """Which entries."""

    actor_id: UUID | None = None
    action: Action | None = None
    subject_id: UUID | None = None
    since: Annotated[Moment | None, Field(description="From this moment on.")] = None
    until: Annotated[Moment | None, Field(description="Before this moment.")] = None


class AuditExport(BaseModel):
    """Which entries, all of them."""

    model_config = ConfigDict(extra="forbid")

    actor_id: UUID | None = None
    action: Action | None = None
    subject_id: UUID | None = None
    since: Moment | None = None
    until: Moment | None = None


class AuditActor(BaseModel):
    """Who did it; the name is null for who is not here any more."""

    id: UUID
    name: str | None


class AuditSubject(BaseModel):
    """To what it was done; the name is null for what is gone or has none."""

    kind: str
    id: UUID | None
    name: str | None


class AuditEntryOut(BaseModel):
    """Who did what to which, when and from where. Without an actor it was Ringside itself, or nobody known."""

    id: UUID
    at: datetime
    action: str
    actor: AuditActor | None
    address: Annotated[str, Field(description="The network address it was asked from; empty where nobody asked.")]
    subject: AuditSubject | None
    details: dict[str, Any]
    request_id: str


class AuditPage(BaseModel):
    """A page of the log."""

    data: list[AuditEntryOut]
    next_cursor: str | None


class AuditActions(BaseModel):
    """The actions that occur in the log."""

    data: list[str]
