"""The catalogue's promises: the lint finds nothing, and it finds what it should."""

from __future__ import annotations

import asyncpg
import pytest

from hub.sqlfiles import SQL_DIR
from tests.conftest import TestDatabase

LINT = (SQL_DIR / "lint.sql").read_text()


async def test_the_catalogue_keeps_every_rule(database: TestDatabase) -> None:
    conn = await asyncpg.connect(database.owner_url)
    try:
        assert [tuple(row) for row in await conn.fetch(LINT)] == []
    finally:
        await conn.close()


BREACHES = {
    "row-level security is not enabled and forced": "CREATE TABLE loose (tenant_id uuid NOT NULL PRIMARY KEY)",
    "the app can reach a table without a tenant_id uuid NOT NULL": (
        "CREATE TABLE loose (id int PRIMARY KEY); GRANT SELECT ON loose TO ringside_app"
    ),
    "no policy ties the app to its tenant for reading and writing": (
        "CREATE TABLE loose (tenant_id uuid NOT NULL PRIMARY KEY); ALTER TABLE loose ENABLE ROW LEVEL SECURITY;"
        "ALTER TABLE loose FORCE ROW LEVEL SECURITY; GRANT SELECT ON loose TO ringside_app;"
        "CREATE POLICY tenant_only ON loose TO ringside_app USING (true)"
    ),
    "a policy for the app other than the tenant policy": "CREATE POLICY wide ON contacts FOR SELECT USING (true)",
    "the primary key or a unique index does not lead with tenant_id": "CREATE UNIQUE INDEX loose ON contacts (id)",
    "a foreign key between tenant tables leaves the tenant out": (
        "ALTER TABLE contacts ADD UNIQUE (id); ALTER TABLE activities ADD FOREIGN KEY (contact_id) REFERENCES contacts (id)"
    ),
    "the app may TRUNCATE, REFERENCE or put TRIGGERs on it (row-level security does not apply)": (
        "GRANT TRUNCATE ON contacts TO ringside_app"
    ),
    "a view runs with its owner's rights": "CREATE VIEW loose AS SELECT 1 AS one",
    "a materialized view can't have row-level security": "CREATE MATERIALIZED VIEW loose AS SELECT 1 AS one",
    "a SECURITY DEFINER function has no fixed search_path that ends in pg_temp": (
        "CREATE FUNCTION loose() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'"
    ),
    "PUBLIC may execute it": "GRANT EXECUTE ON FUNCTION create_company(text) TO PUBLIC",
    "PUBLIC has rights on it": "GRANT SELECT ON contacts TO PUBLIC",
    "the app role may create in the schema or make temporary tables": "GRANT CREATE ON SCHEMA public TO ringside_app",
    "a column type whose comparison leaks under row-level security, or a time without its zone": (
        "ALTER TABLE contacts ADD COLUMN price numeric"
    ),
}


@pytest.mark.parametrize("rule", BREACHES)
async def test_the_lint_finds_a_breach_of(rule: str, database: TestDatabase) -> None:
    conn = await asyncpg.connect(database.admin_url)
    try:
        await conn.execute("SET ROLE ringside_owner")
        await conn.execute(BREACHES[rule])
        assert rule in {row["rule"] for row in await conn.fetch(LINT)}
    finally:
        await conn.close()
