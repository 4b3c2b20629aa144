"""Two companies and their people at the hub of a test, for the `conftest.py` of whoever has a fixture `server`.

The companies of `tests/conftest.py` are made with a pool of their own; here the hub's does it.
"""

from __future__ import annotations

import pytest

from tests.conftest import Company, make_company
from tests.harness import Api, RunningHub


@pytest.fixture
async def acme(server: RunningHub) -> Company:
    """The company most tests happen in."""
    return await make_company(server.hub.db, "Acme")


@pytest.fixture
async def globex(server: RunningHub) -> Company:
    """The other company, which must never notice."""
    return await make_company(server.hub.db, "Globex")


@pytest.fixture
async def rep(server: RunningHub, acme: Company) -> Api:
    """Acme's rep."""
    return server.as_member(acme, "rep")
