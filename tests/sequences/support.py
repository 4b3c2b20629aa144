"""The floor on which the tests of whole sequences stand: a company in its database, Gmail, and workers that may die."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.crashes import Carnage, carnage
from tests.conftest import TestDatabase
from tests.harness import make_settings


@asynccontextmanager
async def a_carnage(database: TestDatabase, *, contacts: int, answering: int = 0) -> AsyncIterator[Carnage]:
    """A sequence of four steps under way in a database of its own."""
    settings = make_settings(database.app_url, "redis://127.0.0.1:9", twilio=None)
    async with carnage(database.app_url, database.admin_url, settings, contacts=contacts, answering=answering) as opened:
        yield opened
