"""What happens to exports, erasures and retention. Only those with the managers' events see how far they are."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel

from hub.events import MANAGERS, Event, declare
from hub.privacy.models import Kind, Retention, State


class PrivacyRequestData(BaseModel):
    """How far a request is. Whose data it is about, only those learn who may ask for it."""

    id: UUID
    kind: Kind
    state: State
    step: str
    done: int
    total: int


class RetentionData(BaseModel):
    """How long what is kept from now on."""

    retention: Retention


class Erased(BaseModel):
    """What is gone; an emptied place of the log says neither."""

    kind: str | None
    id: UUID | None


@declare
@dataclass(frozen=True, slots=True)
class PrivacyRequestChanged(Event):
    """A request was made, is further, or has ended."""

    type = "privacy_request.changed"
    subject_kind = "privacy_request"
    data_model = PrivacyRequestData
    audience: str = MANAGERS


@declare
@dataclass(frozen=True, slots=True)
class RetentionUpdated(Event):
    """The company keeps things for another time."""

    type = "retention.updated"
    subject_kind = "tenant"
    data_model = RetentionData
    audited = True
    audit_fields = ("retention",)
    audience: str = MANAGERS


@declare
@dataclass(frozen=True, slots=True)
class RecordErased(Event):
    """Somebody's data was erased: what is shown of it goes. Earlier events about it say no more than this either."""

    type = "record.erased"
    subject_kind = "record"
    data_model = Erased
