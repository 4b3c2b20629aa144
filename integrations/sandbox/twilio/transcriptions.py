"""Transcriptions: of what a Record verb took down, and of a call while it goes on. The words are always the same."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson

from integrations.sandbox.twilio.call_fields import request_fields
from integrations.sandbox.twilio.calls import Call
from integrations.sandbox.twilio.courier import Callback, Courier, Delivery, Letter
from integrations.sandbox.twilio.exchange import Exchange
from integrations.sandbox.twilio.recordings import Recording, Recordings
from integrations.sandbox.twilio.wording import API_VERSION, new_sid, now, rfc_2822

_KEPT: Final = 10_000
_WORKING_S: Final = 2.0
# Twilio transcribes recordings of this length only: https://www.twilio.com/docs/voice/twiml/record#attributes-transcribe
_SHORTEST_S: Final = 2
_LONGEST_S: Final = 120
_CONTENT_EVERY_S: Final = 10.0


def message_of(call: Call) -> str:
    """Return what a caller leaves on a tape."""
    return (
        f"Hello, this is {call.from_} for {call.to}. Please call me back about the proposal, "
        f"tomorrow morning would be fine. The call was {call.sid}."
    )


@dataclass(slots=True, kw_only=True, eq=False)
class Transcription:
    """The words of one recording."""

    recording: Recording
    status: str
    text: str
    sid: str = field(default_factory=lambda: new_sid("TR"))
    created_at: datetime = field(default_factory=now)

    @property
    def uri(self) -> str:
        """Where it lives, without the extension."""
        return f"/{API_VERSION}/Accounts/{self.recording.call.account_sid}/Transcriptions/{self.sid}"

    def as_resource(self) -> dict[str, Any]:
        """Return it as `api.v2010.account.transcription`."""
        return {
            "account_sid": self.recording.call.account_sid,
            "api_version": API_VERSION,
            "date_created": rfc_2822(self.created_at),
            "date_updated": rfc_2822(self.created_at),
            "duration": str(self.recording.duration_s or 0),
            "price": None,
            "price_unit": "USD",
            "recording_sid": self.recording.sid,
            "sid": self.sid,
            "status": self.status,
            "transcription_text": self.text or None,
            "type": "fast",
            "uri": f"{self.uri}.json",
        }


@dataclass(slots=True, kw_only=True, eq=False)
class LiveTranscription:
    """The words of a call while they are said."""

    call: Call
    name: str
    tracks: tuple[str, ...]
    language: str
    callback: Callback
    sid: str = field(default_factory=lambda: new_sid("GT"))
    status: str = "in-progress"
    told: int = 0
    deliveries: list[Delivery] = field(default_factory=list)
    updated_at: datetime = field(default_factory=now)

    def as_resource(self) -> dict[str, Any]:
        """Return it as `api.v2010.account.call.realtime_transcription`."""
        return {
            "sid": self.sid,
            "account_sid": self.call.account_sid,
            "call_sid": self.call.sid,
            "name": self.name or None,
            "status": self.status,
            "date_updated": rfc_2822(self.updated_at),
            "uri": f"{self.call.uri}/Transcriptions/{self.sid}.json",
        }


class Transcriptions:
    """All transcriptions of both kinds."""

    def __init__(self, exchange: Exchange, courier: Courier, recordings: Recordings) -> None:
        self._clock = exchange.clock
        self._courier = courier
        self._recordings = recordings
        self._all: dict[str, Transcription] = {}
        self._live: dict[str, list[LiveTranscription]] = {}
        exchange.over.append(self._stop_with_call)

    def get(self, sid: str) -> Transcription | None:
        """Return the transcription of a recording by its SID."""
        return self._all.get(sid)

    def of_recording(self, recording_sid: str) -> Iterator[Transcription]:
        """Go through the transcriptions of a recording."""
        return (each for each in self._all.values() if each.recording.sid == recording_sid)

    def remove(self, transcription: Transcription) -> None:
        """Delete a transcription."""
        self._all.pop(transcription.sid, None)

    def order(self, recording: Recording, callback_url: str) -> None:
        """Transcribe a recording that is complete, and tell `callback_url` after a while."""
        self._clock.later(_WORKING_S, lambda: self._write(recording, callback_url))

    def start_live(self, live: LiveTranscription) -> None:
        """Transcribe a call from now on."""
        self._live.setdefault(live.call.sid, []).append(live)
        self._tell_live(live, "transcription-started", {"PartialResults": "false"})
        self._later_content(live)

    def find_live(self, call_sid: str, key: str) -> LiveTranscription | None:
        """Return a call's transcription by its SID or its name."""
        return next((each for each in self._live.get(call_sid, []) if key in (each.sid, each.name)), None)

    def stop_live(self, live: LiveTranscription) -> None:
        """End the transcription of a call."""
        if live.status == "stopped":
            return
        live.status = "stopped"
        live.updated_at = now()
        self._tell_live(live, "transcription-stopped", {})

    def _write(self, recording: Recording, callback_url: str) -> None:
        is_possible = _SHORTEST_S <= (recording.duration_s or 0) <= _LONGEST_S
        transcription = Transcription(
            recording=recording,
            status="completed" if is_possible else "failed",
            text=message_of(recording.call) if is_possible else "",
        )
        self._all[transcription.sid] = transcription
        if len(self._all) > _KEPT:
            del self._all[next(iter(self._all))]
        told = self._recordings.fields(recording)
        fields = request_fields(recording.call) | {
            "RecordingSid": recording.sid,
            "RecordingUrl": told["RecordingUrl"],
            "TranscriptionSid": transcription.sid,
            "TranscriptionStatus": transcription.status,
            "TranscriptionText": transcription.text,
            "TranscriptionType": "fast",
            "TranscriptionUrl": told["RecordingUrl"].replace(recording.uri, transcription.uri),
        }
        callback = Callback(callback_url, "POST", frozenset({"transcription"}))
        self._courier.post(Letter(transcription.sid, callback, "transcription", fields, recording.deliveries))

    def _later_content(self, live: LiveTranscription) -> None:
        live.call.timers.append(self._clock.later(_CONTENT_EVERY_S, lambda: self._content(live)))

    def _content(self, live: LiveTranscription) -> None:
        if live.status == "stopped":
            return
        said = {"inbound_track": f"Yes, this is {live.call.to}.", "outbound_track": f"I call about {live.call.sid}."}
        for track in live.tracks:
            data = orjson.dumps({"transcript": said[track], "confidence": 0.95}).decode()
            self._tell_live(live, "transcription-content", {"Track": track, "TranscriptionData": data, "Final": "true"})
        self._later_content(live)

    def _tell_live(self, live: LiveTranscription, event: str, more: dict[str, str]) -> None:
        live.told += 1
        fields = {
            "AccountSid": live.call.account_sid,
            "CallSid": live.call.sid,
            "TranscriptionSid": live.sid,
            "Timestamp": now().isoformat().replace("+00:00", "Z"),
            "SequenceId": str(live.told),
            "TranscriptionEvent": event,
            "LanguageCode": live.language,
        }
        callback = Callback(live.callback.url, live.callback.method, frozenset({event}))
        is_last = event == "transcription-stopped"
        self._courier.post(Letter(live.sid, callback, event, fields | more, live.deliveries, is_last=is_last))

    def _stop_with_call(self, call: Call) -> None:
        for live in self._live.pop(call.sid, []):
            self.stop_live(live)
