"""What happens to calls."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hub.calls.models import Call
from hub.events import Event, declare


class CallData(BaseModel):
    """The call as it is now."""

    call: Call


@declare
@dataclass(frozen=True, slots=True)
class CallStateChanged(Event):
    """A call was asked for, or moved to another state."""

    type = "call.state_changed"
    subject_kind = "call"
    data_model = CallData


@declare
@dataclass(frozen=True, slots=True)
class CallDispositionSet(Event):
    """A rep said how the call went."""

    type = "call.disposition_set"
    subject_kind = "call"
    data_model = CallData
