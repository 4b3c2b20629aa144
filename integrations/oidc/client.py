"""The `Identity` port."""

from __future__ import annotations

import base64
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from aiohttp import ClientSession
from redis.asyncio import Redis

from integrations.errors import Rejected
from integrations.guard import Guard, RetryPolicy
from integrations.identity import OpenIdClient, Person, Question
from integrations.oidc.asking import TIMEOUT_S, ask_json, check_url, open_session
from integrations.oidc.provider import Description, Kept, Keys
from integrations.oidc.tokens import read_id_token

PROVIDER: Final = "oidc"
SCOPES: Final = "openid email profile"
KEPT_PROVIDERS: Final = 1_000
_WELL_KNOWN: Final = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class _Known:
    """What this process knows of a provider: its description, its keys, and the guard before it."""

    guard: Guard
    session: ClientSession
    description: Kept
    keys: Keys


class OpenId:
    """Asks providers. Build it with `open`."""

    def __init__(
        self,
        session: ClientSession,
        trusting: ClientSession,
        redis: Redis | None,
        *,
        allow_private: bool,
        retry: RetryPolicy | None,
    ) -> None:
        self._session = session
        self._trusting = trusting
        self._redis = redis
        self._allow_private = allow_private
        self._retry = retry
        self._known: OrderedDict[tuple[str, str, str], _Known] = OrderedDict()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, redis: Redis | None, *, private_hosts: bool = False, retry: RetryPolicy | None = None
    ) -> AsyncIterator[OpenId]:
        """Ask providers for as long as the context lasts, inside the running loop.

        `private_hosts`: they may stand in private networks, and without encryption.
        """
        async with open_session(allow_private=private_hosts) as session, open_session(allow_private=True) as trusting:
            yield cls(session, trusting, redis, allow_private=private_hosts, retry=retry)

    async def check(self, client: OpenIdClient) -> None:
        """Ask for the description and the keys now, whatever is remembered."""
        self._known.pop(_key(client), None)
        known = self._of(client)
        description: Description = await known.description.get()
        await known.guard.call("keys", lambda: ask_json(known.session, "GET", description.keys), repeatable=True)

    async def ask_url(self, client: OpenIdClient, question: Question) -> str:
        """Where the browser is sent. The challenge is S256 of the verifier (RFC 7636)."""
        description: Description = await self._of(client).description.get()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(question.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": question.redirect_uri,
            "scope": SCOPES,
            "state": question.state,
            "nonce": question.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        if question.login_hint:
            asked["login_hint"] = question.login_hint
        if question.max_age_s is not None:
            asked |= {"max_age": str(question.max_age_s), "prompt": "login"}
        parts = urlsplit(description.authorize)
        query = f"{parts.query}&{urlencode(asked)}" if parts.query else urlencode(asked)
        return urlunsplit(parts._replace(query=query))

    async def identify(self, client: OpenIdClient, question: Question, code: str, named: str) -> Person:
        """Trade the code in, check the ID token, and ask for the address where the token has none."""
        known = self._of(client)
        description: Description = await known.description.get()
        if named != description.issuer and (named or description.names_itself):
            # RFC 9207: a code of one provider is not brought to another.
            raise Rejected("other_issuer", "The answer came from another provider than the one that was asked.", 400)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": question.redirect_uri,
            "code_verifier": question.verifier,
        }
        headers: dict[str, str] = {}
        if description.secret_in_body:
            form |= {"client_id": client.client_id, "client_secret": client.client_secret}
        else:
            # RFC 6749, 2.3.1: both are form-encoded first.
            pair = f"{quote(client.client_id, safe='')}:{quote(client.client_secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        # A code serves once, so that a second try could only fail.
        answer = await known.guard.call(
            "token", lambda: ask_json(known.session, "POST", description.token, form=form, headers=headers), repeatable=False
        )
        claims = await read_id_token(
            answer.get("id_token"),
            description=description,
            keys=known.keys,
            client_id=client.client_id,
            nonce=question.nonce,
            max_age_s=question.max_age_s,
        )
        if not claims.get("email") and description.userinfo:
            claims = {**await self._userinfo(known, description, answer.get("access_token"), claims["sub"]), **claims}
        return _person(description.issuer, claims)

    async def _userinfo(self, known: _Known, description: Description, token: Any, subject: str) -> Mapping[str, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        said = await known.guard.call(
            "userinfo", lambda: ask_json(known.session, "GET", description.userinfo, headers=headers), repeatable=True
        )
        if said.get("sub") != subject:
            # Core 5.3.2: an answer about somebody else.
            raise Rejected("other_subject", "The provider speaks of two different people.", 400)
        return said

    def _of(self, client: OpenIdClient) -> _Known:
        key = _key(client)
        if (known := self._known.get(key)) is not None:
            self._known.move_to_end(key)
            return known
        guard = Guard(PROVIDER, "\0".join(key), self._redis, timeout_s=TIMEOUT_S + 1, retry=self._retry)
        # Where it is found is said by whoever runs this installation, not by a company, and may be here.
        is_ours = bool(client.found_at)
        allow_private, session = (True, self._trusting) if is_ours else (self._allow_private, self._session)
        where = client.found_at or client.issuer.rstrip("/")

        async def describe() -> Description:
            check_url(client.issuer, "The issuer", allow_private=allow_private)
            url = check_url(where + _WELL_KNOWN, "The issuer", allow_private=allow_private)
            said = await guard.call("description", lambda: ask_json(session, "GET", url), repeatable=True)
            return Description.read(said, client.issuer, allow_private=allow_private)

        kept = Kept(describe)

        async def keys() -> dict[str, Any]:
            description: Description = await kept.get()
            return await guard.call("keys", lambda: ask_json(session, "GET", description.keys), repeatable=True)

        self._known[key] = made = _Known(guard, session, kept, Keys(keys))
        if len(self._known) > KEPT_PROVIDERS:
            self._known.popitem(last=False)
        return made


def _key(client: OpenIdClient) -> tuple[str, str, str]:
    return client.issuer, client.client_id, client.found_at


def _person(issuer: str, claims: Mapping[str, Any]) -> Person:
    verified = claims.get("email_verified")
    return Person(
        issuer=issuer,
        subject=str(claims["sub"]),
        email=_text(claims.get("email"), 254),
        # Some providers say it as a text.
        email_verified=None if verified is None else verified is True or verified == "true",
        name=_text(claims.get("name"), 120)
        or f"{_text(claims.get('given_name'), 60)} {_text(claims.get('family_name'), 60)}".strip(),
        hosted_domain=_text(claims.get("hd"), 253).lower(),
    )


def _text(value: Any, most: int) -> str:
    """A claim as one line of text."""
    return " ".join("".join(c for c in value if c.isprintable()).split())[:most].strip() if isinstance(value, str) else ""
