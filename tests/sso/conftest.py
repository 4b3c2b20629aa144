"""A hub that the tests of a file share, with a company's OpenID provider and a Google to sign in at."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import asyncpg
import pytest_asyncio
from aiohttp import ClientSession
from argon2 import PasswordHasher

from hub.config import GoogleSettings
from hub.embedded import PostgresServer
from integrations.sandbox.gmail import GmailSandbox
from integrations.sandbox.oidc import OidcSandbox
from tests.conftest import Company, TestDatabase, cloned_database, make_company
from tests.harness import PASSWORD, Answer, Api, RunningHub, make_settings, running_hub
from tests.letters import letters_to

# What is checked is what the hash says: a cheap one keeps the tests quick.
CHEAP_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
_numbers = itertools.count(1)


@dataclass
class Browser:
    """A person's browser: the hub's pages and the provider's, with the hub's cookies."""

    house: House
    api: Api
    # What a tampering hand changes of the way back.
    changes: dict[str, str] = field(default_factory=dict)

    async def follow(self, url: str, address: str = "") -> dict[str, str]:
        """The person signs in at a provider as `address`; where the browser lands: `path`, and what came with it."""
        back = await self.house.signed_in_at(url, address)
        query = dict(parse_qsl(back.query)) | self.changes
        return await self.land(back.path, query)

    async def land(self, path: str, query: dict[str, str]) -> dict[str, str]:
        """Come back from a provider."""
        landed = await self.api.call("GET", path, params=query, allow_redirects=False)
        assert landed.status == 303, landed.body
        place = urlsplit(landed.headers["Location"])
        assert not place.netloc, "it stays here"
        return {"path": place.path, **dict(parse_qsl(place.query)), **dict(parse_qsl(place.fragment))}

    async def sign_in(self, address: str, **given: Any) -> dict[str, str]:
        """Use the company's sign-in, or Google with `google=True`, as a person of an address."""
        begun = await self.api.post("/sso/begin", given or {"email": address})
        assert begun.status == 200, begun.body
        return await self.follow(begun.body["url"], address)

    async def opened(self) -> Answer:
        """What the console does when it opens: it trades the cookie for an access token, and keeps that."""
        answer = await self.api.post("/auth/refresh")
        if answer.status == 200:
            self.api.token = answer.body["access_token"]
        return answer


@dataclass
class House:
    """A running hub, its providers, and its database."""

    server: RunningHub
    oidc: OidcSandbox
    google: GmailSandbox
    database: TestDatabase

    def browser(self, token: str | None = None) -> Browser:
        """A browser of its own."""
        return Browser(self, self.server.client(token))

    async def signed_in_at(self, url: str, address: str = "") -> Any:
        """A person signs in at a provider's page; the address they are sent back to, in parts."""
        hint = {"login_hint": address} if address and "login_hint=" not in url else {}
        async with ClientSession() as elsewhere:
            params = [*parse_qsl(urlsplit(url).query), *hint.items(), ("auto", "1")]
            async with elsewhere.get(url.partition("?")[0], params=params, allow_redirects=False) as answer:
                assert answer.status == 302, await answer.text()
                return urlsplit(answer.headers["Location"])

    async def company(self) -> Company:
        """A company of this test alone; its people sign in with PASSWORD."""
        return await make_company(self.server.hub.db, f"Acme{next(_numbers)}", CHEAP_HASH)

    async def person(self, email: str, **roles: Company) -> UUID:
        """A person with PASSWORD who belongs to these companies, as what the keyword says."""
        async with self.server.hub.db.acquire() as conn:
            for role, company in roles.items():
                user_id: UUID = await conn.fetchval(
                    "SELECT create_member($1, $2, 'Bo Both', $3, $4)", company.tenant_id, email, CHEAP_HASH, role
                )
        return user_id

    async def set_up(self, company: Company, *, prove: bool = True, **more: Any) -> Api:
        """The owner sets the provider up, and proves the domain of the company's addresses; the owner's client."""
        owner = self.server.as_member(company, "owner")
        given = {
            "label": f"{company.name}'s sign-in",
            "issuer": self.oidc.url,
            "client_id": self.oidc.settings.client_id,
            "client_secret": self.oidc.settings.client_secret,
            **more,
        }
        answer = await owner.put("/sso/provider", given)
        assert answer.status == 200, answer.body
        if prove:
            await self.prove(owner, domain_of(company))
        return owner

    async def prove(self, owner: Api, domain: str) -> None:
        """The postmaster reads the letter and gives the code."""
        assert (await owner.post("/sso/domains", {"domain": domain})).status == 200
        answer = await owner.post(f"/sso/domains/{domain}/code", {"code": await self.code_for(domain)})
        assert answer.status == 200, answer.body

    async def code_for(self, domain: str) -> str:
        """The code of the newest letter to a domain's postmaster."""
        letters = await letters_to(self.database, self.server.settings, f"postmaster@{domain}")
        found = re.search(r"^[A-Z0-9]{5}(-[A-Z0-9]{5}){3}$", letters[-1].text, re.MULTILINE)
        assert found, letters[-1].text
        return found[0]

    async def bill(self, company: Company, *, plan: str, seats: int) -> None:
        """The company has this plan, and so many seats."""
        told = (
            "INSERT INTO billing_accounts (tenant_id, plan, seats, standing, trial_ends_at) VALUES ($1, $2, $3, 'active', now())"
            " ON CONFLICT (tenant_id) DO UPDATE SET plan = $2, seats = $3"
        )
        await self.as_admin(told, company.tenant_id, plan, seats)

    async def as_admin(self, sql: str, *args: Any) -> Any:
        """What only the database's administrator may do or see: the first column of the first row."""
        conn = await asyncpg.connect(self.database.admin_url)
        try:
            return await conn.fetchval(sql, *args)
        finally:
            await conn.close()


def domain_of(company: Company) -> str:
    """The domain of the company's addresses."""
    return f"{company.name.lower()}.test"


def mail(company: Company, name: str = "rep") -> str:
    """An address of the company: of its member of a role, or of somebody else."""
    return f"{name}@{domain_of(company)}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(postgres: PostgresServer, valkey_url: str) -> AsyncIterator[House]:
    """One for the tests of a file, which need `pytest.mark.asyncio(loop_scope="module")`."""
    async with cloned_database(postgres) as database, OidcSandbox() as oidc, GmailSandbox() as gmail:
        client = gmail.settings
        google = GoogleSettings(client.client_id, client.client_secret, api_url=gmail.url, oauth_url=gmail.url)
        settings = make_settings(database.app_url, valkey_url, google=google, private_sso_hosts=True)
        async with running_hub(settings) as server:
            yield House(server, oidc, gmail, database)
