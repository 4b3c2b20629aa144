"""What happens to handovers. What changes hands is announced by these, not thing by thing."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel

from hub.events import Event, declare
from hub.handovers.models import Handover


class HandoverData(BaseModel):
    """The handover as it is now."""

    handover: Handover


class HandoverBegun(HandoverData):
    """The handover, and between whom."""

    from_id: UUID
    to_id: UUID | None


@declare
@dataclass(frozen=True, slots=True)
class HandoverStarted(Event):
    """What somebody has begins to change hands."""

    type = "handover.started"
    subject_kind = "handover"
    data_model = HandoverBegun
    audited = True
    audit_fields = ("from_id", "to_id", "handover.kinds")


@declare
@dataclass(frozen=True, slots=True)
class HandoverProgressed(Event):
    """Some more of it is the other's."""

    type = "handover.progressed"
    subject_kind = "handover"
    data_model = HandoverData


@declare
@dataclass(frozen=True, slots=True)
class HandoverCompleted(Event):
    """All of it is the other's."""

    type = "handover.completed"
    subject_kind = "handover"
    data_model = HandoverData
    audited = True
    audit_fields = ("handover.done",)
