"""A hub to ask about jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conftest import TestDatabase
from tests.harness import RunningHub, make_settings, running_hub


@pytest.fixture
async def hub(database: TestDatabase, valkey_url: str) -> AsyncIterator[RunningHub]:
    """A running hub; no worker is there to take the jobs."""
    async with running_hub(make_settings(database.app_url, valkey_url)) as running:
        yield running
