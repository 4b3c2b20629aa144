"""Fixtures of the HTTP tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conftest import Company, TestDatabase, make_company
from tests.harness import Api, RunningHub, make_settings, running_hub


@pytest.fixture
async def server(database: TestDatabase, valkey_url: str) -> AsyncIterator[RunningHub]:
    """A hub on a free port."""
    async with running_hub(make_settings(database.app_url, valkey_url)) as running:
        yield running


@pytest.fixture
async def acme(server: RunningHub) -> Company:
    """The company most tests happen in."""
    return await make_company(server.hub.db, "Acme")


@pytest.fixture
async def globex(server: RunningHub) -> Company:
    """The other company, which must never notice."""
    return await make_company(server.hub.db, "Globex")


@pytest.fixture
async def rep(server: RunningHub, acme: Company) -> Api:
    """Acme's rep."""
    return server.as_member(acme, "rep")


@pytest.fixture
async def stranger(server: RunningHub, globex: Company) -> Api:
    """Globex' owner, who may do anything at Globex and nothing at Acme."""
    return server.as_member(globex, "owner")
