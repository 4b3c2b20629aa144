"""The shapes that the features know: protocols and frozen values, with no vendor's name in them.

Every method of a provider raises `Transient`, `Rejected` or `CircuitOpen` of `integrations.errors` and nothing else.
What is asked and answered (`integrations.values`), steps and updates are exported here, too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias

from integrations.steps import (
    Conference,
    Digits,
    Gather,
    Hangup,
    Pause,
    Play,
    Record,
    Redirect,
    Reject,
    Ring,
    Say,
    Step,
)
from integrations.updates import (
    FINAL_STATES,
    AmdUpdate,
    AnsweredBy,
    CallState,
    CallUpdate,
    ConferenceEvent,
    InboundCall,
    InboundMessage,
    MessageState,
    MessageUpdate,
    ParticipantUpdate,
    RecordingState,
    RecordingUpdate,
    RingUpdate,
    SpokenUpdate,
    TranscriptionUpdate,
)
from integrations.values import (
    AddParticipant,
    AvailableNumber,
    MachineDetection,
    NumberKind,
    OwnedNumber,
    Participant,
    PlaceCall,
    ProviderCall,
    ProviderMessage,
    SendMessage,
)

__all__ = [
    "FINAL_STATES",
    "AddParticipant",
    "AmdUpdate",
    "AnsweredBy",
    "AvailableNumber",
    "CallState",
    "CallUpdate",
    "CallbackReader",
    "Conference",
    "ConferenceEvent",
    "Digits",
    "Gather",
    "Hangup",
    "InboundCall",
    "InboundMessage",
    "MachineDetection",
    "MessageState",
    "MessageUpdate",
    "Messaging",
    "NumberKind",
    "Numbers",
    "ObjectStore",
    "OwnedNumber",
    "Participant",
    "ParticipantUpdate",
    "Pause",
    "PlaceCall",
    "Play",
    "ProviderCall",
    "ProviderMessage",
    "Record",
    "RecordingState",
    "RecordingUpdate",
    "Redirect",
    "Reject",
    "Ring",
    "RingUpdate",
    "Say",
    "SendMessage",
    "SoftphoneTokens",
    "SpokenUpdate",
    "Step",
    "Telephony",
    "TranscriptionUpdate",
    "TwimlRenderer",
]


class Telephony(Protocol):
    """Phone calls, conferences and recordings.

    Touch tones to one leg of a conference: `announce` an address that answers with the step `Digits`; only that leg
    hears them. (A `redirect` would take the leg out of its conference, and so end one that ends with it.)
    """

    async def place_call(self, call: PlaceCall) -> ProviderCall:
        """Place a call. Never repeated by itself: after an ambiguous `Transient`, look with `find_calls`."""
        ...

    async def hang_up(self, sid: str) -> ProviderCall:
        """End a call, whether it is waiting, ringing or being talked on. A call that has ended stays so."""
        ...

    async def fetch_call(self, sid: str) -> ProviderCall | None:
        """Return the call, or None when the provider does not know it."""
        ...

    async def find_calls(self, to: str, from_: str, started_after: datetime) -> list[ProviderCall]:
        """Return the calls between two numbers that were created at or after `started_after`, newest first.

        That time is compared with the provider's clock: whoever looks for a lost call leaves a margin for the
        difference, and leaves out the calls that it already knows.
        """
        ...

    async def redirect(self, sid: str, steps: Sequence[Step]) -> ProviderCall:
        """Give a live leg new instructions; it leaves what it was doing. `Rejected` when it has ended."""
        ...

    async def add_participant(self, wanted: AddParticipant) -> Participant:
        """Ring a leg into a conference. Never repeated by itself: after an ambiguous `Transient`, look by its label."""
        ...

    async def update_participant(
        self,
        conference_sid: str,
        call_sid: str,
        *,
        muted: bool | None = None,
        hold: bool | None = None,
        coach_sid: str | None = None,
        coaching: bool | None = None,
        end_on_exit: bool | None = None,
        hold_url: str | None = None,
    ) -> Participant:
        """Change what is given and leave the rest. Listen to whisper: `muted=False`; whisper to barge: `coaching=False`.

        `coach_sid` alone starts the coaching. `Rejected` with status 404 when the leg or the conference is gone.
        """
        ...

    async def remove_participant(self, conference_sid: str, call_sid: str) -> None:
        """Take a leg out of a conference, which ends its call. One that is gone already is fine."""
        ...

    async def find_conference(self, name: str) -> str | None:
        """The sid of the live conference of this name, or None."""
        ...

    async def list_participants(self, conference_sid: str) -> list[Participant]:
        """Who is in a conference; nobody when it has ended."""
        ...

    async def end_conference(self, conference_sid: str) -> None:
        """End a conference and the legs in it. One that has ended already is fine."""
        ...

    async def announce(self, conference_sid: str, call_sid: str, url: str) -> None:
        """Let one participant hear what is at `url`: audio, or steps (Say, Play, Pause, Digits). It is asked by POST."""
        ...

    async def start_recording(self, call_sid: str, callback_url: str) -> str:
        """Record a live leg: its own side in one channel, what it hears in the other. Returns the recording's sid.

        Where the leg is being recorded already, that recording is the answer: it may be asked for again.
        """
        ...

    async def pause_recording(self, call_sid: str, recording_sid: str, paused: bool) -> None:
        """Stop recording for a while (a card number), or go on. The recording is silent there, and as long as the talk."""
        ...

    async def stop_recording(self, call_sid: str, recording_sid: str) -> None:
        """End a recording before the call ends. One that has ended is fine."""
        ...

    def download_recording(self, recording_sid: str) -> AsyncIterator[bytes]:
        """The recording as WAV, piece by piece: `async for piece in telephony.download_recording(sid)`.

        `Rejected` with status 404 when there is none (any more). What breaks off in the middle is `Transient`: begin again.
        """
        ...

    async def start_transcription(self, call_sid: str, callback_url: str) -> str:
        """Write down what is said on a live leg, by it and by whom it hears; `callback_url` gets the pieces (`read_spoken`).

        Returns its sid. Not repeated by itself: a second one would tell everything twice.
        """
        ...

    async def stop_transcription(self, call_sid: str, sid: str) -> None:
        """Write down no more. One that has ended is fine."""
        ...

    async def delete_recording(self, recording_sid: str) -> None:
        """Delete a recording at the provider. One that is gone already is fine."""
        ...


_Owned: TypeAlias = list[OwnedNumber]  # inside the protocol `list` is its method


class Numbers(Protocol):
    """The account's telephone numbers."""

    async def search(
        self,
        country: str,
        *,
        area_code: str | None = None,
        contains: str | None = None,
        kind: NumberKind = "local",
        limit: int = 20,
    ) -> list[AvailableNumber]:
        """Numbers on sale. `contains` is digits, or letters for them, with * for any one digit; `area_code` is North American."""
        ...

    async def buy(self, e164: str, voice_url: str, sms_url: str, status_url: str) -> OwnedNumber:
        """Buy a number. Never repeated by itself: after an ambiguous `Transient`, look with `list(e164)`."""
        ...

    async def configure(self, sid: str, voice_url: str, sms_url: str, status_url: str | None = None) -> OwnedNumber:
        """Send a number's calls and messages elsewhere."""
        ...

    async def release(self, sid: str) -> None:
        """Give a number back. One that is gone already is fine."""
        ...

    async def list(self, e164: str | None = None) -> _Owned:
        """The account's numbers, or the one of these digits."""
        ...


class Messaging(Protocol):
    """Text messages."""

    async def send(self, message: SendMessage) -> ProviderMessage:
        """Send a message. Never repeated by itself: after an ambiguous `Transient`, look with `find`."""
        ...

    async def fetch(self, sid: str) -> ProviderMessage | None:
        """Return the message, or None when the provider does not know it."""
        ...

    async def find(self, to: str, from_: str, since: datetime) -> list[ProviderMessage]:
        """The messages between two numbers that were created at or after `since` (the provider's clock), newest first."""
        ...


class SoftphoneTokens(Protocol):
    """Access tokens for browsers' softphones."""

    def mint(self, identity: str, ttl_s: int) -> str:
        """A token that lets its bearer take calls to `client:identity` and place calls through the account's application.

        Letters, digits and underscores in `identity` are safe, at most 121 of them; `ttl_s` is at most 24 hours.
        Raises ValueError for anything else.
        """
        ...


class TwimlRenderer(Protocol):
    """Puts steps into the provider's language, for the answers to its webhooks (content type application/xml)."""

    def render(self, steps: Sequence[Step]) -> str:
        """The document."""
        ...


class CallbackReader(Protocol):
    """Tells a provider's webhooks from forgeries, and reads them.

    `fields` is what the inbox stores; the `read_...` methods take those. They raise `ValueError`, in words, when
    the fields are not such a webhook; what is merely informative may be missing.
    """

    @property
    def provider(self) -> str:
        """Whose webhooks these are, for the inbox and the metrics."""
        ...

    def is_genuine(self, *, url: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Was this request signed by the provider? `url` is the public one, with its query. Never raises."""
        ...

    def fields(self, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        """The fields of a form or of a JSON object; raises `ValueError` when it is neither."""
        ...

    def read(self, body: bytes) -> CallUpdate:
        """`read_call` of a form body."""
        ...

    def read_call(self, fields: Mapping[str, str]) -> CallUpdate:
        """The status of a call, or of a participant's leg."""
        ...

    def read_participant(self, fields: Mapping[str, str]) -> ParticipantUpdate:
        """An event of a conference. `ValueError` also for events that are none of `ConferenceEvent`."""
        ...

    def read_recording(self, fields: Mapping[str, str]) -> RecordingUpdate:
        """The state of a recording, of a call, a conference or a voicemail."""
        ...

    def read_amd(self, fields: Mapping[str, str]) -> AmdUpdate:
        """Who or what answered."""
        ...

    def read_message(self, fields: Mapping[str, str]) -> MessageUpdate:
        """The state of a message that we sent."""
        ...

    def read_inbound_call(self, fields: Mapping[str, str]) -> InboundCall:
        """A call that waits for its instructions: somebody calls in, or the answer of a call with an `answer_url`."""
        ...

    def read_inbound_message(self, fields: Mapping[str, str]) -> InboundMessage:
        """A message to one of our numbers."""
        ...

    def read_transcription(self, fields: Mapping[str, str]) -> TranscriptionUpdate:
        """What was said in a recording."""
        ...

    def read_spoken(self, fields: Mapping[str, str]) -> SpokenUpdate:
        """What is being said in a call."""
        ...

    def read_ring(self, fields: Mapping[str, str]) -> RingUpdate:
        """The end of a `Ring`, at its `action_url`."""
        ...

    def read_digits(self, fields: Mapping[str, str]) -> str:
        """What was typed, at the `action_url` of a `Gather`; empty when nothing was."""
        ...


class ObjectStore(Protocol):
    """Files by key: relative paths of letters, digits and -_./ such as `recordings/<tenant>/<id>.wav`.

    A key that does not exist raises `Rejected` with the code `not_found` and status 404.
    """

    async def put(self, key: str, chunks: AsyncIterator[bytes], content_type: str) -> int:
        """Store what comes under `key` as a whole or not at all, replacing what was there. Returns its size in bytes."""
        ...

    async def size(self, key: str) -> int:
        """How many bytes there are."""
        ...

    def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to and without `end`, piece by piece."""
        ...

    async def delete(self, key: str) -> None:
        """Delete it. One that is gone already is fine."""
        ...
