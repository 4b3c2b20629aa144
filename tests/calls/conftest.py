"""Fixtures of the tests of calls."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.calls.kit import House
from tests.conftest import TestDatabase, make_company
from tests.stack import running_stack


@pytest.fixture
async def house(database: TestDatabase, valkey_url: str) -> AsyncIterator[House]:
    """A hub, a sandbox and a worker, with a company in it."""
    async with running_stack(database.app_url, valkey_url) as stack, stack.worker():
        yield House(stack, await make_company(stack.server.hub.db, "Acme"))
