"""A company whose time at Stripe is a test clock's, moved on by who tries Ringside out; the hub's own time is the real one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe

from hub.billing.catalogue import CATALOGUE
from hub.config import StripeSettings
from integrations.sandbox.stripe import StripeSandbox
from integrations.sandbox.stripe import StripeSettings as SandboxSettings
from integrations.stripe import StripePayments
from tests import members
from tests.billing.kit import DECLINED_LATER, VISA, Bank, standing
from tests.companies.kit import share
from tests.conftest import Company, TestDatabase
from tests.harness import make_settings, running_hub
from tests.integrations.stripe_kit import post
from tests.integrations.stripe_specification import CheckedClient
from workers.job import Deps

acme = members.acme
SEATS, MONTH_OF_PRO = 4, 4_900


@dataclass
class TestMode:
    """Stripe's test mode: the SDK in somebody's hands, the clock that they made, and the hub that is told of it."""

    __test__ = False

    bank: Bank
    sdk: Any
    http: CheckedClient
    clock: str

    async def move_to(self, moment: str, *, days_later: float = 0.1) -> None:
        """Move the clock past a moment, wait until Stripe is through with it, and let webhooks arrive and jobs be done."""
        clocks, target = self.sdk.test_helpers.test_clocks, datetime.fromisoformat(moment) + timedelta(days=days_later)
        await clocks.advance_async(self.clock, {"frozen_time": int(target.timestamp())})
        while (await clocks.retrieve_async(self.clock)).status != "ready":
            pass
        await self.bank.work()

    async def shows(self) -> datetime:
        """What the clock shows."""
        return datetime.fromtimestamp((await self.sdk.test_helpers.test_clocks.retrieve_async(self.clock)).frozen_time, UTC)


@pytest.fixture
async def test_mode(database: TestDatabase, valkey_url: str) -> AsyncIterator[TestMode]:
    """A test clock that shows the present, and a hub whose customers go by it."""
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(StripeSandbox(SandboxSettings(webhook_retry_s=0.02, after_retries="past_due")))
        http = CheckedClient()
        stack.push_async_callback(http.close_async)
        key = sandbox.settings.secret_key
        sdk: Any = stripe.StripeClient(key, base_addresses={"api": sandbox.url}, http_client=http).v1
        now = int(datetime.now(UTC).timestamp())
        clock = (await sdk.test_helpers.test_clocks.create_async({"frozen_time": now, "name": "Trying Ringside out"})).id
        account = StripeSettings(key, (sandbox.settings.webhook_secret,), sandbox.url, clock)
        settings = make_settings(database.app_url, valkey_url, stripe=account)
        server = await stack.enter_async_context(running_hub(settings))
        sandbox.send_events_to(f"{server.url}/webhooks/stripe")
        opened = StripePayments.open(key, None, CATALOGUE, api_url=sandbox.url, test_clock=clock)
        payments = await stack.enter_async_context(opened)
        deps = Deps(server.hub.db, settings, payments=payments, restrictions=server.hub.restrictions)
        yield TestMode(Bank(server, sandbox, deps), sdk, http, clock)


@pytest.fixture
async def server(test_mode: TestMode) -> object:
    """The hub, for the companies of tests/members.py."""
    return test_mode.bank.server


async def test_a_company_follows_its_test_clock_through_renewals_and_failures(test_mode: TestMode, acme: Company) -> None:
    bank = test_mode.bank
    owner, rep = bank.server.as_member(acme, "owner"), bank.server.as_member(acme, "rep")

    async def invoices() -> list[tuple[str, int]]:
        found = (await owner.get("/billing/invoices")).body["data"]
        return [(each["status"], each["total_minor"]) for each in reversed(found) if each["total_minor"]]

    async def account() -> dict[str, Any]:
        found: dict[str, Any] = (await owner.get("/billing")).body["account"]
        return found

    await bank.open()
    await bank.buy(owner, "pro", SEATS)
    [customer] = (await test_mode.sdk.customers.list_async({"test_clock": test_mode.clock})).data
    assert customer.metadata["company"] == "Acme"
    assert await standing(rep) == ("trial", "")

    # The trial ends, and a month: what follows is paid for.
    await test_mode.move_to((await account())["trial_ends_at"])
    assert (await standing(rep), await invoices()) == (("active", ""), [("paid", SEATS * MONTH_OF_PRO)])
    await test_mode.move_to((await account())["period_ends_at"])
    assert await invoices() == [("paid", SEATS * MONTH_OF_PRO)] * 2

    # A change costs what is left of the month by the clock, not by ours.
    await test_mode.move_to((await account())["period_ends_at"], days_later=-11)
    shown = (await owner.post("/billing/preview", {"plan": "pro", "every": "month", "seats": SEATS + 2})).body
    item = (await test_mode.sdk.subscriptions.list_async({"customer": customer.id})).data[0]["items"].data[0]
    begins, ends = (datetime.fromtimestamp(each, UTC) for each in (item.current_period_start, item.current_period_end))
    at = await test_mode.shows()
    assert datetime.fromisoformat(shown["at"]) == at
    whole = [share(seats * MONTH_OF_PRO, at, begins, ends) for seats in (SEATS + 2, SEATS)]
    assert shown["due_minor"] == whole[0] - whole[1]
    wanted = {"plan": "pro", "every": "month", "seats": SEATS + 2, "at": shown["at"]}
    assert (await owner.post("/billing/change", wanted)).body["account"]["seats"] == SEATS + 2

    # The next month can't be paid: fourteen days of grace by the clock, with the date in the letter, then reading only.
    portal = (await owner.post("/billing/portal")).body["url"]
    assert (await post(f"{portal}?action=card", card=DECLINED_LATER))[0] == 303
    await test_mode.move_to((await account())["period_ends_at"])
    assert await standing(rep) == ("grace", "payment_failed")
    until = (await account())["until"]
    await test_mode.move_to(until, days_later=-0.1)
    assert await standing(rep) == ("grace", "payment_failed")
    await test_mode.move_to(until)
    assert await standing(rep) == ("read_only", "payment_failed")
    assert (await rep.post("/contacts", {"first_name": "Ada"})).status == 402

    # Paid on the invoice's page, cancelled, and over when the clock says so.
    [due] = [each for each in (await owner.get("/billing/invoices")).body["data"] if each["status"] == "open"]
    page = (await owner.get(f"/billing/invoices/{due['id']}/links")).body["page"]
    assert (await post(page, card=VISA))[0] == 303
    await bank.work()
    assert (await standing(rep), (await rep.post("/contacts", {"first_name": "Ada"})).status) == (("active", ""), 201)
    ends = (await owner.post("/billing/cancel")).body["account"]["cancel_at"]
    await test_mode.move_to(ends)
    assert await standing(rep) == ("read_only", "canceled")
    assert await invoices() == [
        ("paid", SEATS * MONTH_OF_PRO),
        ("paid", SEATS * MONTH_OF_PRO),
        ("paid", shown["due_minor"]),
        ("paid", (SEATS + 2) * MONTH_OF_PRO),
    ]
    assert await bank.letters(acme) == ["payment_failed", "read_only", "recovered", "plan_ended"]
    assert test_mode.http.complaints == []
