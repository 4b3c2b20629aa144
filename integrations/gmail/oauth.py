"""Google's consent and tokens (RFC 6749, RFC 7636), and the access tokens that are still good."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import ClientConnectorError, ClientError, ClientResponse, ClientSession, ConnectionTimeoutError

from integrations.errors import ProviderError, RateLimited, Rejected, Transient
from integrations.guard import Guard
from integrations.mail import GoogleClient, GoogleGrant
from integrations.waiting import seconds_of

# gmail.modify reads, sends and labels, and never deletes for good. openid and email say whose mailbox it is.
MAIL_SCOPE: Final = "https://www.googleapis.com/auth/gmail.modify"
SCOPES: Final = ("openid", "email", MAIL_SCOPE)
# The person's consent is gone, or the company's administrator forbids it; another consent mends it.
GRANT_ERRORS: Final = frozenset({"invalid_grant", "access_denied", "admin_policy_enforced"})
# An access token is not used in the last minute of its hour.
MARGIN_S: Final = 60.0
KEPT_TOKENS: Final = 5_000
LARGEST_ANSWER: Final = 200_000


class Places:
    """Where Google's OAuth is: its own addresses, or all under one other."""

    def __init__(self, oauth_url: str) -> None:
        self.consent = f"{oauth_url or 'https://accounts.google.com'}/o/oauth2/v2/auth"
        self.token = f"{oauth_url or 'https://oauth2.googleapis.com'}/token"
        self.revoke = f"{oauth_url or 'https://oauth2.googleapis.com'}/revoke"
        # The certificates that Google signs its tokens with, PEM by key id.
        self.certs = f"{oauth_url or 'https://www.googleapis.com'}/oauth2/v1/certs"


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What calls are made with. `good_until` is on the monotonic clock, in seconds."""

    token: str = field(repr=False)
    good_until: float

    @property
    def is_good(self) -> bool:
        """Is there time enough left for a call?"""
        return time.monotonic() < self.good_until


class GoogleOAuth:
    """The `GoogleIdentity` port, and the refreshing of access tokens."""

    def __init__(self, client: GoogleClient, session: ClientSession, guard: Guard) -> None:
        self._client = client
        self._places = Places(client.oauth_url)
        self._session = session
        self._guard = guard

    def consent_url(self, *, state: str, code_challenge: str, redirect_uri: str, login_hint: str = "") -> str:
        """Where the person is asked. The consent is asked for each time: only then does a refresh token come along."""
        asked = {
            "client_id": self._client.client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": " ".join(SCOPES),
            "access_type": "offline",
            "prompt": "consent",
            "state": state,
            "code_challenge": code_challenge,
            "code_challenge_method": "S256",
        }
        if login_hint:
            asked["login_hint"] = login_hint
        return f"{self._places.consent}?{urlencode(asked)}"

    async def exchange(self, *, code: str, code_verifier: str, redirect_uri: str) -> GoogleGrant:
        """Trade the code in. Raises Rejected, also when the person left out the leave to read and send mail."""
        given = {"grant_type": "authorization_code", "code": code, "code_verifier": code_verifier, "redirect_uri": redirect_uri}
        # A code serves once, so that a second try could only fail.
        answer = await self._guard.call("oauth.exchange", lambda: self._ask_token(given), repeatable=False)
        scopes = frozenset(str(answer.get("scope", "")).split())
        if MAIL_SCOPE not in scopes:
            raise Rejected("scope_missing", "Google was not allowed to let us read and send mail: tick that box, too.", 400)
        refresh_token = answer.get("refresh_token")
        if not refresh_token:
            raise Rejected("no_refresh_token", "Google gave no lasting leave; ask for it once more.", 400)
        return GoogleGrant(str(refresh_token), scopes, _address(str(answer.get("id_token", ""))))

    async def refresh(self, refresh_token: str) -> AccessToken:
        """A new access token. A consent that is gone raises Rejected as the credential's fault."""
        given = {"grant_type": "refresh_token", "refresh_token": refresh_token}

        async def ask() -> AccessToken | Rejected:
            asked_at = time.monotonic()
            try:
                answer = await self._ask_token(given)
            except Rejected as error:
                if error.code in GRANT_ERRORS:
                    # It is the mailbox's consent that is gone; the guard keeps watch over the OAuth client, which is well.
                    return Rejected(error.code, error.message, 401, provider=self._guard.provider, operation="oauth.refresh")
                raise
            try:
                return AccessToken(str(answer["access_token"]), asked_at + float(answer["expires_in"]) - MARGIN_S)
            except (KeyError, TypeError, ValueError) as error:
                raise Transient(f"unreadable answer ({type(error).__name__})") from None

        answer = await self._guard.call("oauth.refresh", ask, repeatable=True)
        if isinstance(answer, Rejected):
            raise answer
        return answer

    async def revoke(self, refresh_token: str) -> None:
        """Give the grant back; gone already is fine."""

        async def ask() -> None:
            try:
                await self._post(self._places.revoke, {"token": refresh_token})
            except Rejected as error:
                if error.code not in ("invalid_token", *GRANT_ERRORS):
                    raise

        await self._guard.call("oauth.revoke", ask, repeatable=True)

    async def _ask_token(self, given: Mapping[str, str]) -> dict[str, Any]:
        known = {"client_id": self._client.client_id, "client_secret": self._client.client_secret}
        answer = await self._post(self._places.token, {**given, **known})
        if not isinstance(answer, dict):
            raise Transient("unreadable answer: no object", ambiguous=True)
        return answer

    async def _post(self, url: str, form: Mapping[str, str]) -> Any:
        try:
            async with self._session.post(url, data=form, allow_redirects=False) as response:
                body = await read_body(response)
                status, retry_after = response.status, response.headers.get("Retry-After")
        except (ClientConnectorError, ConnectionTimeoutError) as error:
            raise Transient(f"could not connect: {type(error).__name__}") from error
        except (ClientError, TimeoutError) as error:
            raise Transient(f"the answer was lost: {type(error).__name__}", ambiguous=True) from error
        try:
            answer = json.loads(body or b"{}")
        except ValueError:
            answer = None
        if status >= 300:
            raise _refusal(status, answer, retry_after)
        if answer is None:
            raise Transient("unreadable answer: no JSON", ambiguous=True)
        return answer


async def read_body(response: ClientResponse) -> bytes:
    """The body of a small answer. Raises Transient when it is not small."""
    body = bytearray()
    async for part in response.content.iter_chunked(65_536):
        body += part
        if len(body) > LARGEST_ANSWER:
            raise Transient(f"unreadable answer: more than {LARGEST_ANSWER} bytes", ambiguous=True)
    return bytes(body)


def _refusal(status: int, answer: Any, retry_after: str | None) -> ProviderError:
    fields = answer if isinstance(answer, dict) else {}
    code = str(fields.get("error") or status)
    message = str(fields.get("error_description") or code)
    if status == 429:
        return RateLimited(message, seconds_of(retry_after))
    if status == 408 or status >= 500:
        return Transient(f"{message} (HTTP {status})", seconds_of(retry_after), ambiguous=True)
    # invalid_client comes as a 401, but it is the installation's client that is ill: no mailbox is to be called revoked.
    return Rejected(code, message, 400)


def _address(id_token: str) -> str:
    """The address in an ID token. It came straight from Google, so its signature tells nothing new (OpenID Connect 3.1.3.7)."""
    try:
        body = id_token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return str(claims["email"])
    except (IndexError, ValueError, KeyError, TypeError):
        return ""


class AccessTokens:
    """The access tokens of the mailboxes that this process has to do with, until they expire."""

    def __init__(self, oauth: GoogleOAuth) -> None:
        self._oauth = oauth
        self._kept: OrderedDict[str, AccessToken] = OrderedDict()
        self._asking: dict[str, asyncio.Lock] = {}

    async def of(self, refresh_token: str) -> str:
        """A token that is good for a call. Several who ask at once cause one question."""
        key = _key(refresh_token)
        if (kept := self._good(key)) is not None:
            return kept
        lock = self._asking.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                if (kept := self._good(key)) is not None:
                    return kept
                token = self._kept[key] = await self._oauth.refresh(refresh_token)
                if len(self._kept) > KEPT_TOKENS:
                    self._kept.popitem(last=False)
                return token.token
        finally:
            if not lock.locked():
                self._asking.pop(key, None)

    def forget(self, refresh_token: str, token: str) -> None:
        """Google does not take this token any more."""
        key = _key(refresh_token)
        if (kept := self._kept.get(key)) is not None and kept.token == token:
            del self._kept[key]

    def _good(self, key: str) -> str | None:
        kept = self._kept.get(key)
        if kept is None or not kept.is_good:
            return None
        self._kept.move_to_end(key)
        return kept.token


def _key(refresh_token: str) -> str:
    return hashlib.sha256(refresh_token.encode()).hexdigest()
