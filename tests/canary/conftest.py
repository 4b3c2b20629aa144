"""A house with canaries in it: a database, a hub, a store for files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from redis.asyncio import Redis

from hub.canary.looking import Tools
from hub.canary.pair import Pair, open_pair
from hub.db import Database
from hub.embedded import ValkeyServer
from integrations.objects import open_objects
from tests.conftest import TestDatabase
from tests.harness import RunningHub, make_settings, running_hub
from tests.patience import PATIENCE_S


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes long on a busy machine is no reason to leave an attempt out."""
    for module, limit in (
        ("hub.canary.sockets", "_PATIENCE_S"),
        ("hub.canary.channels", "_PATIENCE_S"),
        ("hub.canary.looking", "_READY_S"),
        ("hub.canary.looking", "_REQUEST_S"),
        ("workers.canary", "_LONGEST_S"),
    ):
        monkeypatch.setattr(f"{module}.{limit}", PATIENCE_S)


@dataclass(frozen=True, slots=True)
class House:
    """What the canaries live in."""

    server: RunningHub
    tools: Tools
    database: TestDatabase


@asynccontextmanager
async def a_house(database: TestDatabase, redis_url: str, folder: Path) -> AsyncIterator[House]:
    """A running hub, and what a look at it needs."""
    settings = make_settings(database.app_url, redis_url, objects=str(folder))
    async with running_hub(settings) as server, Redis.from_url(redis_url) as redis:
        asked = replace(settings, canary_url=server.url)
        yield House(server, Tools(server.hub.db, asked, redis, open_objects(str(folder), {})), database)


@pytest.fixture
async def house(database: TestDatabase, valkey: ValkeyServer, tmp_path: Path) -> AsyncIterator[House]:
    """A house of one test. Its Valkey, too: what other tests left in theirs may be more keys than are looked through."""
    async with a_house(database, valkey.url, tmp_path) as built:
        yield built


@pytest.fixture
async def pair(db: Database) -> Pair:
    """The canaries in a database without a hub."""
    return await open_pair(db, None)
