"""The fixtures of a file whose tests share one hub, each with a company of its own: the file says `server = lasting.server`.

Its tests need `pytest.mark.asyncio(loop_scope="module")`.
"""

from __future__ import annotations

import itertools

import pytest_asyncio

from tests.conftest import Company, make_company
from tests.harness import RunningHub

_numbers = itertools.count(1)


@pytest_asyncio.fixture(loop_scope="module")
async def server(lasting_server: RunningHub) -> RunningHub:
    """The file's hub."""
    return lasting_server


@pytest_asyncio.fixture(loop_scope="module")
async def acme(server: RunningHub) -> Company:
    """A company of this test alone."""
    return await make_company(server.hub.db, f"Acme{next(_numbers)}")
