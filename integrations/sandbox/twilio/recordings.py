"""Recordings of calls: their states, their callbacks and their sound."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from integrations.sandbox.twilio.audio import tone
from integrations.sandbox.twilio.calls import Call, RecordingWish
from integrations.sandbox.twilio.courier import Courier, Delivery, Fields, Letter
from integrations.sandbox.twilio.exchange import Clock, Exchange
from integrations.sandbox.twilio.wording import API_VERSION, new_sid, now, rfc_2822

_KEPT: Final = 10_000
# What is shorter has nothing in it (error 16101).
_SHORTEST_S: Final = 0.1
_PROCESSING_S: Final = 1.0
LIVE: Final = frozenset({"in-progress", "paused"})


@dataclass(slots=True, kw_only=True, eq=False)
class Recording:
    """One recording. `silences` are the stretches, in whole seconds of its sound, in which nothing was taken down."""

    call: Call
    wish: RecordingWish
    sid: str = field(default_factory=lambda: new_sid("RE"))
    status: str = "in-progress"
    error_code: int | None = None
    duration_s: int | None = None
    # Sound that is there already, and since when (the loop's clock) there is more.
    length_s: float = 0.0
    since: float | None = None
    keeps_silence: bool = False
    silence_from_s: float | None = None
    silences: list[tuple[int, int]] = field(default_factory=list)
    on_done: Callable[[], None] | None = None
    deliveries: list[Delivery] = field(default_factory=list)
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)

    @property
    def uri(self) -> str:
        """Where it lives, without the extension."""
        return f"/{API_VERSION}/Accounts/{self.call.account_sid}/Recordings/{self.sid}"

    def sound(self, channels: int, cap_s: float) -> bytes:
        """Return the sound as a WAV file."""
        seconds = max(1, min(self.duration_s or 0, int(cap_s)))
        return tone(seconds, min(channels, self.wish.channels), tuple(self.silences))

    def _common(self) -> dict[str, Any]:
        return {
            "account_sid": self.call.account_sid,
            "api_version": API_VERSION,
            "call_sid": self.call.sid,
            "conference_sid": None,
            "date_created": rfc_2822(self.created_at),
            "date_updated": rfc_2822(self.updated_at),
            "start_time": rfc_2822(self.created_at),
            "duration": None if self.duration_s is None else str(self.duration_s),
            "sid": self.sid,
            "price": None,
            "price_unit": "USD",
            "status": self.status,
            "channels": self.wish.channels,
            "source": self.wish.source,
            "error_code": self.error_code,
            "encryption_details": None,
        }

    def as_resource(self) -> dict[str, Any]:
        """Return it as `api.v2010.account.recording`; its `media_url` is completed by whoever knows the host."""
        return self._common() | {
            "uri": f"{self.uri}.json",
            "subresource_uris": {
                "add_on_results": f"{self.uri}/AddOnResults.json",
                "transcriptions": f"{self.uri}/Transcriptions.json",
            },
            "media_url": self.uri,
        }

    def as_part_of_call(self) -> dict[str, Any]:
        """Return it as `api.v2010.account.call.call_recording`."""
        return self._common() | {"track": self.wish.track, "uri": f"{self.call.uri}/Recordings/{self.sid}.json"}


class Recordings:
    """All recordings. `base_url` is where they can be heard."""

    def __init__(self, exchange: Exchange, courier: Courier) -> None:
        self.base_url = ""
        self._clock: Clock = exchange.clock
        self._courier = courier
        self._all: dict[str, Recording] = {}
        self._of_call: dict[str, list[Recording]] = {}
        self._live: dict[str, list[Recording]] = {}
        exchange.answered.append(self._begin_as_wished)
        exchange.over.append(self._end_with_call)

    def get(self, sid: str) -> Recording | None:
        """Return a recording by its SID."""
        return self._all.get(sid)

    def newest_first(self) -> Iterator[Recording]:
        """Go through the recordings, backwards in time."""
        return reversed(list(self._all.values()))

    def of_call(self, call_sid: str) -> list[Recording]:
        """Return a call's recordings, the newest first."""
        return self._of_call.get(call_sid, [])[::-1]

    def current(self, call_sid: str) -> Recording | None:
        """Return the recording that a call is under now."""
        return next(iter(self._live.get(call_sid, [])), None)

    def remove(self, recording: Recording) -> None:
        """Delete a recording."""
        self.stop(recording)
        if self._all.pop(recording.sid, None) is not None:
            same = self._of_call[recording.call.sid]
            same.remove(recording)
            if not same:
                del self._of_call[recording.call.sid]

    def start(self, call: Call, wish: RecordingWish) -> Recording:
        """Begin to record a call."""
        recording = Recording(call=call, wish=wish, since=self._clock.now())
        self._all[recording.sid] = recording
        self._of_call.setdefault(call.sid, []).append(recording)
        self._live.setdefault(call.sid, []).append(recording)
        if len(self._all) > _KEPT:
            self.remove(next(iter(self._all.values())))
        self._tell(recording)
        return recording

    def pause(self, recording: Recording, keeps_silence: bool) -> None:
        """Take nothing down for a while: `keeps_silence` leaves a gap of the same length in the sound."""
        if recording.status != "in-progress":
            return
        recording.length_s = self._length(recording)
        recording.since = None
        recording.keeps_silence = keeps_silence
        recording.silence_from_s = self._clock.now()
        self._move(recording, "paused")

    def resume(self, recording: Recording) -> None:
        """Go on after a pause."""
        if recording.status != "paused":
            return
        self._close_silence(recording)
        recording.since = self._clock.now()
        self._move(recording, "in-progress")

    def stop(self, recording: Recording) -> None:
        """End a recording. What was paused until its end ends in silence."""
        if recording.status not in LIVE:
            return
        self._close_silence(recording)
        length_s = self._length(recording)
        recording.since = None
        live = self._live[recording.call.sid]
        live.remove(recording)
        if not live:
            del self._live[recording.call.sid]
        if length_s < _SHORTEST_S:
            recording.error_code = 16101
            recording.duration_s = 0
            self._move(recording, "absent")
            self._tell(recording)
            return
        recording.duration_s = max(1, round(length_s))
        self._move(recording, "processing")
        self._clock.later(_PROCESSING_S, lambda: self._complete(recording))

    def fields(self, recording: Recording) -> Fields:
        """Return what is told about a recording."""
        return {
            "AccountSid": recording.call.account_sid,
            "CallSid": recording.call.sid,
            "RecordingSid": recording.sid,
            "RecordingUrl": f"{self.base_url}{recording.uri}",
            "RecordingStatus": recording.status,
            "RecordingDuration": str(recording.duration_s if recording.duration_s is not None else -1),
            "RecordingChannels": str(recording.wish.channels),
            "RecordingSource": recording.wish.source,
            "RecordingStartTime": rfc_2822(recording.created_at) or "",
            "RecordingTrack": recording.wish.track,
            "ErrorCode": str(recording.error_code or 0),
        }

    def _begin_as_wished(self, call: Call) -> None:
        if call.recording is not None:
            self.start(call, call.recording)

    def _end_with_call(self, call: Call) -> None:
        for recording in list(self._live.get(call.sid, [])):
            self.stop(recording)

    def _complete(self, recording: Recording) -> None:
        self._move(recording, "completed")
        self._tell(recording)
        if recording.on_done is not None:
            recording.on_done()

    def _length(self, recording: Recording) -> float:
        return recording.length_s + (self._clock.since(recording.since) if recording.since is not None else 0.0)

    def _close_silence(self, recording: Recording) -> None:
        if recording.silence_from_s is None:
            return
        seconds = self._clock.since(recording.silence_from_s)
        recording.silence_from_s = None
        if recording.keeps_silence:
            recording.silences.append((round(recording.length_s), round(recording.length_s + seconds)))
            recording.length_s += seconds

    @staticmethod
    def _move(recording: Recording, status: str) -> None:
        recording.status = status
        recording.updated_at = now()

    def _tell(self, recording: Recording) -> None:
        callback = recording.wish.callback
        letter = Letter(
            recording.sid,
            callback,
            recording.status,
            self.fields(recording),
            recording.deliveries,
            recording.call.plan.callbacks,
            recording.status != "in-progress",
        )
        self._courier.post(letter)
