"""What happens to calls."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel

from hub.calls.models import Call, CallLeg
from hub.events import Event, declare


class CallData(BaseModel):
    """The call as it is now."""

    call: Call


class ListenersData(BaseModel):
    """Who listens to a call now."""

    call_id: UUID
    listeners: list[CallLeg]


@declare
@dataclass(frozen=True, slots=True)
class CallStateChanged(Event):
    """A call was asked for, or moved to another state."""

    type = "call.state_changed"
    subject_kind = "call"
    data_model = CallData


@declare
@dataclass(frozen=True, slots=True)
class CallUpdated(Event):
    """Somebody came into a call or left it, it was held or muted, or its note changed."""

    type = "call.updated"
    subject_kind = "call"
    data_model = CallData


@declare
@dataclass(frozen=True, slots=True)
class CallListenersChanged(Event):
    """A manager began or stopped to listen to a call, or does it in another way. For managers only."""

    type = "call.listeners_changed"
    subject_kind = "call"
    data_model = ListenersData


@declare
@dataclass(frozen=True, slots=True)
class CallDispositionSet(Event):
    """A rep said how the call went."""

    type = "call.disposition_set"
    subject_kind = "call"
    data_model = CallData
