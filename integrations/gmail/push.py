"""Pushes: what Pub/Sub posts when a mailbox has changed, told from forgeries by the token that Google signs for it.

https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import ClientError, ClientSession
from google.auth import jwt
from google.auth.exceptions import GoogleAuthError

from integrations.errors import Transient
from integrations.gmail.oauth import Places, read_body
from integrations.guard import Guard
from integrations.mail import GoogleClient, Push

ISSUERS: Final = frozenset({"https://accounts.google.com", "accounts.google.com"})
LARGEST_PUSH: Final = 100_000
CLOCK_SKEW_S: Final = 10
# How long certificates are believed without a word from Google about it, and how often they are asked for at most.
BELIEVED_S: Final = 3_600.0
ASKED_AGAIN_S: Final = 30.0
_MAX_AGE: Final = re.compile(r"max-age=(\d+)")


class GooglePushes:
    """The `PushReader` port."""

    def __init__(self, client: GoogleClient, session: ClientSession, guard: Guard) -> None:
        self._client = client
        self._certs = Certificates(Places(client.oauth_url).certs, session, guard)

    async def read(self, authorization: str, body: bytes) -> Push:
        """Check the token, then read the body. Raises ValueError, and Transient when the certificates can't be had."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise ValueError("no bearer token")
        if not self._client.push_audience or not self._client.push_account:
            raise ValueError("pushes are not set up")
        claims = await self._verified(token.strip())
        if claims.get("aud") != self._client.push_audience:
            raise ValueError("signed for another audience than GOOGLE_PUSH_AUDIENCE")
        if claims.get("iss") not in ISSUERS:
            raise ValueError("another issuer than Google")
        if claims.get("email") != self._client.push_account or claims.get("email_verified") is not True:
            raise ValueError("signed as another account than GOOGLE_PUSH_ACCOUNT")
        return _push(body)

    async def _verified(self, token: str) -> Mapping[str, Any]:
        try:
            key_id = jwt.decode_header(token).get("kid")  # type: ignore[no-untyped-call]
            if not isinstance(key_id, str) or not key_id:
                raise ValueError("a token without a key id")
            certs = await self._certs.with_key(key_id)
            claims = jwt.decode(token, certs=certs, clock_skew_in_seconds=CLOCK_SKEW_S)  # type: ignore[no-untyped-call]
        except (GoogleAuthError, TypeError, KeyError, AttributeError, UnicodeError) as error:
            # Its own message may hold the token.
            raise ValueError(f"a forged or expired token ({type(error).__name__})") from None
        if not isinstance(claims, Mapping):
            raise ValueError("a token without claims")
        return claims


class Certificates:
    """Google's present certificates. A key that is not among them is asked for, but not more often than ASKED_AGAIN_S."""

    def __init__(self, url: str, session: ClientSession, guard: Guard) -> None:
        self._url = url
        self._session = session
        self._guard = guard
        self._known: Mapping[str, str] = {}
        self._asked_at = float("-inf")
        self._good_until = float("-inf")

    async def with_key(self, key_id: str) -> Mapping[str, str]:
        """The certificates by key id, fresh ones when this key is new. Raises Transient."""
        now = time.monotonic()
        is_due = now >= self._good_until or key_id not in self._known
        if is_due and now >= self._asked_at + ASKED_AGAIN_S:
            self._known, believed_s = await self._guard.call("oauth.certs", self._ask, repeatable=True)
            self._asked_at = now
            self._good_until = now + believed_s
        return self._known

    async def _ask(self) -> tuple[Mapping[str, str], float]:
        try:
            async with self._session.get(self._url, allow_redirects=False) as response:
                body = await read_body(response)
                control = response.headers.get("Cache-Control", "")
                if response.status != 200:
                    raise Transient(f"no certificates: HTTP {response.status}")
            certs = {str(key): str(cert) for key, cert in json.loads(body).items()}
        except (ClientError, TimeoutError, ValueError, AttributeError) as error:
            raise Transient(f"no certificates: {error!r}") from error
        age = _MAX_AGE.search(control)
        return certs, float(age[1]) if age else BELIEVED_S


def _push(body: bytes) -> Push:
    if len(body) > LARGEST_PUSH:
        raise ValueError("too large for a push")
    try:
        message = json.loads(body)["message"]
        told = json.loads(base64.b64decode(message["data"].replace("-", "+").replace("_", "/"), validate=True))
        address, cursor, delivery_id = told["emailAddress"], told["historyId"], message["messageId"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a push ({type(error).__name__})") from None
    if not isinstance(address, str) or not isinstance(delivery_id, str) or not address or not delivery_id:
        raise ValueError("a push without an address or an id")
    if not str(cursor).isdigit():
        raise ValueError("a push without a place in the history")
    return Push(address, str(cursor), delivery_id)
