"""What people do with mail. What machines do is no event."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hub.events import Event, declare
from hub.tracking.models import MailActivity, TrackingSettings


class MailActivityData(BaseModel):
    """The mail and what was done with it."""

    activity: MailActivity


class TrackingSettingsData(BaseModel):
    """The settings as they are now."""

    settings: TrackingSettings


@declare
@dataclass(frozen=True, slots=True)
class MailOpened(Event):
    """A person opened a mail."""

    type = "mail.opened"
    subject_kind = "mail_send"
    data_model = MailActivityData


@declare
@dataclass(frozen=True, slots=True)
class MailClicked(Event):
    """A person followed a link of a mail."""

    type = "mail.clicked"
    subject_kind = "mail_send"
    data_model = MailActivityData


@declare
@dataclass(frozen=True, slots=True)
class TrackingSettingsUpdated(Event):
    """The company's settings of tracking changed."""

    type = "tracking_settings.updated"
    subject_kind = "tenant"
    data_model = TrackingSettingsData
    audited = True
    audit_fields = ("settings",)
