"""What providers tell us by webhook, in our words. `raw` is every field as it came, where somebody may want it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal

CallState = Literal["dialing", "ringing", "in_progress", "completed", "busy", "no_answer", "failed", "canceled"]
FINAL_STATES: frozenset[CallState] = frozenset({"completed", "busy", "no_answer", "failed", "canceled"})
AnsweredBy = Literal["human", "machine", "fax", "unknown"]
ConferenceEvent = Literal[
    "start", "end", "join", "leave", "mute", "unmute", "hold", "unhold", "modify", "announcement_end", "announcement_fail"
]
RecordingState = Literal["recording", "paused", "processing", "completed", "absent", "failed"]
MessageState = Literal["queued", "sent", "delivered", "undelivered", "failed", "received", "canceled"]


@dataclass(frozen=True, slots=True)
class CallUpdate:
    """What a status callback says about a leg: the contact's, or a participant's.

    `answered_by` is the provider's word (`human`, or something that begins with `machine` or is `fax`).
    """

    sid: str
    status: str
    state: CallState
    sequence_number: int | None
    at: datetime | None
    duration_s: int | None
    answered_by: str | None
    sip_code: int | None
    raw: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ParticipantUpdate:
    """What happened in a conference. `start` and `end` are about the conference, and may name no leg.

    `announcement_end` and `announcement_fail` say that what was announced to the leg is over, or could not be played.

    `muted`, `hold` and `coaching` are as they are after the event; None where the provider does not say.
    """

    conference_sid: str
    conference: str
    call_sid: str | None
    label: str | None
    event: ConferenceEvent
    muted: bool | None
    hold: bool | None
    coaching: bool | None
    sequence_number: int | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class RecordingUpdate:
    """The state of a recording; it can be fetched from `completed` on."""

    recording_sid: str
    call_sid: str | None
    status: RecordingState
    duration_s: int | None
    channels: int | None
    url: str | None


@dataclass(frozen=True, slots=True)
class AmdUpdate:
    """Who or what answered. `greeting_ended`: the machine's greeting is over, so a message may be left now."""

    sid: str
    answered_by: AnsweredBy
    greeting_ended: bool = False
    after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class MessageUpdate:
    """The state of a message that we sent. `error_code` is the provider's, `error` the same in words."""

    sid: str
    state: MessageState
    error_code: str | None = None
    error: str | None = None
    status: str = ""


@dataclass(frozen=True, slots=True)
class InboundCall:
    """Somebody calls one of our numbers, or a softphone asks to be connected (`from_` is then `client:identity`).

    `parameters` are what the softphone gave along.
    """

    sid: str
    to: str
    from_: str
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """Somebody wrote to one of our numbers. `media` are addresses, `opt_out` what the provider made of the text itself."""

    sid: str
    to: str
    from_: str
    body: str
    media: tuple[str, ...] = ()
    opt_out: Literal["stop", "start", "help"] | None = None


@dataclass(frozen=True, slots=True)
class TranscriptionUpdate:
    """What was said in a recording."""

    recording_sid: str
    status: Literal["completed", "failed"]
    text: str


@dataclass(frozen=True, slots=True)
class SpokenUpdate:
    """What is being said in a call that is transcribed while it goes on; pieces come in the order of `sequence`.

    `began` and `ended` frame them, `failed` comes in their place. `speaker` is who said a piece: the leg that is
    transcribed, or whoever it hears.
    """

    transcription_sid: str
    call_sid: str
    event: Literal["began", "piece", "ended", "failed"]
    sequence: int
    speaker: Literal["leg", "others"] | None
    text: str


@dataclass(frozen=True, slots=True)
class RingUpdate:
    """How ringing others (`Ring`) went; `leg_sid` is the one that answered or the last one that did not."""

    sid: str
    state: CallState
    leg_sid: str | None
    duration_s: int | None
