"""What happens on timelines."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hub.activities.models import Activity
from hub.events import Event, declare


class ActivityData(BaseModel):
    """The activity."""

    activity: Activity


@declare
@dataclass(frozen=True, slots=True)
class ActivityCreated(Event):
    """Something was added to a contact's timeline."""

    type = "activity.created"
    subject_kind = "activity"
    data_model = ActivityData
