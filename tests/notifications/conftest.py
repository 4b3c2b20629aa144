"""A hub whose browsers subscribe to a push service of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from integrations.sandbox.push import PushSandbox
from tests import members
from tests.conftest import TestDatabase
from tests.harness import RunningHub, make_settings, running_hub

acme, globex, rep = members.acme, members.globex, members.rep


@pytest.fixture
async def server(database: TestDatabase, valkey_url: str) -> AsyncIterator[RunningHub]:
    """A hub on a free port that lets push services stand on this machine."""
    async with running_hub(make_settings(database.app_url, valkey_url, private_push_hosts=True)) as running:
        yield running


@pytest.fixture
async def service() -> AsyncIterator[PushSandbox]:
    """A push service."""
    sandbox = PushSandbox()
    runner = web.AppRunner(sandbox.application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    sandbox.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield sandbox
    await runner.cleanup()
