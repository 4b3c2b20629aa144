"""A hub with a telephone account, and the provider's signed webhooks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID
from xml.etree import ElementTree

import pytest
from twilio.request_validator import RequestValidator

from hub.db import tenant_tx
from hub.numbers.areas import area_of
from hub.presence import actions as presence
from hub.presence.queries import beat
from tests import members
from tests.conftest import Company, TestDatabase
from tests.harness import Api, RunningHub
from tests.stack import Stack, running_stack

acme, globex = members.acme, members.globex


@pytest.fixture
async def stack(database: TestDatabase, valkey_url: str) -> AsyncIterator[Stack]:
    """A hub and the telephone sandbox."""
    async with running_stack(database.app_url, valkey_url) as running:
        yield running


@pytest.fixture
async def server(stack: Stack) -> RunningHub:
    """The stack's hub."""
    return stack.server


@pytest.fixture
async def owner(server: RunningHub, acme: Company) -> Api:
    """Acme's owner."""
    return server.as_member(acme, "owner")


@dataclass
class Caller:
    """The provider, telling the hub of one caller."""

    stack: Stack
    company: Company
    number: UUID
    e164: str
    from_: str = "+12025550199"
    sid: str = "CA" + "a" * 32
    fields: dict[str, str] = field(default_factory=dict)

    async def post(self, path: str, **fields: str) -> ElementTree.Element | None:
        """A signed webhook below the company's address; the steps of its answer, if it has any."""
        status, text = await signed(self.stack, f"/webhooks/twilio/{self.company.tenant_id}{path}", fields)
        assert status in (200, 204), text
        return ElementTree.fromstring(text) if text else None

    async def ring(self, **more: str) -> ElementTree.Element:
        """The call comes in."""
        call = {
            "CallSid": self.sid,
            "AccountSid": self.stack.sandbox.account_sid,
            "CallStatus": "ringing",
            "Direction": "inbound",
        }
        answer = await self.post(f"/numbers/{self.number}/voice", **call, From=self.from_, To=self.e164, **more)
        assert answer is not None
        return answer

    async def follow(self, url: str, **fields: str) -> ElementTree.Element | None:
        """A signed webhook at an address that an answer gave."""
        status, text = await signed(self.stack, url.removeprefix(self.stack.settings.public_url), fields)
        assert status in (200, 204), text
        return ElementTree.fromstring(text) if text else None

    async def hang_up(self) -> None:
        """The caller's leg is over."""
        await self.post(
            f"/numbers/{self.number}/status",
            CallSid=self.sid,
            CallStatus="completed",
            From=self.from_,
            To=self.e164,
            CallDuration="7",
        )


async def signed(stack: Stack, path: str, fields: dict[str, str]) -> tuple[int, str]:
    """POST a form as the provider signs it."""
    url = stack.settings.public_url + path
    assert stack.settings.twilio is not None
    signature = RequestValidator(stack.settings.twilio.auth_token).compute_signature(url, fields)
    api = stack.server.client()
    async with api.session.post(url, data=fields, headers={"X-Twilio-Signature": signature}) as answer:
        text = await answer.text()
        return answer.status, text


async def add_number(stack: Stack, company: Company, e164: str) -> UUID:
    """A number that the company has."""
    async with tenant_tx(stack.server.hub.db, company.who("owner")) as tx:
        found: UUID = await tx.conn.fetchval(
            "INSERT INTO numbers (tenant_id, e164, state, country, region, area_code, provider_sid, label)"
            " VALUES ($1, $2, 'active', $3, $4, $5, $6, 'Main line') RETURNING id",
            company.tenant_id,
            e164,
            *area_of(e164),
            "PN" + "0" * 32,
        )
        return found


async def come(stack: Stack, company: Company, *roles: str) -> None:
    """These members are at their consoles, at a hub that is there: whoever is at none is soon taken offline."""
    hub_id = UUID(int=77)
    await beat(stack.server.hub.db, hub_id, "test", 3600)
    for role in roles:
        async with tenant_tx(stack.server.hub.db, company.who(role)) as tx:  # type: ignore[arg-type]
            await presence.arrive(tx, company.members[role], hub_id)


@pytest.fixture
async def caller(stack: Stack, acme: Company) -> Caller:
    """Somebody who calls Acme's only number."""
    e164 = "+14155550101"
    return Caller(stack, acme, await add_number(stack, acme, e164), e164)
