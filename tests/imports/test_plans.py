"""The look-up of duplicates goes along the indexes, also as the app role, also before the planner has statistics."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from hub.db import Database, tenant_tx
from hub.sqlfiles import load_sql
from tests.conftest import Company, TestDatabase
from tests.processor import backend_s

PEOPLE = 60_000
_FILL = """
WITH c AS (
    INSERT INTO contacts (tenant_id, first_name, last_name)
    SELECT $1, 'First', 'Last ' || n FROM generate_series(1, $2::int) n RETURNING id
), numbered AS (SELECT id, row_number() OVER () AS n FROM c), e AS (
    INSERT INTO contact_emails (tenant_id, contact_id, position, address) SELECT $1, id, 0, 'p' || n || '@x.com' FROM numbered
)
INSERT INTO contact_phones (tenant_id, contact_id, position, e164) SELECT $1, id, 0, '+1415' || (1000000 + n) FROM numbered
"""


@pytest.fixture
async def crowd(database: TestDatabase, db: Database, acme: Company) -> TestDatabase:
    """A company with many contacts, of which the planner knows nothing yet."""
    conn = await asyncpg.connect(database.admin_url)
    await conn.execute("ALTER TABLE contacts DISABLE TRIGGER ALL; ALTER TABLE contact_emails DISABLE TRIGGER ALL")
    await conn.execute(_FILL, acme.tenant_id, PEOPLE)
    await conn.close()
    return database


@pytest.mark.parametrize("analyzed", [False, True], ids=["no statistics", "statistics"])
async def test_duplicates_are_looked_up_along_the_indexes(
    db: Database, acme: Company, crowd: TestDatabase, analyzed: bool
) -> None:
    if analyzed:
        async with tenant_tx(db, acme.who()) as tx:
            await tx.execute(load_sql("imports")["refresh_statistics"])
    some = range(1, PEOPLE, PEOPLE // 500)
    lookups: dict[str, dict[str, Any]] = {
        "find_by_email": {"addresses": [f"p{n}@x.com" for n in some]},
        "find_by_phone": {"numbers": [f"+1415{1_000_000 + n}" for n in some], "extensions": ["" for _ in some]},
    }
    indexes = {"find_by_email": "contact_emails_by_address", "find_by_phone": "contact_phones_by_number"}
    async with tenant_tx(db, acme.who()) as tx:
        await tx.execute(load_sql("imports")["plan_each_time"])
        for name, params in lookups.items():
            statement = load_sql("imports")[name]
            sql, names = statement.compile(params)
            args = [acme.tenant_id if key == "tenant_id" else params[key] for key in names]
            plan = "\n".join(row[0] for row in await tx.conn.fetch("EXPLAIN " + sql, *args))
            assert f"using {indexes[name]}" in plan
            assert "using contacts_pkey" in plan
            assert "Seq Scan" not in plan
            begun = await backend_s(tx.conn)
            assert len(await tx.fetch(statement, **params)) == len(some)
            assert await backend_s(tx.conn) - begun < 0.5
