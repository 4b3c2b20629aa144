"""Sending a browser to a provider, and knowing it again when it comes back.

The state that travels in the address is worth nothing without the cookie of the browser in which it began (RFC 9700, 4.7). The
nonce and PKCE's verifier are made of both with a key of the server's, so that nothing secret is kept meanwhile; each way has
an address of its own to come back to, so that no provider can pass its answers off as another's (RFC 9700, 4.4).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from hub.config import Settings
from hub.db import Database
from hub.errors import HubError, Invalid, NotFound, Unavailable
from hub.sealing import Seals, Unsealable
from hub.sqlfiles import load_sql
from integrations.errors import ProviderError, Rejected
from integrations.identity import GOOGLE_ISSUER, Identity, OpenIdClient, Question

_SQL = load_sql("sso")

BACK = "/oauth/sso"
GOOGLE = "google"
LASTS_S = 900
_SEAL_KIND = "sso_provider"

Purpose = Literal["sign_in", "connect"]


class Refused(Exception):
    """There is no sign-in. The code is for the console, which has the words; `path` is where it is to say them."""

    def __init__(self, code: str, path: str = "/") -> None:
        super().__init__(code)
        self.code = code
        self.path = path


@dataclass(frozen=True, slots=True)
class Site:
    """What this server has for signing in elsewhere. `identity` is None where it was not opened (the shell)."""

    settings: Settings
    identity: Identity | None
    seals: Seals

    @property
    def has_google(self) -> bool:
        """Can people sign in with Google here?"""
        return self.identity is not None and self.settings.google is not None and self.settings.google_sign_in

    def asked(self) -> Identity:
        """The port. Raises Unavailable."""
        if self.identity is None:
            raise Unavailable("No provider can be asked here.", retry_after_s=60)
        return self.identity

    def google(self) -> OpenIdClient:
        """Us, as Google knows us. Raises NotFound where that is not set up."""
        google = self.settings.google
        if google is None or not self.has_google:
            raise NotFound("Sign-in with Google is not set up here (GOOGLE_CLIENT_ID).", code="no_google")
        return OpenIdClient(GOOGLE_ISSUER, google.client_id, google.client_secret, google.oauth_url)

    def redirect_uri(self, company: UUID | None) -> str:
        """Where a provider sends the browser: a place of its own for each."""
        return f"{self.settings.public_url}{BACK}/{company or GOOGLE}"

    def seal(self, tenant_id: UUID, secret: str) -> str:
        """A client's secret as it is stored."""
        return self.seals.seal(secret, tenant_id=tenant_id, kind=_SEAL_KIND, row_id=tenant_id)

    def client(self, row: Mapping[str, Any]) -> OpenIdClient:
        """Us, as a company's provider knows us. Raises Unavailable when the keys of the installation were lost."""
        tenant_id = row["tenant_id"]
        try:
            secret = self.seals.open(row["sealed"], tenant_id=tenant_id, kind=_SEAL_KIND, row_id=tenant_id)
        except Unsealable:
            said = "The keys of this installation have changed. An admin has to enter the provider's secret again."
            raise Unavailable(said, retry_after_s=60) from None
        return OpenIdClient(row["issuer"], row["client_id"], secret)

    def question(
        self, company: UUID | None, state: str, browser: str, login_hint: str = "", max_age_s: int | None = None
    ) -> Question:
        """What ties the answer to this browser."""
        key = self.settings.key("sso")

        def made(what: str) -> str:
            digest = hmac.new(key, f"{what}\0{state}\0{browser}".encode(), hashlib.sha256).digest()
            return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

        return Question(self.redirect_uri(company), state, made("nonce"), made("verifier"), login_hint, max_age_s)


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that was begun: where to send the browser, and the secret of its cookie."""

    url: str
    browser: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A sign-in that was begun in this very browser, not long ago. Without a company it was begun at Google."""

    purpose: Purpose
    company: UUID | None
    issuer: str
    client_id: str
    user_id: UUID | None
    return_to: str


async def provider_of(db: Database, *, email: str = "", company: UUID | None = None) -> Mapping[str, Any]:
    """The provider of a company, or of an address's domain. Raises NotFound, which says nothing of the address itself."""
    domain = email.rpartition("@")[2].strip().lower()
    row = await db.system_fetchrow(_SQL["provider_for"], domain=domain, tenant=company)
    if row is None:
        raise NotFound(
            "No company has a sign-in of its own for this address. Use your password, or ask your admin for the link.",
            code="no_sso",
        )
    return dict(row)


async def begin(
    db: Database,
    site: Site,
    client: OpenIdClient,
    company: UUID | None,
    *,
    purpose: Purpose = "sign_in",
    user_id: UUID | None = None,
    return_to: str = "/",
    login_hint: str = "",
) -> Begun:
    """Begin at a provider. Raises Unavailable in words when it can't be asked."""
    state, browser = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    try:
        url = await site.asked().ask_url(client, site.question(company, state, browser, login_hint))
    except ProviderError as exc:
        raise Unavailable(f"The sign-in can't be reached: {in_words(exc)}", retry_after_s=10) from exc
    await db.system_fetch(
        _SQL["begin"],
        state=_hash(state),
        browser=_hash(browser),
        purpose=purpose,
        tenant=company,
        issuer=client.issuer,
        client=client.client_id,
        user=user_id,
        return_to=return_to,
    )
    return Begun(url, browser)


async def take(db: Database, company: UUID | None, state: str, browser: str) -> Taken:
    """The sign-in that the browser comes back from; it serves once. Raises Refused."""
    row = await db.system_fetchrow(_SQL["take"], state=_hash(state), lasts=timedelta(seconds=LASTS_S))
    if row is None or row["is_late"]:
        raise Refused("too_late")
    if not hmac.compare_digest(row["browser_hash"], _hash(browser)):
        raise Refused("other_browser")
    if row["tenant_id"] != company:
        raise Refused("other_provider")
    return Taken(row["purpose"], row["tenant_id"], row["issuer"], row["client_id"], row["user_id"], row["return_to"])


async def check(site: Site, client: OpenIdClient) -> None:
    """Ask a provider that was typed in. Raises Invalid in words for the field `issuer`."""
    try:
        await site.asked().check(client)
    except ProviderError as exc:
        raise Invalid.field("issuer", f"The provider can't be used: {in_words(exc)}") from None


def in_words(problem: ProviderError | HubError) -> str:
    """What went wrong, for a person."""
    if isinstance(problem, Rejected | HubError):
        return problem.message
    return "it does not answer. Try again in a moment."


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="replace")).digest()
