"""A town for the story of two companies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import stripe

from integrations.objects import open_objects
from integrations.stripe.client import VERSION
from tests.billing.conftest import running_bank
from tests.companies.kit import Town
from tests.conftest import TestDatabase
from workers.settings import JOBS


@pytest.fixture
async def town(database: TestDatabase, valkey_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    """A hub with a store for files, a worker that can do everything, and Stripe, whose time it all goes by."""
    async with AsyncExitStack() as stack:
        objects = str(tmp_path)
        bank = await stack.enter_async_context(running_bank(database, valkey_url, monkeypatch, objects=objects))
        bank = replace(bank, deps=replace(bank.deps, objects=open_objects(objects, {})), registry=JOBS)
        bank.sandbox.settings.after_retries = "past_due"
        http = stripe.AIOHTTPClient()
        stack.push_async_callback(http.close_async)
        operator = stripe.StripeClient(
            bank.sandbox.settings.secret_key, base_addresses={"api": bank.sandbox.url}, http_client=http, stripe_version=VERSION
        )
        until_the_end = await stack.enter_async_context(AsyncExitStack())
        yield Town(bank, database, operator, until_the_end)
