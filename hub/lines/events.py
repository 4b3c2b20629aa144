"""What happens to reps' open lines and to the company's voice settings."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hub.events import Event, declare
from hub.lines.models import Line, VoiceSettings


class LineData(BaseModel):
    """The line as it is now."""

    line: Line


class VoiceSettingsData(BaseModel):
    """The settings as they are now."""

    settings: VoiceSettings


@declare
@dataclass(frozen=True, slots=True)
class LineChanged(Event):
    """A rep's line is being opened, is open, moved, or ended."""

    type = "line.changed"
    subject_kind = "line"
    data_model = LineData


@declare
@dataclass(frozen=True, slots=True)
class VoiceSettingsUpdated(Event):
    """The company settled its calls differently."""

    type = "voice_settings.updated"
    subject_kind = "tenant"
    data_model = VoiceSettingsData
    audited = True
    audit_fields = ("settings",)
