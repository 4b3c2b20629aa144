"""What happens to endpoints of outgoing webhooks. No event tells of a single delivery: it would be an event for each event.

None of these is itself sent (`hub.outgoing.delivering.may_be_sent`), and none holds a URL, in which there may be somebody's key.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel

from hub.events import Event, declare


class WebhookInEvent(BaseModel):
    """The endpoint, by its host."""

    id: UUID
    host: str
    state: str
    reason: str


class WebhookData(BaseModel):
    """The endpoint as it is now."""

    webhook: WebhookInEvent


_FIELDS = ("webhook.host", "webhook.state", "webhook.reason")


@declare
@dataclass(frozen=True, slots=True)
class WebhookCreated(Event):
    """Somebody had events sent to another system."""

    type = "webhook.created"
    subject_kind = "webhook"
    data_model = WebhookData
    audited = True
    audit_fields = _FIELDS


@declare
@dataclass(frozen=True, slots=True)
class WebhookUpdated(Event):
    """Somebody changed where or which events are sent."""

    type = "webhook.updated"
    subject_kind = "webhook"
    data_model = WebhookData
    audited = True
    audit_fields = _FIELDS


@declare
@dataclass(frozen=True, slots=True)
class WebhookStateChanged(Event):
    """An endpoint was paused, goes on, or was given up."""

    type = "webhook.state_changed"
    subject_kind = "webhook"
    data_model = WebhookData
    audited = True
    audit_fields = _FIELDS


@declare
@dataclass(frozen=True, slots=True)
class WebhookSecretRotated(Event):
    """An endpoint has a new secret; the one before signs as well for a day."""

    type = "webhook.secret_rotated"
    subject_kind = "webhook"
    data_model = WebhookData
    audited = True
    audit_fields = _FIELDS


@declare
@dataclass(frozen=True, slots=True)
class WebhookDeleted(Event):
    """No events are sent there any more."""

    type = "webhook.deleted"
    subject_kind = "webhook"
    data_model = WebhookData
    audited = True
    audit_fields = _FIELDS
