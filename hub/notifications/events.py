"""What happens to notifications. Only their person hears of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel

from hub.events import Event, declare
from hub.notifications.models import Notification, WhatChanged


class NotificationData(BaseModel):
    """The notification as it is now."""

    notification: Notification


class AllRead(BaseModel):
    """Everything up to this moment is read."""

    read_at: datetime


@declare
@dataclass(frozen=True, slots=True)
class NotificationCreated(Event):
    """There is something its person should know."""

    type = "notification.created"
    subject_kind = "notification"
    data_model = NotificationData


@declare
@dataclass(frozen=True, slots=True)
class NotificationRead(Event):
    """Its person has read it."""

    type = "notification.read"
    subject_kind = "notification"
    data_model = NotificationData


@declare
@dataclass(frozen=True, slots=True)
class NotificationsAllRead(Event):
    """Somebody has read all of theirs."""

    type = "notification.all_read"
    subject_kind = "user"
    data_model = AllRead


class SettingsData(BaseModel):
    """Which part is otherwise now."""

    what: WhatChanged


@declare
@dataclass(frozen=True, slots=True)
class NotificationSettingsChanged(Event):
    """Somebody wants to be told otherwise, or on other devices. Only they hear of it."""

    type = "notification_settings.changed"
    subject_kind = "user"
    data_model = SettingsData
