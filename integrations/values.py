"""What providers are asked for, and what they answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from integrations.updates import CallState, MessageState

MachineDetection = Literal["off", "detect", "message_end"]
NumberKind = Literal["local", "toll_free", "mobile"]


@dataclass(frozen=True, slots=True)
class PlaceCall:
    """An outgoing call to place.

    `to` and `from_` are E.164 (`to` may be `client:identity`). What the answered leg does is exactly one of: join a
    `conference` (its name; the conference ends when this leg leaves), follow a `twiml` document (`TwimlRenderer` makes
    them), or ask `answer_url` for one. `conference_callback_url` hears of everybody in that conference. `timeout_s` is how
    long it may ring. Machine detection: `detect` says at once who answered, `message_end` waits for the end of a
    machine's greeting; the answer goes to `amd_callback_url` while the call goes on (without one the call waits for it
    in silence). `record` records both sides in two channels from the answer on.
    """

    to: str
    from_: str
    status_callback_url: str
    conference: str | None = None
    twiml: str | None = None
    timeout_s: int = 30
    machine_detection: MachineDetection = "off"
    amd_callback_url: str | None = None
    answer_url: str | None = None
    record: bool = False
    recording_callback_url: str | None = None
    conference_callback_url: str | None = None

    def __post_init__(self) -> None:
        if sum(each is not None for each in (self.conference, self.twiml, self.answer_url)) != 1:
            raise ValueError("a call needs either a conference, a twiml document or an answer_url, and only one of them")


@dataclass(frozen=True, slots=True)
class ProviderCall:
    """A call as the provider knows it. `status` is the provider's word, `state` ours. Times are UTC."""

    sid: str
    status: str
    state: CallState
    to: str
    from_: str
    created_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    duration_s: int | None
    answered_by: str | None


@dataclass(frozen=True, slots=True)
class AddParticipant:
    """A leg to ring and put into a conference.

    `conference` is its name (it comes into being with its first participant) or its sid. `to` is E.164 or `client:identity`.
    `status_callback_url` gets the leg's call states (`read_call`), `conference_callback_url` what happens in the
    conference (`read_participant`; only the first participant's counts). `label` names the participant within the
    conference, and is how one looks for it when an answer was lost: make it unique there. `coach_sid`: the leg that
    alone shall hear this one. `end_on_exit`: the conference ends when this leg leaves.
    """

    conference: str
    to: str
    from_: str
    status_callback_url: str
    label: str
    muted: bool = False
    coach_sid: str | None = None
    end_on_exit: bool = False
    timeout_s: int = 30
    conference_callback_url: str | None = None


@dataclass(frozen=True, slots=True)
class Participant:
    """A leg in a conference. `coach_sid` is the leg that it coaches; `state` is that of its call."""

    call_sid: str
    conference_sid: str
    label: str | None
    muted: bool
    on_hold: bool
    coaching: bool
    state: CallState
    coach_sid: str | None = None


@dataclass(frozen=True, slots=True)
class AvailableNumber:
    """A number that could be bought. `country` is ISO 3166, `region` a state or province where there is one."""

    e164: str
    locality: str | None
    region: str | None
    country: str
    voice: bool
    sms: bool


@dataclass(frozen=True, slots=True)
class OwnedNumber:
    """A number of the account and where its calls and messages go."""

    sid: str
    e164: str
    label: str
    voice: bool
    sms: bool
    voice_url: str | None
    sms_url: str | None


@dataclass(frozen=True, slots=True)
class SendMessage:
    """A text message to send; numbers are E.164."""

    to: str
    from_: str
    body: str
    status_callback_url: str


@dataclass(frozen=True, slots=True)
class ProviderMessage:
    """A message as the provider knows it. `status` is the provider's word, `state` ours."""

    sid: str
    status: str
    state: MessageState
    to: str
    from_: str
    error_code: str | None
    created_at: datetime | None
    body: str = ""
    error: str | None = None
