"""What the sandbox sends: signed callbacks, in their order and with their bad habits, and requests for TwiML."""

import asyncio
import base64
import hmac
import logging
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final
from urllib.parse import quote_plus

from aiohttp import ClientError, ClientSession, ClientTimeout
from twilio.request_validator import HMAC_SHA256, SIGNATURE_HEADER, SIGNATURE_SETTINGS_HEADER
from yarl import URL

from integrations.sandbox.twilio.settings import CallbackHabit, SandboxSettings
from integrations.sandbox.twilio.wording import now

log = logging.getLogger(__name__)

_ATTEMPTS: Final = 2
_LONGEST_ANSWER: Final = 4 * 1024 * 1024

Fields = dict[str, str]

# Most of what a callback says has been said before.
_quoted = lru_cache(maxsize=16_384)(quote_plus)


@dataclass(frozen=True, slots=True)
class Callback:
    """Where events are told, and which of them. No URL: nowhere."""

    url: str = ""
    method: str = "POST"
    events: frozenset[str] = frozenset()

    def wants(self, event: str) -> bool:
        """Was this event asked for?"""
        return bool(self.url) and event in self.events


@dataclass(slots=True)
class Delivery:
    """One attempt to deliver a callback; `http_status` is None when nobody answered."""

    event: str
    status: str
    sequence_number: int
    http_status: int | None
    at: datetime
    url: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """One event to be told. Letters of one `stream` (a SID) arrive one after the other.

    `is_last` says that no other letter of the stream will follow; `log` is where the deliveries are noted.
    """

    stream: str
    callback: Callback
    event: str
    fields: Fields
    log: list[Delivery] = field(default_factory=list)
    habit: CallbackHabit | None = None
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody answered; status 0 when nobody did."""

    status: int
    content_type: str
    body: bytes


class Courier:
    """Carries everything that leaves the sandbox."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self._secret = (settings.signing_key[1] if settings.signing_key else settings.auth_token).encode()
        self._algorithm = "sha256" if settings.signing_key else "sha1"
        self._session = ClientSession(timeout=ClientTimeout(total=settings.callback_timeout_s))
        self._held: dict[str, Letter] = {}
        self._last: dict[str, asyncio.Task[None]] = {}

    async def close(self) -> None:
        """Drop what is still on its way."""
        running = list(self._last.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._session.close()

    def post(self, letter: Letter) -> None:
        """Send a letter, unless nobody asked for it or the habit is to send none."""
        habit = letter.habit or self._settings.callbacks
        if not letter.callback.wants(letter.event) or not habit.is_sent:
            return
        batch = [letter]
        if habit.is_swapped:
            held = self._held.pop(letter.stream, None)
            if held is not None:
                batch.append(held)
            elif not letter.is_last:
                self._held[letter.stream] = letter
                return
        for each in batch:
            for _ in range(habit.copies):
                self._enqueue(each, habit.delay_s)

    async def ask(self, url: str, method: str, fields: Fields) -> Answer:
        """Send one signed request and return what comes back."""
        sent = fields
        if method == "GET":
            # Percent-encoded here, once: what is signed must be what is sent, to the byte.
            url = f"{url}{'&' if '?' in url else '?'}{_encoded(fields)}" if fields else url
            sent = {}
        try:
            async with self._session.request(
                method,
                URL(url, encoded=True),
                data=_encoded(sent).encode() if sent else None,
                headers=self._headers(url, sent),
                allow_redirects=False,
            ) as response:
                body = await response.content.read(_LONGEST_ANSWER)
                while (more := await response.content.read(_LONGEST_ANSWER)) and len(body) < _LONGEST_ANSWER:
                    body += more
                return Answer(response.status, response.content_type, body)
        except (ClientError, OSError, TimeoutError, ValueError):
            return Answer(0, "", b"")

    def _headers(self, url: str, fields: Fields) -> dict[str, str]:
        """Return the headers with the signature: https://www.twilio.com/docs/usage/security#validating-requests"""
        signed = url + "".join(name + fields[name] for name in sorted(fields))
        digest = hmac.digest(self._secret, signed.encode(), self._algorithm)
        headers = {"User-Agent": "TwilioProxy/1.1", SIGNATURE_HEADER: base64.b64encode(digest).decode()}
        if self._settings.signing_key:
            headers[SIGNATURE_SETTINGS_HEADER] = f"key={self._settings.signing_key[0]},algorithm={HMAC_SHA256}"
        if fields:
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        return headers

    def _enqueue(self, letter: Letter, delay_s: float) -> None:
        task = asyncio.create_task(self._deliver(letter, self._last.get(letter.stream), delay_s))
        self._last[letter.stream] = task
        task.add_done_callback(lambda done: self._forget(letter.stream, done))

    def _forget(self, stream: str, done: asyncio.Task[None]) -> None:
        if self._last.get(stream) is done:
            del self._last[stream]

    async def _deliver(self, letter: Letter, previous: asyncio.Task[None] | None, delay_s: float) -> None:
        if previous is not None:
            await asyncio.wait([previous])
        if delay_s:
            await asyncio.sleep(delay_s)
        fields = letter.fields
        for _ in range(_ATTEMPTS):
            answer = await self.ask(letter.callback.url, letter.callback.method, fields)
            letter.log.append(
                Delivery(
                    letter.event,
                    fields.get("CallStatus", ""),
                    int(fields.get("SequenceNumber", 0)),
                    answer.status or None,
                    now(),
                    letter.callback.url,
                )
            )
            if answer.status and answer.status < 500:
                return
            log.warning("callback %s of %s got %s", letter.event, letter.stream, answer.status or "no answer")


def _encoded(fields: Fields) -> str:
    return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in fields.items())
