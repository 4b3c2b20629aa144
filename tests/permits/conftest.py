"""Fixtures of the permits' tests over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conftest import Company, TestDatabase
from tests.harness import Api, RunningHub, make_settings, running_hub


@pytest.fixture
async def server(database: TestDatabase, valkey_url: str) -> AsyncIterator[RunningHub]:
    """A hub on a free port. No worker runs beside it."""
    async with running_hub(make_settings(database.app_url, valkey_url)) as running:
        yield running


@pytest.fixture
async def rep(server: RunningHub, acme: Company) -> Api:
    """Acme's rep."""
    return server.as_member(acme, "rep")


@pytest.fixture
async def owner(server: RunningHub, acme: Company) -> Api:
    """Acme's owner."""
    return server.as_member(acme, "owner")


@pytest.fixture
async def stranger(server: RunningHub, globex: Company) -> Api:
    """Globex' owner, who may do anything at Globex and nothing at Acme."""
    return server.as_member(globex, "owner")
