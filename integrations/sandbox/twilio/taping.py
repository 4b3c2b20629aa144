"""The Record verb: a caller leaves a message. https://www.twilio.com/docs/voice/twiml/record"""

import asyncio
from typing import Final
from xml.etree.ElementTree import Element

from integrations.sandbox.twilio import twiml
from integrations.sandbox.twilio.calls import Call, RecordingWish
from integrations.sandbox.twilio.exchange import Exchange
from integrations.sandbox.twilio.interpreter import Interpreter
from integrations.sandbox.twilio.recordings import LIVE, Recording, Recordings
from integrations.sandbox.twilio.transcriptions import Transcriptions
from integrations.sandbox.twilio.twiml import Document

# How long anybody speaks on a tape before they fall silent.
_MESSAGE_S: Final = 8.0
_LONGEST_S: Final = 3600.0
_SILENCE_S: Final = 5.0
_ANY_KEY: Final = "1234567890*#"


class Taping:
    """The verb."""

    def __init__(
        self, exchange: Exchange, interpreter: Interpreter, recordings: Recordings, transcriptions: Transcriptions
    ) -> None:
        self._exchange = exchange
        self._interpreter = interpreter
        self._recordings = recordings
        self._transcriptions = transcriptions

    async def record(self, call: Call, element: Element, document: Document) -> Document | None:
        """Take down what the caller says, until silence, a key, the limit or the end of the call."""
        wish = RecordingWish(1, "RecordVerb", document.callback(element, "recordingStatusCallback"))
        recording = self._recordings.start(call, wish)
        if element.get("transcribeCallback") or twiml.flag(element, "transcribe", False):
            recording.on_done = lambda: self._transcriptions.order(
                recording, document.address(element, "transcribeCallback") or document.url
            )
        url, method = document.address(element, "action") or document.url, twiml.method_of(element)
        call.heard.append("beep")
        try:
            key = await self._until_over(call, element)
        except asyncio.CancelledError:
            # The caller hung up, or the call was sent elsewhere: what was said until then is kept.
            self._stop(recording)
            if call.is_over and url:
                self._interpreter.report(call, url, method, self._fields(recording, "hangup"))
            raise
        self._stop(recording)
        if not url:
            return None
        return await self._interpreter.go_on(call, url, method, self._fields(recording, key))

    async def _until_over(self, call: Call, element: Element) -> str:
        limit_s = min(twiml.number(element, "maxLength", _LONGEST_S), _MESSAGE_S + twiml.number(element, "timeout", _SILENCE_S))
        keys = element.get("finishOnKey", _ANY_KEY)
        ends_at = self._exchange.clock.now() + limit_s / self._exchange.clock.speed
        while (left_s := ends_at - self._exchange.clock.now()) > 0:
            while call.pressed:
                key, call.pressed = call.pressed[0], call.pressed[1:]
                if key in keys:
                    return key
            call.key_pressed.clear()
            try:
                async with asyncio.timeout(left_s):
                    await call.key_pressed.wait()
            except TimeoutError:
                break
        return ""

    def _stop(self, recording: Recording) -> None:
        if recording.status in LIVE:
            self._recordings.stop(recording)

    def _fields(self, recording: Recording, digits: str) -> dict[str, str]:
        told = self._recordings.fields(recording)
        return {name: told[name] for name in ("RecordingSid", "RecordingUrl", "RecordingDuration")} | {"Digits": digits}
