"""A hub that sells at a Stripe sandbox and lives by its time; jobs and duties are the test's to run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.billing.catalogue import CATALOGUE
from hub.clock import Clock
from hub.config import StripeSettings
from integrations.sandbox.stripe import StripeSandbox
from integrations.sandbox.stripe import StripeSettings as SandboxSettings
from integrations.stripe import StripePayments
from tests import members
from tests.billing.kit import Bank
from tests.conftest import TestDatabase
from tests.harness import make_settings, running_hub
from workers.job import Deps

acme, globex = members.acme, members.globex


@pytest.fixture
async def bank(database: TestDatabase, valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bank]:
    """The hub and its Stripe."""
    async with running_bank(database, valkey_url, monkeypatch) as bank:
        yield bank


@asynccontextmanager
async def running_bank(
    database: TestDatabase, valkey_url: str, monkeypatch: pytest.MonkeyPatch, **more: Any
) -> AsyncIterator[Bank]:
    """The hub and its Stripe, as long as the block lasts. `more` are settings of the hub's."""
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(StripeSandbox(SandboxSettings(webhook_retry_s=0.02)))

        def now(_clock: Clock) -> datetime:
            return datetime.fromtimestamp(sandbox.world.clock.now(), UTC)

        monkeypatch.setattr(Clock, "now", now)
        account = StripeSettings(sandbox.settings.secret_key, (sandbox.settings.webhook_secret,), sandbox.url)
        settings = make_settings(database.app_url, valkey_url, stripe=account, **more)
        server = await stack.enter_async_context(running_hub(settings))
        sandbox.send_events_to(f"{server.url}/webhooks/stripe")
        opened = StripePayments.open(account.secret_key, None, CATALOGUE, api_url=sandbox.url, now=Clock().now)
        payments = await stack.enter_async_context(opened)
        deps = Deps(server.hub.db, settings, payments=payments, restrictions=server.hub.restrictions)
        yield Bank(server, sandbox, deps)


@pytest.fixture
async def server(bank: Bank) -> AsyncIterator[object]:
    """The hub, for the companies of tests/members.py."""
    yield bank.server
