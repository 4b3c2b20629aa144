"""One hub for each file of these tests, and a company for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from hub.embedded import PostgresServer
from tests.conftest import cloned_database
from tests.harness import RunningHub, make_settings, running_hub
from tests.tracking.kit import Desk, new_desk


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(postgres: PostgresServer, valkey_url: str) -> AsyncIterator[RunningHub]:
    """A hub that the tests of one file share. They need `pytest.mark.asyncio(loop_scope="module")`."""
    async with cloned_database(postgres) as database, running_hub(make_settings(database.app_url, valkey_url)) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def desk(server: RunningHub) -> Desk:
    """The company of one test."""
    return await new_desk(server)


@pytest_asyncio.fixture(loop_scope="module")
async def other(server: RunningHub) -> Desk:
    """The other company, which must never notice."""
    return await new_desk(server)
