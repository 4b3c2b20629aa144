"""Following TwiML on a leg, verb by verb. https://www.twilio.com/docs/voice/twiml"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from xml.etree.ElementTree import Element

from integrations.sandbox.twilio import twiml
from integrations.sandbox.twilio.audio import seconds_of
from integrations.sandbox.twilio.call_fields import request_fields
from integrations.sandbox.twilio.calls import Call, Instructions
from integrations.sandbox.twilio.courier import Courier, Fields
from integrations.sandbox.twilio.exchange import Exchange
from integrations.sandbox.twilio.twiml import Document, HangUp, NotTwiml, Speech

Verb = Callable[[Call, Element, Document], Awaitable[Document | None]]

_REDIRECTS: Final = 50
_KEY_S: Final = 0.25


class Interpreter:
    """Runs documents. Every verb returns the document to go on with, or None for the next verb of this one."""

    def __init__(self, exchange: Exchange, courier: Courier) -> None:
        self._exchange = exchange
        self._clock = exchange.clock
        self._courier = courier
        self._verbs: dict[str, Verb] = {
            "Say": self._say,
            "Play": self._play,
            "Pause": self._pause,
            "Gather": self._gather,
            "Hangup": self._hang_up,
            "Reject": self._reject,
            "Redirect": self._redirect,
        }

    def learn(self, name: str, verb: Verb) -> None:
        """Add a verb."""
        self._verbs[name] = verb

    async def follow(self, call: Call, instructions: Instructions) -> None:
        """Follow instructions to their end, and hang up then."""
        status = "completed"
        try:
            await self.run(call, await self._opening(call, instructions))
        except HangUp as end:
            status = end.status
        except NotTwiml as error:
            self.warn(call, str(error))
        if not call.is_over:
            if not call.is_answered and status == "completed":
                # Whoever is told that there is nothing to do has been answered first.
                self._exchange.pick_up(call)
            self._exchange.end(call, status)

    async def run(self, call: Call, document: Document) -> None:
        """Follow a document, and those that it leads to, to the end of the last."""
        for _ in range(_REDIRECTS):
            following = await self._through(call, document)
            if following is None:
                return
            document = following
        raise NotTwiml("12102: redirects without end")

    async def fetch(self, call: Call, url: str, method: str, fields: Fields | None = None) -> Document:
        """Ask an address what to do. Raises NotTwiml when no document comes back."""
        answer = await self._courier.ask(url, method, request_fields(call) | (fields or {}))
        if answer.status == 0 or answer.status >= 400:
            raise NotTwiml(f"11200: {url} answered {answer.status or 'nothing'}")
        if answer.content_type.startswith("audio/"):
            return Document((_playing(url),), url)
        if answer.content_type == "text/plain":
            return Document((_saying(answer.body.decode(errors="replace")),), url)
        try:
            return twiml.read(answer.body, url)
        except NotTwiml as error:
            raise NotTwiml(f"12100: {url}: {error}") from error

    async def go_on(self, call: Call, url: str, method: str, fields: Fields) -> Document:
        """Report what a verb came to, and return what to do next."""
        return await self.fetch(call, url, method, fields)

    def report(self, call: Call, url: str, method: str, fields: Fields) -> None:
        """Report what a verb came to on a leg that has ended: nobody follows the answer."""

        async def send() -> None:
            await self._courier.ask(url, method, request_fields(call) | fields)

        self._exchange.begin(send())

    def play_while_waiting(self, call: Call, url: str, method: str) -> "asyncio.Task[None]":
        """Play what an address answers to somebody who waits, once: nobody listens to the repetition."""

        async def play() -> None:
            try:
                await self.run(call, await self.fetch(call, url, method))
            except NotTwiml as error:
                self.warn(call, str(error))
            except HangUp:
                # Waiting music can't end a call.
                pass

        return self._exchange.begin(play())

    @staticmethod
    def warn(call: Call, warning: str) -> None:
        """Note what Twilio would write into its debugger."""
        call.warnings.append(warning)

    async def _opening(self, call: Call, instructions: Instructions) -> Document:
        if not instructions.url:
            try:
                return twiml.read(instructions.twiml.encode())
            except NotTwiml as error:
                raise NotTwiml(f"12100: {error}") from error
        try:
            return await self.fetch(call, instructions.url, instructions.method, dict(instructions.parameters))
        except NotTwiml as error:
            if not instructions.fallback_url:
                raise
            self.warn(call, str(error))
            code = str(error).partition(":")[0]
            fields = {"ErrorCode": code, "ErrorUrl": instructions.url}
            return await self.fetch(call, instructions.fallback_url, instructions.fallback_method, fields)

    async def _through(self, call: Call, document: Document) -> Document | None:
        for element in document.verbs:
            verb = self._verbs.get(element.tag)
            if verb is None:
                self.warn(call, f"12200: {element.tag} is not understood")
                continue
            if not call.is_answered and _answers(element):
                self._exchange.pick_up(call)
            following = await verb(call, element, document)
            if following is not None:
                return following
        return None

    async def _say(self, call: Call, element: Element, document: Document) -> None:
        speech = Speech(twiml.words(element))
        for _ in range(_times(element)):
            call.heard.append(f"say: {speech.words}")
            await self._clock.sleep(speech.seconds)

    async def _play(self, call: Call, element: Element, document: Document) -> None:
        digits = (element.get("digits") or "").strip()
        if digits:
            call.heard.append(f"digits: {digits}")
            await self._clock.sleep(_KEY_S * len(digits))
            return
        url = document.resolve(twiml.words(element))
        answer = await self._courier.ask(url, "GET", {})
        if answer.status != 200:
            self.warn(call, f"11200: {url} answered {answer.status or 'nothing'}")
            return
        seconds = seconds_of(answer.body)
        for _ in range(_times(element)):
            call.heard.append(f"play: {url}")
            await self._clock.sleep(seconds)

    async def _pause(self, call: Call, element: Element, document: Document) -> None:
        await self._clock.sleep(twiml.number(element, "length", 1.0))

    async def _hang_up(self, call: Call, element: Element, document: Document) -> None:
        raise HangUp

    async def _reject(self, call: Call, element: Element, document: Document) -> None:
        if call.is_answered:
            # Too late to reject: the rest of the document is not followed either.
            raise HangUp
        raise HangUp("busy" if element.get("reason") == "busy" else "no-answer")

    async def _redirect(self, call: Call, element: Element, document: Document) -> Document:
        target = twiml.words(element)
        return await self.fetch(call, document.resolve(target) if target else document.url, twiml.method_of(element))

    async def _gather(self, call: Call, element: Element, document: Document) -> Document | None:
        prompt = self._exchange.begin(self._prompt(call, element, document))
        call.key_pressed.clear()
        try:
            digits = await self._keys(call, element, prompt)
        finally:
            prompt.cancel()
        if not digits and not twiml.flag(element, "actionOnEmptyResult", False):
            return None
        url = document.address(element, "action") or document.url
        if not url:
            return None
        return await self.go_on(call, url, twiml.method_of(element), {"Digits": digits, "FinishedOnKey": ""})

    async def _prompt(self, call: Call, element: Element, document: Document) -> None:
        await self._through(call, Document(tuple(element), document.url))

    async def _keys(self, call: Call, element: Element, prompt: "asyncio.Task[None]") -> str:
        limit = int(twiml.number(element, "numDigits", 1_000))
        finish = element.get("finishOnKey", "#")
        timeout_s = twiml.number(element, "timeout", 5.0)
        digits = ""
        while True:
            while call.pressed:
                key, call.pressed = call.pressed[0], call.pressed[1:]
                if finish and key in finish:
                    return digits
                digits += key
                if len(digits) >= limit:
                    return digits
            call.key_pressed.clear()
            pressed = asyncio.ensure_future(call.key_pressed.wait())
            try:
                if not digits and not prompt.done():
                    await asyncio.wait([prompt, pressed], return_when=asyncio.FIRST_COMPLETED)
                if not pressed.done():
                    await asyncio.wait([pressed], timeout=timeout_s / self._clock.speed)
                if not pressed.done():
                    return digits
            finally:
                pressed.cancel()


def _answers(element: Element) -> bool:
    if element.tag == "Dial":
        return not twiml.flag(element, "answerOnBridge", False)
    return element.tag not in ("Reject", "Pause", "Redirect")


def _times(element: Element) -> int:
    # Twilio repeats for ever at 0; a thousand times is as good as that for whoever listens.
    return int(twiml.number(element, "loop", 1)) or 1_000


def _playing(url: str) -> Element:
    element = Element("Play")
    element.text = url
    return element


def _saying(text: str) -> Element:
    element = Element("Say")
    element.text = text
    return element
