"""A house and a browser for the tests of one module; without Chromium they are skipped."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.e2e.house import House, open_house
from tests.e2e.people import find_chromium, open_browser
from tests.e2e.watching import Standstill, standstill


@pytest.fixture(scope="module")
def chromium() -> str:
    """The browser's program."""
    found = find_chromium()
    if found is None:
        pytest.skip("no Chromium here: install it (Debian: apt install chromium) or name one in RINGSIDE_CHROMIUM")
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """A headless Chromium."""
    async with open_browser(chromium) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(chromium: str) -> AsyncIterator[House]:
    """Everything that `ringside up` starts."""
    async with open_house() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def stood_still() -> AsyncIterator[Standstill]:
    """The longest time that the machine stopped during the test."""
    async with standstill() as seen:
        yield seen
