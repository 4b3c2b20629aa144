"""One hub for each file of these tests, and companies of each test's own, whose people sign in with PASSWORD."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import pytest_asyncio

from hub.embedded import PostgresServer
from tests.accounts.kit import HASH, Ground, as_admin
from tests.conftest import Company, cloned_database, make_company
from tests.harness import RunningHub, make_settings, running_hub

_numbers = itertools.count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lasting_ground(postgres: PostgresServer, valkey_url: str) -> AsyncIterator[Ground]:
    """A hub that the tests of one file share. They need `pytest.mark.asyncio(loop_scope="module")`."""
    async with cloned_database(postgres) as database, running_hub(make_settings(database.app_url, valkey_url)) as server:
        yield Ground(server, database.admin_url)


@pytest_asyncio.fixture(loop_scope="module")
async def ground(lasting_ground: Ground) -> Ground:
    """The file's hub; nobody has failed to sign in yet."""
    await as_admin(lasting_ground.admin_url, "DELETE FROM sign_in_failures")
    return lasting_ground


@pytest_asyncio.fixture(loop_scope="module")
async def server(ground: Ground) -> RunningHub:
    """The file's hub."""
    return ground.server


@pytest_asyncio.fixture(loop_scope="module")
async def acme(server: RunningHub) -> Company:
    """A company of this test alone."""
    return await make_company(server.hub.db, f"Acme{next(_numbers)}", HASH)
