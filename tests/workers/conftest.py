"""Fixtures of the workers' tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from hub.db import Database
from hub.embedded import ValkeyServer
from hub.hints import RedisHints
from tests.conftest import TestDatabase
from tests.workers.kit import Ground, make_effects_table


@pytest.fixture
async def ground(database: TestDatabase) -> AsyncIterator[Ground]:
    """The database without rules, with a table for what jobs do."""
    await make_effects_table(database)
    conn = await asyncpg.connect(database.admin_url)
    yield Ground(database, conn)
    await conn.close()


@pytest.fixture
async def hinting_db(database: TestDatabase, valkey: ValkeyServer) -> AsyncIterator[Database]:
    """The pool of a server that tells the queue of its jobs."""
    hints = RedisHints(valkey.url)
    await hints.start()
    opened = await Database.open(database.app_url, notifier=hints, max_size=5)
    yield opened
    await opened.close()
    await hints.stop()
