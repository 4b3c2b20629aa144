"""What happens around permits."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hub.events import MANAGERS, Event, declare
from hub.permits.models import Consent, PermitOut, PermitSettings, QuietDay, Suppression


class PermitData(BaseModel):
    """The decision."""

    permit: PermitOut


class SuppressionData(BaseModel):
    """The entry."""

    suppression: Suppression


class ConsentData(BaseModel):
    """What the contact has said."""

    consent: Consent


class PermitSettingsData(BaseModel):
    """The settings as they are now."""

    settings: PermitSettings


class QuietDaysData(BaseModel):
    """The quiet days as they are now."""

    quiet_days: list[QuietDay]


@declare
@dataclass(frozen=True, slots=True)
class PermitRefused(Event):
    """Somebody wanted to reach a contact and was refused."""

    type = "permit.refused"
    subject_kind = "permit"
    data_model = PermitData
    audience: str = MANAGERS


@declare
@dataclass(frozen=True, slots=True)
class PermitOverridden(Event):
    """An admin set a refusal aside."""

    type = "permit.overridden"
    subject_kind = "permit"
    data_model = PermitData
    audited = True
    audience: str = MANAGERS


@declare
@dataclass(frozen=True, slots=True)
class SuppressionAdded(Event):
    """Somebody is not to be reached any more, or an entry became stricter."""

    type = "suppression.added"
    subject_kind = "suppression"
    data_model = SuppressionData
    audited = True
    audit_fields = ("suppression.kind",)


@declare
@dataclass(frozen=True, slots=True)
class SuppressionRemoved(Event):
    """Somebody was taken off the suppression list."""

    type = "suppression.removed"
    subject_kind = "suppression"
    data_model = SuppressionData
    audited = True
    audit_fields = ("suppression.kind",)


@declare
@dataclass(frozen=True, slots=True)
class ConsentChanged(Event):
    """A contact's word about a channel was recorded."""

    type = "consent.changed"
    subject_kind = "contact"
    data_model = ConsentData
    audited = True
    audit_fields = ("consent.channel", "consent.state")


@declare
@dataclass(frozen=True, slots=True)
class PermitSettingsUpdated(Event):
    """The company's own rules changed."""

    type = "permit_settings.updated"
    subject_kind = "tenant"
    data_model = PermitSettingsData
    audited = True
    audit_fields = ("settings",)


@declare
@dataclass(frozen=True, slots=True)
class QuietDaysUpdated(Event):
    """The company's quiet days changed."""

    type = "quiet_days.updated"
    subject_kind = "tenant"
    data_model = QuietDaysData
    audited = True
