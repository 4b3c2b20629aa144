"""A hub that may send webhooks to this machine, and a system here that takes them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from tests import members
from tests.conftest import Company, TestDatabase
from tests.harness import Api, RunningHub, make_settings, running_hub
from tests.outgoing.kit import Receiver

acme, globex, rep = members.acme, members.globex, members.rep


@pytest.fixture
async def server(database: TestDatabase, valkey_url: str) -> AsyncIterator[RunningHub]:
    """A hub on a free port that lets webhooks lead to this machine."""
    async with running_hub(make_settings(database.app_url, valkey_url, private_webhook_hosts=True)) as running:
        yield running


@pytest.fixture
async def admin(server: RunningHub, acme: Company) -> Api:
    """Acme's admin."""
    return server.as_member(acme, "admin")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A system that takes webhooks."""
    taken = Receiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", taken.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    taken.url = f"http://127.0.0.1:{runner.addresses[0][1]}/ringside"
    yield taken
    await runner.cleanup()
