"""A hub with a store of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conftest import Company, TestDatabase, make_company
from tests.harness import Api, RunningHub, make_settings, running_hub


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the files are."""
    return tmp_path / "objects"


@pytest.fixture
async def server(database: TestDatabase, valkey_url: str, folder: Path) -> AsyncIterator[RunningHub]:
    """A hub on a free port."""
    async with running_hub(make_settings(database.app_url, valkey_url, objects=str(folder))) as running:
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
async def manager(server: RunningHub, acme: Company) -> Api:
    """Acme's manager."""
    return server.as_member(acme, "manager")
