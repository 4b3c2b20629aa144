"""What goes into and comes out of signing in elsewhere."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

# Who reads these is who runs a domain's mail (CA/Browser Forum, Baseline Requirements, 3.2.2.4.4; RFC 2142).
Mailbox = Literal["postmaster", "admin", "administrator", "hostmaster", "webmaster"]
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# A way that stays here: no other host, whichever way browsers read slashes.
_STAYS = re.compile(r"/(?![/\\])[!-\[\]-~]*")


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("It should be one line without control characters.")
    return text


def domain_name(text: str) -> str:
    """A mail domain in small letters. Raises ValueError for what is none."""
    labels = text.lower().removeprefix("@").split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(each) for each in labels) or labels[-1].isdigit():
        raise ValueError("It should be a mail domain, such as example.com; one with other letters as it is registered (xn--).")
    return ".".join(labels)


def _stays(text: str) -> str:
    if not _STAYS.fullmatch(text) or text.startswith(("/api/", "/oauth/")):
        raise ValueError("It should be a path of this console, such as /contacts.")
    return text


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


Domain = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=253), AfterValidator(domain_name)]
ReturnTo = Annotated[str, Field(max_length=500, description="Where the console is to open."), AfterValidator(_stays)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), AfterValidator(_one_line)]


class Ways(BaseModel):
    """The ways of signing in elsewhere that there are for everybody."""

    google: bool


class BeginIn(_In):
    """Where to sign in: at Google, or at the provider of a company, found by the domain of an address or by its id."""

    google: bool = False
    email: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=254)] | None = None
    company: UUID | None = None
    return_to: ReturnTo = "/"

    @model_validator(mode="after")
    def _one(self) -> BeginIn:
        if self.google + (self.email is not None) + (self.company is not None) != 1:
            raise ValueError("Send one of google, email and company.")
        return self


class ConnectIn(_In):
    """What to connect one's account with: Google, or the company's provider."""

    google: bool = False


class SignInPage(BaseModel):
    """Where to send the browser."""

    url: str


class ProviderAnswer(BaseModel):
    """What a provider sends the browser back with (RFC 6749, 4.1.2; RFC 9207)."""

    state: Annotated[str, Field(max_length=200)] = ""
    code: Annotated[str, Field(max_length=4000)] = ""
    error: Annotated[str, Field(max_length=200)] = ""
    iss: Annotated[str, Field(max_length=500)] = ""


class StartQuery(BaseModel):
    """What a provider's own tile may say (OpenID Connect Core, 4)."""

    login_hint: Annotated[str, Field(max_length=254)] = ""


class ProviderIn(_In):
    """A company's provider. The secret may be left out to keep the one there is, for the same issuer and client."""

    label: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80), AfterValidator(_one_line)]
    issuer: Annotated[Line, Field(description="The provider's address, exactly as it calls itself.")]
    client_id: Line
    client_secret: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    joins: Annotated[bool, Field(strict=True, description="Does who is not a member yet become one?")] = False
    role: Literal["manager", "rep"] = "rep"
    team_id: UUID | None = None
    trusts_addresses: Annotated[
        bool, Field(strict=True, description="For providers that do not say whether an address is verified, such as Entra ID.")
    ] = False


class Provider(BaseModel):
    """A company's provider, without its secret."""

    label: str
    issuer: str
    client_id: str
    joins: bool
    role: Literal["manager", "rep"]
    team_id: UUID | None
    trusts_addresses: bool
    tested_at: datetime | None
    updated_at: datetime


class ProvenDomain(BaseModel):
    """A mail domain, and whether it is known to be the company's."""

    domain: str
    sent_to: str
    sent_at: datetime
    verified_at: datetime | None


class Outsider(BaseModel):
    """A member who could not come through the provider."""

    id: UUID
    name: str
    email: str


class KnownMember(BaseModel):
    """A member whom the provider knows, by the address that it has of them."""

    id: UUID
    name: str
    email: str
    last_used_at: datetime | None


class SsoSettings(BaseModel):
    """How the company signs in.

    `connected` are the first 500 of those whom the provider knows, `outside` the first of those who could not come through now.
    """

    provider: Provider | None
    enforced: bool
    domains: list[ProvenDomain]
    connected_count: int
    connected: list[KnownMember]
    outside_count: int
    outside: list[Outsider]
    redirect_uri: str
    start_url: str


class EnforceIn(_In):
    """Does everybody but the owners have to come through the provider?"""

    enforced: Annotated[bool, Field(strict=True)]


class DomainIn(_In):
    """A domain to prove, and whom at that domain the letter goes to."""

    domain: Domain
    mailbox: Mailbox = "postmaster"


class CodeIn(_In):
    """The code of the letter."""

    code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class ConnectedAccount(BaseModel):
    """What a person can sign in with elsewhere. `company`: at this company only."""

    id: UUID
    label: str
    email: str
    company: bool
    linked_at: datetime
    last_used_at: datetime | None


class ConnectedAccounts(BaseModel):
    """A person's connected accounts, and what they could connect."""

    data: list[ConnectedAccount]
    google: bool
    company: str | None
