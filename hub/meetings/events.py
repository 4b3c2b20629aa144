"""What happens to meetings."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hub.events import Event, declare
from hub.meetings.models import Meeting


class MeetingData(BaseModel):
    """The meeting as it is now."""

    meeting: Meeting


@declare
@dataclass(frozen=True, slots=True)
class MeetingPlanned(Event):
    """Somebody invited somebody."""

    type = "meeting.planned"
    subject_kind = "meeting"
    data_model = MeetingData


@declare
@dataclass(frozen=True, slots=True)
class MeetingChanged(Event):
    """A meeting has another time or place, or somebody said what they think of it."""

    type = "meeting.changed"
    subject_kind = "meeting"
    data_model = MeetingData


@declare
@dataclass(frozen=True, slots=True)
class MeetingCanceled(Event):
    """A meeting will not be."""

    type = "meeting.canceled"
    subject_kind = "meeting"
    data_model = MeetingData
