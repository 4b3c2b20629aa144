"""Pushes to browsers (RFC 8030), encrypted for them (RFC 8291) and signed by us (RFC 8292): the `PushCarrier` port.

Where a push goes is what a browser said, so any host may be named: no private address is dialled, no redirect followed, and
little of the answer read.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

import jwt
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from jwt.utils import base64url_encode
from pywebpush import WebPusher
from redis.asyncio import Redis

from integrations.errors import RateLimited, Rejected, Transient
from integrations.guard import Guard
from integrations.pointing import guarded_connector, why_not
from integrations.telling import PushMessage, PushTarget

_TIMEOUT_S: Final = 10.0
# RFC 8292, section 2: at most a day; services differ in how their clocks go.
_SIGNED_FOR_S: Final = 12 * 3600
_MOST_READ: Final = 500
# RFC 8030 wants services to take at least 4,096 bytes of the encrypted body.
_MOST_SENT: Final = 3500
_MOST_HOSTS: Final = 50


class WebPushCarrier:
    """Pushes to any service. `contact` is whom a service turns to: a mailto: or an https: address of the operator."""

    def __init__(self, session: ClientSession, contact: str, redis: Redis | None, *, allow_private: bool) -> None:
        self._session = session
        self._contact = contact
        self._redis = redis
        self._schemes = ("https", "http") if allow_private else ("https",)
        self._guards: OrderedDict[str, Guard] = OrderedDict()

    @classmethod
    @asynccontextmanager
    async def open(cls, contact: str, redis: Redis | None, *, allow_private: bool = False) -> AsyncIterator[WebPushCarrier]:
        """Have pushes carried as long as the context lasts. `allow_private`: services may stand on this machine."""
        connector = guarded_connector(allow_private=allow_private, limit=50)
        async with ClientSession(connector=connector, timeout=ClientTimeout(total=_TIMEOUT_S)) as session:
            yield cls(session, contact, redis, allow_private=allow_private)

    async def push(self, target: PushTarget, message: PushMessage, key: str) -> None:
        """Push one. A repeated one of the same topic takes the place of the one before, while that still waits.

        It is tried once: whoever asks for it has a ledger that tries again.
        """
        parts = urlsplit(target.endpoint)
        if parts.scheme not in self._schemes or not parts.netloc:
            raise Rejected("bad_endpoint", "This is no address of a push service.", 400, provider="webpush")
        if len(message.body) > _MOST_SENT:
            raise Rejected("too_long", f"A push may have {_MOST_SENT} bytes, this one has {len(message.body)}.", 413)
        headers = self._signed(f"{parts.scheme}://{parts.netloc}", key) | {
            "TTL": str(message.ttl_s),
            "Urgency": "high" if message.is_urgent else "normal",
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
        }
        if message.topic:
            headers["Topic"] = message.topic
        body = _encrypted(target, message.body)

        async def send() -> None:
            try:
                async with self._session.post(target.endpoint, data=body, headers=headers, allow_redirects=False) as answer:
                    await _judge(answer)
            except (ClientError, OSError, ValueError) as error:
                raise why_not(error) from error

        await self._guard(parts.netloc).call("push", send, repeatable=False)

    def _signed(self, audience: str, key: str) -> dict[str, str]:
        private = load_pem_private_key(key.encode(), None)
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        claims = {"aud": audience, "exp": int(time.time()) + _SIGNED_FOR_S, "sub": self._contact}
        point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"Authorization": f"vapid t={jwt.encode(claims, private, 'ES256')}, k={base64url_encode(point).decode()}"}

    def _guard(self, host: str) -> Guard:
        # Anybody may name a host; those that were not used for long make room.
        guard = self._guards.pop(host, None) or Guard("webpush", host, self._redis, timeout_s=_TIMEOUT_S)
        self._guards[host] = guard
        if len(self._guards) > _MOST_HOSTS:
            self._guards.popitem(last=False)
        return guard


def _encrypted(target: PushTarget, body: bytes) -> bytes:
    browser = {"endpoint": target.endpoint, "keys": {"p256dh": target.p256dh, "auth": target.auth}}
    try:
        encrypted: bytes = WebPusher(browser).encode(body, "aes128gcm")["body"]
    except (ValueError, IndexError) as error:
        raise Rejected("bad_keys", "The browser's keys can't be used.", 410, provider="webpush") from error
    return encrypted


async def _judge(answer: ClientResponse) -> None:
    if answer.status in (200, 201, 202, 204):
        return
    words = (await answer.content.read(_MOST_READ)).decode("utf-8", "replace").strip()
    said = f"it answers {answer.status}" + (f": {words[:200]}" if words.isprintable() and words else "")
    asked = answer.headers.get("Retry-After", "")
    retry_after = float(asked) if asked.isdigit() else None
    if answer.status == 429:
        raise RateLimited(said, retry_after)
    if answer.status >= 500:
        raise Transient(said, retry_after)
    raise Rejected(str(answer.status), said, answer.status)
