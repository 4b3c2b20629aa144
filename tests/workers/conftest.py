"""Fixtures of the workers' tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hub.db import Database
from hub.embedded import ValkeyServer
from tests.conftest import TestDatabase
from tests.workers.kit import Ground, open_ground, open_hinting


@pytest.fixture
async def ground(database: TestDatabase) -> AsyncIterator[Ground]:
    """The database without rules, with a table for what jobs do."""
    async with open_ground(database) as opened:
        yield opened


@pytest.fixture
async def hinting_db(database: TestDatabase, valkey: ValkeyServer) -> AsyncIterator[Database]:
    """The pool of a server that tells the queue of its jobs."""
    async with open_hinting(database, valkey.url) as opened:
        yield opened
