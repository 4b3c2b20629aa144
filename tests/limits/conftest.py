"""A hub with narrow limits, shared by the tests of a file, each with companies of its own."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace

import pytest
import pytest_asyncio

from hub.embedded import PostgresServer
from hub.limits.settings import Limits
from tests.conftest import cloned_database
from tests.harness import RunningHub, make_settings, running_hub

# So slow that hardly anything comes back while a test lasts; what counts to the last unit has the clock stand still.
NARROW = Limits.parse("user=0.1/20,tenant=0.1/30,address=0.1/8,pages=0.1/40,sockets_user=2,sockets_tenant=3,waiting_address=3")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def narrow(postgres: PostgresServer, valkey_url: str) -> AsyncIterator[RunningHub]:
    """A hub that soon says no."""
    async with cloned_database(postgres) as database:
        # In a database of its own: what it counts of 127.0.0.1 is not for the other hubs of this Valkey.
        settings = replace(make_settings(database.app_url, valkey_url.replace("db=0", "db=1")), limits=NARROW)
        async with running_hub(settings) as running:
            yield running


@pytest.fixture
def standing_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time passes for the rates: nothing comes back, however long the machine takes."""
    # A whole second: seconds added to it are what they are, without a rest that would be rounded up.
    now = float(int(time.monotonic()) + 1)
    for module in ("hub.limits.limiter", "hub.limits.shared"):
        monkeypatch.setattr(f"{module}.time", SimpleNamespace(monotonic=lambda: now))
