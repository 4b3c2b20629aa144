"""A hub, without a provider behind it: what is to be sent waits in its row."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conftest import TestDatabase
from tests.harness import RunningHub, make_settings, running_hub


@pytest.fixture
async def server(database: TestDatabase, valkey_url: str) -> AsyncIterator[RunningHub]:
    """A hub."""
    async with running_hub(make_settings(database.app_url, valkey_url)) as server:
        yield server
