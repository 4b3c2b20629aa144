"""Posting to URLs that companies name: the `HookCarrier` port.

Any host may be named, so no private address is dialled, at no attempt, no redirect is followed, and little of the answer read.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar
from yarl import URL

from integrations.pointing import guarded_connector, why_not

_TIMEOUT_S: Final = 10.0
_MOST_READ: Final = 64 * 1024
_MOST_KEPT: Final = 2000
_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class HookAnswer:
    """What a URL answered. `status` None: nothing, and `words` say why. `text` is its first 2,000 characters."""

    status: int | None
    words: str
    text: str
    took_ms: int
    retry_after_s: float | None = None


class HookCarrier:
    """Posts JSON to any URL of the public internet."""

    def __init__(self, session: ClientSession, *, allow_private: bool) -> None:
        self._session = session
        self._schemes = ("https", "http") if allow_private else ("https",)

    @classmethod
    @asynccontextmanager
    async def open(cls, *, allow_private: bool = False) -> AsyncIterator[HookCarrier]:
        """Have webhooks carried as long as the context lasts. `allow_private`: hosts may stand on this machine."""
        connector = guarded_connector(allow_private=allow_private, limit=_AT_ONCE)
        timeout = ClientTimeout(total=_TIMEOUT_S)
        # Without a jar that one company's host could fill for another's.
        async with ClientSession(
            connector=connector, timeout=timeout, cookie_jar=DummyCookieJar(), auto_decompress=False, trust_env=False
        ) as session:
            yield cls(session, allow_private=allow_private)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> HookAnswer:
        """Post JSON once, within ten seconds. It never raises for what a host does."""
        began = time.monotonic()

        def took() -> int:
            return int((time.monotonic() - began) * 1000)

        if urlsplit(url).scheme not in self._schemes:
            return HookAnswer(None, "The URL should begin with https://.", "", took())
        sent = {"Content-Type": "application/json", "User-Agent": "Ringside-Webhooks/1", **headers}
        try:
            target = URL(url, encoded=True)
            async with self._session.post(target, data=body, headers=sent, allow_redirects=False) as answer:
                text = await _beginning(answer)
                return HookAnswer(answer.status, _words(answer.status), text, took(), _retry_after(answer))
        except TimeoutError:
            return HookAnswer(None, f"It did not answer within {_TIMEOUT_S:.0f} seconds.", "", took())
        except (ClientError, OSError, ValueError) as error:
            return HookAnswer(None, why_not(error).message, "", took())


async def _beginning(answer: ClientResponse) -> str:
    read = bytearray()
    async for chunk in answer.content.iter_chunked(4096):
        read += chunk
        if len(read) >= _MOST_READ:
            # What is left is not worth the wait, and the connection can't be used again.
            answer.close()
            break
    text = bytes(read[: 4 * _MOST_KEPT]).decode("utf-8", "replace").replace("\x00", "\ufffd")
    return text[:_MOST_KEPT]


def _words(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"It answers {status}, which leads elsewhere; no redirect is followed."
    return f"It answers {status}."


def _retry_after(answer: ClientResponse) -> float | None:
    given = answer.headers.get("Retry-After", "").strip()
    if given.isascii() and given.isdigit():
        return float(given[:9])
    try:
        moment = parsedate_to_datetime(given)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)
