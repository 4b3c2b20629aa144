"""The recordings and transcriptions resources, and the sound itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from integrations.sandbox.twilio import refusals
from integrations.sandbox.twilio.api_calls import callback_of
from integrations.sandbox.twilio.calls import Call, CallBook, RecordingWish
from integrations.sandbox.twilio.courier import Callback
from integrations.sandbox.twilio.door import Route, Visit
from integrations.sandbox.twilio.listing import is_equal, is_within, page_of
from integrations.sandbox.twilio.recordings import LIVE, Recording, Recordings
from integrations.sandbox.twilio.transcriptions import LiveTranscription, Transcription, Transcriptions
from integrations.sandbox.twilio.wording import gone, is_web_address, reply, text

_CURRENT: Final = "Twilio.CURRENT"
_TRACKS: Final = ("inbound_track", "outbound_track")


@dataclass(frozen=True, slots=True)
class _OfCall:
    """A recording as its call's list shows it."""

    recording: Recording

    @property
    def sid(self) -> str:
        return self.recording.sid

    def as_resource(self) -> dict[str, Any]:
        return self.recording.as_part_of_call()


@dataclass(frozen=True, slots=True)
class _Heard:
    """A recording as the account's list shows it: with the host at which it can be heard."""

    recording: Recording
    base_url: str

    @property
    def sid(self) -> str:
        return self.recording.sid

    def as_resource(self) -> dict[str, Any]:
        return self.recording.as_resource() | {"media_url": f"{self.base_url}{self.recording.uri}"}


class RecordingsApi:
    """The handlers of the resources."""

    def __init__(self, book: CallBook, recordings: Recordings, transcriptions: Transcriptions, cap_s: float) -> None:
        self._book = book
        self._recordings = recordings
        self._transcriptions = transcriptions
        self._cap_s = cap_s

    def routes(self) -> list[Route]:
        """Return the routes of the resources."""
        call = "/Calls/{call:CA\\w+}"
        of_call = call + "/Recordings/{sid}.json"
        one = "/Recordings/{sid:RE\\w+}"
        return [
            Route("POST", f"{call}/Recordings.json", "recordings.create", self.create),
            Route("GET", f"{call}/Recordings.json", "recordings.list", self.list_of_call),
            Route("GET", of_call, "recordings.fetch", self.fetch_of_call),
            Route("POST", of_call, "recordings.update", self.update),
            Route("DELETE", of_call, "recordings.delete", self.delete),
            Route("GET", "/Recordings.json", "recordings.list", self.list),
            Route("GET", f"{one}.json", "recordings.fetch", self.fetch),
            Route("DELETE", f"{one}.json", "recordings.delete", self.delete),
            Route("GET", f"{one}.wav", "recordings.download", self.download),
            Route("GET", one, "recordings.download", self.download),
            Route("GET", f"{one}/Transcriptions.json", "transcriptions.list", self.list_transcriptions),
            Route("GET", "/Transcriptions/{sid}.json", "transcriptions.fetch", self.fetch_transcription),
            Route("DELETE", "/Transcriptions/{sid}.json", "transcriptions.delete", self.delete_transcription),
            Route("POST", f"{call}/Transcriptions.json", "transcriptions.create", self.transcribe),
            Route("POST", f"{call}/Transcriptions/{{sid}}.json", "transcriptions.update", self.stop_transcribing),
        ]

    async def create(self, visit: Visit) -> web.StreamResponse:
        """Begin to record a call that is being talked on."""
        call = self._call(visit)
        if call.status != "in-progress":
            raise refusals.not_eligible_for_recording()
        callback = callback_of(visit.form, "RecordingStatusCallback", {"completed"})
        channels = 1 if text(visit.form, "RecordingChannels") == "mono" else 2
        track = text(visit.form, "RecordingTrack") or "both"
        recording = self._recordings.start(call, RecordingWish(channels, "StartCallRecordingAPI", callback, track))
        return reply(recording.as_part_of_call(), 201)

    async def list_of_call(self, visit: Visit) -> web.StreamResponse:
        """Return a page of a call's recordings."""
        found = (_OfCall(each) for each in self._recordings.of_call(self._call(visit).sid))
        return reply(page_of("recordings", found, visit.request.path, visit.request.query))

    async def fetch_of_call(self, visit: Visit) -> web.StreamResponse:
        """Return one recording of a call."""
        return reply(self._find(visit).as_part_of_call())

    async def update(self, visit: Visit) -> web.StreamResponse:
        """Pause, resume or stop a recording."""
        recording, status = self._find(visit), text(visit.form, "Status")
        if status not in ("in-progress", "paused", "stopped"):
            raise refusals.invalid_status(status)
        if recording.status not in LIVE:
            raise refusals.not_in_progress()
        if status == "stopped":
            self._recordings.stop(recording)
            # What it is asked for is what it says; the sound takes longer.
            return reply(recording.as_part_of_call() | {"status": "stopped"})
        if status == "paused":
            self._recordings.pause(recording, text(visit.form, "PauseBehavior") == "silence")
        else:
            self._recordings.resume(recording)
        return reply(recording.as_part_of_call())

    async def delete(self, visit: Visit) -> web.StreamResponse:
        """Delete a recording with its sound."""
        self._recordings.remove(self._find(visit))
        return gone()

    async def list(self, visit: Visit) -> web.StreamResponse:
        """Return a page of the account's recordings, newest first."""
        query = visit.request.query
        found: Iterable[_Heard] = (
            _Heard(each, self._recordings.base_url)
            for each in self._recordings.newest_first()
            if is_equal(query, CallSid=each.call.sid) and is_within(each.created_at, query, "DateCreated")
        )
        return reply(page_of("recordings", found, visit.request.path, query))

    async def fetch(self, visit: Visit) -> web.StreamResponse:
        """Return one recording."""
        return reply(_Heard(self._find(visit), self._recordings.base_url).as_resource())

    async def download(self, visit: Visit) -> web.StreamResponse:
        """Return the sound, in as many channels as are asked for and there are."""
        recording = self._find(visit)
        if recording.status != "completed":
            raise visit.not_found()
        wanted = visit.request.query.get("RequestedChannels", "")
        channels = int(wanted) if wanted in ("1", "2") else recording.wish.channels
        return web.Response(body=recording.sound(channels, self._cap_s), content_type="audio/x-wav")

    async def list_transcriptions(self, visit: Visit) -> web.StreamResponse:
        """Return a page of a recording's transcriptions."""
        found = self._transcriptions.of_recording(self._find(visit).sid)
        return reply(page_of("transcriptions", found, visit.request.path, visit.request.query))

    async def fetch_transcription(self, visit: Visit) -> web.StreamResponse:
        """Return one transcription."""
        return reply(self._transcription(visit).as_resource())

    async def delete_transcription(self, visit: Visit) -> web.StreamResponse:
        """Delete a transcription."""
        self._transcriptions.remove(self._transcription(visit))
        return gone()

    async def transcribe(self, visit: Visit) -> web.StreamResponse:
        """Transcribe a call while it goes on."""
        call, form = self._call(visit), visit.form
        if call.status != "in-progress":
            raise refusals.not_in_progress()
        url = text(form, "StatusCallbackUrl")
        if url and not is_web_address(url):
            raise refusals.invalid_callback(url)
        track = text(form, "Track")
        live = LiveTranscription(
            call=call,
            name=text(form, "Name"),
            tracks=(track,) if track in _TRACKS else _TRACKS,
            language=text(form, "LanguageCode") or "en-US",
            callback=Callback(url, "GET" if text(form, "StatusCallbackMethod").upper() == "GET" else "POST"),
        )
        self._transcriptions.start_live(live)
        return reply(live.as_resource())

    async def stop_transcribing(self, visit: Visit) -> web.StreamResponse:
        """Stop transcribing a call."""
        live = self._transcriptions.find_live(self._call(visit).sid, visit.part("sid"))
        if live is None:
            raise visit.not_found()
        self._transcriptions.stop_live(live)
        return reply(live.as_resource())

    def _call(self, visit: Visit) -> Call:
        call = self._book.get(visit.part("call"))
        if call is None:
            raise visit.not_found()
        return call

    def _find(self, visit: Visit) -> Recording:
        sid, of_call = visit.part("sid"), visit.request.match_info.get("call")
        recording = self._recordings.current(of_call) if of_call and sid == _CURRENT else self._recordings.get(sid)
        if recording is None or (of_call and recording.call.sid != of_call):
            raise visit.not_found()
        return recording

    def _transcription(self, visit: Visit) -> Transcription:
        transcription = self._transcriptions.get(visit.part("sid"))
        if transcription is None:
            raise visit.not_found()
        return transcription
