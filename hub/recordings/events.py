"""What happens to recordings."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hub.events import Event, declare
from hub.recordings.models import Recording


class RecordingData(BaseModel):
    """The recording as it is now."""

    recording: Recording


@declare
@dataclass(frozen=True, slots=True)
class RecordingStarted(Event):
    """A call is recorded from now on, or again after a pause."""

    type = "recording.started"
    subject_kind = "recording"
    data_model = RecordingData


@declare
@dataclass(frozen=True, slots=True)
class RecordingPaused(Event):
    """A recording listens no more for a while."""

    type = "recording.paused"
    subject_kind = "recording"
    data_model = RecordingData


@declare
@dataclass(frozen=True, slots=True)
class RecordingChanged(Event):
    """Something else was asked for, it ended and is being fetched, or it failed."""

    type = "recording.changed"
    subject_kind = "recording"
    data_model = RecordingData


@declare
@dataclass(frozen=True, slots=True)
class RecordingStored(Event):
    """A recording can be heard."""

    type = "recording.stored"
    subject_kind = "recording"
    data_model = RecordingData


@declare
@dataclass(frozen=True, slots=True)
class RecordingDeleted(Event):
    """A recording can't be heard any more."""

    type = "recording.deleted"
    subject_kind = "recording"
    data_model = RecordingData
    audited = True
    audit_fields = ("recording.call_id",)


@declare
@dataclass(frozen=True, slots=True)
class RecordingTranscribed(Event):
    """What was said in a recording can be read and searched."""

    type = "recording.transcribed"
    subject_kind = "recording"
    data_model = RecordingData
