"""Privacy requests and retention as they go in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Kind = Literal["export", "erasure", "retention"]
SubjectKind = Literal["contact", "member", "company"]
State = Literal["waiting", "running", "done", "failed", "canceled"]
_LONGEST_DAYS = 36_500


class PrivacySubject(BaseModel):
    """Whose data it is. The name is empty once they are erased."""

    kind: SubjectKind
    id: UUID
    name: str


class PrivacyPerson(BaseModel):
    """Who asked."""

    id: UUID
    name: str


class PrivacyRequest(BaseModel):
    """An export, an erasure, or a night's retention, and how far it is. `counts` says how much of what it was."""

    id: UUID
    kind: Kind
    subject: PrivacySubject
    state: State
    step: Annotated[str, Field(description="What is being done now, in words.")]
    done: int
    total: int
    counts: dict[str, int]
    bytes: int | None
    has_file: bool
    expires_at: datetime | None
    due_at: Annotated[datetime, Field(description="When it begins; until then it can be taken back.")]
    error: str | None
    created_by: PrivacyPerson | None
    created_at: datetime
    finished_at: datetime | None


class PrivacyRequestPage(BaseModel):
    """A page of requests."""

    data: list[PrivacyRequest]
    next_cursor: str | None


class _About(BaseModel):
    model_config = ConfigDict(extra="forbid")

    subject_kind: SubjectKind
    subject_id: Annotated[UUID | None, Field(description="Which contact or member; left out for the company.")] = None

    @model_validator(mode="after")
    def _fits(self) -> _About:
        if (self.subject_kind == "company") != (self.subject_id is None):
            raise ValueError("Give the subject_id of a contact or a member, and none for the company.")
        return self


class ExportIn(_About):
    """Whose data to put together."""


class ErasureIn(_About):
    """Whose data to erase."""

    confirm: Annotated[
        str,
        StringConstraints(strip_whitespace=True, max_length=300),
        Field(description="The name of who or what is erased, typed in again."),
    ]


Days = Annotated[int | None, Field(ge=30, le=_LONGEST_DAYS)]


class RetentionIn(BaseModel):
    """How many days what is kept; null is for good."""

    model_config = ConfigDict(extra="forbid")

    mail_days: Days = None
    messages_days: Days = None
    calls_days: Days = None
    recordings_days: Annotated[int | None, Field(ge=1, le=_LONGEST_DAYS)] = None
    events_days: Annotated[int | None, Field(ge=7, le=_LONGEST_DAYS)] = None
    audit_days: Days = None


class Retention(BaseModel):
    """How many days what is kept; null is for good, and for the event log as long as the installation keeps it."""

    mail_days: int | None
    messages_days: int | None
    calls_days: int | None
    recordings_days: int | None
    events_days: int | None
    audit_days: int | None
    updated_at: datetime | None
