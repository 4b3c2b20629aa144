"""Mail for one company, and the Gmail sandbox that a module shares."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from hub.db import Database
from integrations.sandbox.gmail.server import GmailSandbox
from tests.conftest import Company, TestDatabase
from tests.mail.kit import Post, opened_post


@pytest_asyncio.fixture
async def gmail() -> AsyncIterator[GmailSandbox]:
    """A Gmail where nobody answers."""
    async with GmailSandbox() as sandbox:
        yield sandbox


@pytest.fixture
async def post(db: Database, database: TestDatabase, acme: Company, gmail: GmailSandbox, tmp_path: Path) -> AsyncIterator[Post]:
    """Acme's mail."""
    async with opened_post(db, database.app_url, acme, gmail, tmp_path / "files") as opened:
        yield opened
