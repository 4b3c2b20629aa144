"""Fixtures of the HTTP tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from hub.embedded import PostgresServer
from tests import members
from tests.conftest import Company, TestDatabase, cloned_database
from tests.harness import Api, RunningHub, make_settings, running_hub

acme, globex, rep = members.acme, members.globex, members.rep


@pytest.fixture
async def server(database: TestDatabase, valkey_url: str) -> AsyncIterator[RunningHub]:
    """A hub on a free port."""
    async with running_hub(make_settings(database.app_url, valkey_url)) as running:
        yield running


@pytest.fixture
async def stranger(server: RunningHub, globex: Company) -> Api:
    """Globex' owner, who may do anything at Globex and nothing at Acme."""
    return server.as_member(globex, "owner")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lasting_database(postgres: PostgresServer) -> AsyncIterator[TestDatabase]:
    """A database that the tests of one file share, each with companies of its own."""
    async with cloned_database(postgres) as cloned:
        yield cloned


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lasting_server(
    lasting_database: TestDatabase, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningHub]:
    """A hub that the tests of one file share. They need `pytest.mark.asyncio(loop_scope="module")`."""
    objects = str(tmp_path_factory.mktemp("objects"))
    async with running_hub(make_settings(lasting_database.app_url, valkey_url, objects=objects)) as running:
        yield running
