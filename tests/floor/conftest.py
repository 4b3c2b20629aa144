"""A hub without a worker; the tests watch the floor themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conftest import Company, TestDatabase
from tests.harness import Api, RunningHub, make_settings, running_hub


@pytest.fixture
async def hub(database: TestDatabase, valkey_url: str) -> AsyncIterator[RunningHub]:
    """A running hub."""
    async with running_hub(make_settings(database.app_url, valkey_url)) as running:
        yield running


@pytest.fixture
async def rep(hub: RunningHub, acme: Company) -> Api:
    """Acme's rep."""
    return hub.as_member(acme, "rep")


@pytest.fixture
async def manager(hub: RunningHub, acme: Company) -> Api:
    """Acme's manager."""
    return hub.as_member(acme, "manager")
