"""Letters that a test's hub wrote, read as their readers would."""

from __future__ import annotations

import re
from dataclasses import dataclass

import asyncpg
import orjson

from hub.config import Settings
from hub.sealing import Seals
from tests.conftest import Company, TestDatabase


@dataclass(frozen=True, slots=True)
class ReadLetter:
    """A letter as it was written."""

    template: str
    to: str
    subject: str
    text: str
    html: str
    state: str

    @property
    def link(self) -> str:
        """Where its first link leads."""
        found = re.search(r"https?://\S+", self.text)
        assert found is not None, f"there is no link in {self.text!r}"
        return found[0]

    @property
    def token(self) -> str:
        """The token of its first link."""
        return self.link.partition("token=")[2]


async def letters_to(
    database: TestDatabase, settings: Settings, address: str, company: Company | None = None
) -> list[ReadLetter]:
    """The letters to an address, oldest first: all of them, or those of a company. What was sent has no text any more."""
    seals = Seals(settings)
    conn = await asyncpg.connect(database.admin_url)
    try:
        rows = await conn.fetch(
            "SELECT * FROM letters WHERE lower(to_address) = lower($1) AND ($2::uuid IS NULL OR tenant_id = $2) "
            "ORDER BY created_at, id",
            address,
            company.tenant_id if company else None,
        )
    finally:
        await conn.close()
    found = []
    for row in rows:
        content = row["content"]
        if content and not content.startswith("{"):
            content = seals.open(content, tenant_id=row["tenant_id"], kind="letter", row_id=row["id"])
        parts = orjson.loads(content) if content else {"text": "", "html": ""}
        found.append(ReadLetter(row["template"], row["to_address"], row["subject"], parts["text"], parts["html"], row["state"]))
    return found
