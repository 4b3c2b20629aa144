"""What happens to messages that are left on machines."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hub.calls.models import Call
from hub.events import Event, declare
from hub.voicemail.models import VoicemailDrop


class VoicemailDropData(BaseModel):
    """The message."""

    voicemail_drop: VoicemailDrop


class DroppedData(BaseModel):
    """The call, and which message it ends with."""

    call: Call
    voicemail_drop: VoicemailDrop


@declare
@dataclass(frozen=True, slots=True)
class VoicemailDropCreated(Event):
    """There is a new message to leave. For its owner, or for everybody when it is shared."""

    type = "voicemail_drop.created"
    subject_kind = "voicemail_drop"
    data_model = VoicemailDropData
    audited = True


@declare
@dataclass(frozen=True, slots=True)
class VoicemailDropDeleted(Event):
    """A message can't be left any more."""

    type = "voicemail_drop.deleted"
    subject_kind = "voicemail_drop"
    data_model = VoicemailDropData
    audited = True


@declare
@dataclass(frozen=True, slots=True)
class CallVoicemailDropped(Event):
    """The rep has left a call; the machine that answered it hears a message, and then the call ends."""

    type = "call.voicemail_dropped"
    subject_kind = "call"
    data_model = DroppedData
