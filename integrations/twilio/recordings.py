"""Recordings of calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from aiohttp import ClientError

from integrations.errors import Rejected, Transient
from integrations.twilio.account import NOT_IN_PROGRESS, PROVIDER, Resource, is_gone, nothing

_PIECE: Final = 64 * 1024
_RUNNING: Final = ("in-progress", "paused")
# More recordings than a call has.
_LIMIT: Final = 50


class Recordings(Resource):
    """The part of the `Telephony` port that is about recordings."""

    def _of_call(self, call_sid: str) -> Any:
        return self._account.client.calls(call_sid).recordings

    async def start_recording(self, call_sid: str, callback_url: str) -> str:
        """Record a live call in two channels, unless it is being recorded: Twilio would gladly do it twice."""
        running: str | None = await self._account.ask(
            "recordings.list",
            lambda: self._of_call(call_sid).list_async(limit=_LIMIT),
            lambda instances: next((each.sid for each in instances if str(each.status) in _RUNNING), None),
            repeatable=True,
        )
        if running is not None:
            return running
        sid: str = await self._account.ask(
            "recordings.create",
            lambda: self._of_call(call_sid).create_async(
                recording_channels="dual",
                recording_status_callback=callback_url,
                recording_status_callback_method="POST",
                recording_status_callback_event=["in-progress", "completed", "absent"],
            ),
            lambda instance: instance.sid,
            repeatable=False,
        )
        return sid

    async def pause_recording(self, call_sid: str, recording_sid: str, paused: bool) -> None:
        """Record silence, or go on: the recording stays as long as the talk, so that times in it fit."""
        change = {"status": "paused", "pause_behavior": "silence"} if paused else {"status": "in-progress"}
        await self._account.ask(
            "recordings.pause",
            lambda: self._of_call(call_sid)(recording_sid).update_async(**change),
            nothing,
            repeatable=True,
        )

    async def stop_recording(self, call_sid: str, recording_sid: str) -> None:
        """End a recording. One whose call is over has ended."""
        try:
            await self._account.ask(
                "recordings.stop",
                lambda: self._of_call(call_sid)(recording_sid).update_async(status="stopped"),
                nothing,
                repeatable=True,
            )
        except Rejected as error:
            if error.code != NOT_IN_PROGRESS and not is_gone(error):
                raise

    async def download_recording(self, recording_sid: str) -> AsyncIterator[bytes]:
        """The recording as WAV, both channels, piece by piece.

        The guard watches over the answer's beginning; after that each piece has the guard's time limit. The SDK has no
        media: https://www.twilio.com/docs/voice/api/recording#fetch-a-recordings-media-file.
        """
        account = self._account
        url = f"https://api.twilio.com/2010-04-01/Accounts/{account.sid}/Recordings/{recording_sid}.wav?RequestedChannels=2"
        opened = await account.guard.call("recordings.download", lambda: account.http.open(url, account.auth), repeatable=True)
        async with opened as response:
            try:
                async for piece in response.content.iter_chunked(_PIECE):
                    yield piece
            except (ClientError, TimeoutError) as error:
                message = f"the recording broke off: {error!r}"
                raise Transient(message, provider=PROVIDER, operation="recordings.download") from error

    async def start_transcription(self, call_sid: str, callback_url: str) -> str:
        """Transcribe a live call, both tracks: https://www.twilio.com/docs/voice/api/realtime-transcription-resource."""
        sid: str = await self._account.ask(
            "transcriptions.create",
            lambda: self._account.client.calls(call_sid).transcriptions.create_async(
                track="both_tracks",
                status_callback_url=callback_url,
                status_callback_method="POST",
                partial_results=False,
            ),
            lambda instance: instance.sid,
            repeatable=False,
        )
        return sid

    async def stop_transcription(self, call_sid: str, sid: str) -> None:
        """End a transcription. One whose call is over has ended."""
        try:
            await self._account.ask(
                "transcriptions.stop",
                lambda: self._account.client.calls(call_sid).transcriptions(sid).update_async(status="stopped"),
                nothing,
                repeatable=True,
            )
        except Rejected as error:
            if error.code != NOT_IN_PROGRESS and not is_gone(error):
                raise

    async def delete_recording(self, recording_sid: str) -> None:
        """Delete a recording at Twilio."""
        await self._account.ask_or_none(
            "recordings.delete",
            lambda: self._account.client.recordings(recording_sid).delete_async(),
            nothing,
        )
