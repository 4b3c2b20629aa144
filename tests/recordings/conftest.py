"""A hub with a store of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests import members
from tests.conftest import Company, TestDatabase
from tests.harness import Api, RunningHub, make_settings, running_hub
from tests.stack import Stack, running_stack

acme, globex, rep = members.acme, members.globex, members.rep


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the files are."""
    return tmp_path / "objects"


@pytest.fixture
async def server(database: TestDatabase, valkey_url: str, folder: Path) -> AsyncIterator[RunningHub]:
    """A hub on a free port."""
    async with running_hub(make_settings(database.app_url, valkey_url, objects=str(folder))) as running:
        yield running


@pytest.fixture
async def stack(database: TestDatabase, valkey_url: str, folder: Path) -> AsyncIterator[Stack]:
    """A hub, the telephone sandbox and a worker, for those who make this hub their `server`."""
    async with running_stack(database.app_url, valkey_url, objects=str(folder)) as running, running.worker():
        yield running


@pytest.fixture
async def manager(server: RunningHub, acme: Company) -> Api:
    """Acme's manager."""
    return server.as_member(acme, "manager")
