"""What managers are warned of."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hub.events import MANAGERS, Event, declare
from hub.floor.models import Alert, AlertRules


class AlertData(BaseModel):
    """The alert as it is now."""

    alert: Alert


class AlertRulesData(BaseModel):
    """The rules as they are now."""

    rules: AlertRules


@declare
@dataclass(frozen=True, slots=True)
class AlertRaised(Event):
    """There is something to look at on the floor."""

    type = "alert.raised"
    subject_kind = "alert"
    data_model = AlertData

    audience: str = MANAGERS


@declare
@dataclass(frozen=True, slots=True)
class AlertCleared(Event):
    """It has passed."""

    type = "alert.cleared"
    subject_kind = "alert"
    data_model = AlertData

    audience: str = MANAGERS


@declare
@dataclass(frozen=True, slots=True)
class AlertRulesUpdated(Event):
    """A manager changed what managers are warned of."""

    type = "alert_rules.updated"
    subject_kind = "alert_rules"
    data_model = AlertRulesData
    audited = True
    audit_fields = ("rules",)

    audience: str = MANAGERS
