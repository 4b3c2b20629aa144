"""The port to whoever says who somebody is: OpenID providers, Google among them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

GOOGLE_ISSUER = "https://accounts.google.com"


@dataclass(frozen=True, slots=True)
class OpenIdClient:
    """Us, as a provider knows us. `found_at` is where its description is, when that is not below the issuer's address."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    found_at: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What ties an answer to its question: the way back, and three random texts of 256 bits that only we and the browser know.

    `max_age_s` 0 has the person prove who they are again (OpenID Connect Core, 3.1.2.1).
    """

    redirect_uri: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    login_hint: str = ""
    max_age_s: int | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Who a provider says somebody is. The issuer and the subject stay; the address may be another's one day.

    `email_verified` is None where the provider says nothing of it. `hosted_domain` is Google's `hd`: the organisation that the
    account belongs to.
    """

    issuer: str
    subject: str
    email: str
    email_verified: bool | None
    name: str
    hosted_domain: str = ""


class Identity(Protocol):
    """OpenID Connect by the authorization code with PKCE.

    All of them raise `Rejected` in words when the provider, or what it says, is not what it should be, and `Transient` or
    `CircuitOpen` when it can't be asked.
    """

    async def check(self, client: OpenIdClient) -> None:
        """Is there a provider of this issuer that can do what is needed?"""

    async def ask_url(self, client: OpenIdClient, question: Question) -> str:
        """Where the browser is sent."""

    async def identify(self, client: OpenIdClient, question: Question, code: str, named: str) -> Person:
        """Trade the code in, and check every word of the answer (OpenID Connect Core, 3.1.3.7).

        `named` is the issuer that came along with the code (RFC 9207); empty where none did.
        """
