"""The tenant transaction."""

from __future__ import annotations

import asyncpg
import pytest

from hub.db import Database, tenant_tx
from hub.sqlfiles import Statement
from tests.conftest import Company


async def test_a_query_without_a_tenant_raises_instead_of_returning_nothing(db: Database) -> None:
    async with db.acquire() as conn:
        with pytest.raises(asyncpg.PostgresError):
            await conn.fetch("SELECT * FROM contacts")


async def test_the_context_ends_with_the_transaction(db: Database, acme: Company) -> None:
    async with tenant_tx(db, acme.who()) as tx:
        assert await tx.fetchval(Statement("t", "SELECT count(*) FROM members WHERE tenant_id = :tenant_id")) == 4
    for _ in range(5):
        async with db.acquire() as conn:
            with pytest.raises(asyncpg.PostgresError):
                await conn.fetch("SELECT * FROM members")


async def test_a_row_of_another_tenant_can_neither_be_written_nor_seen(db: Database, acme: Company, globex: Company) -> None:
    async with tenant_tx(db, globex.who()) as tx:
        await tx.conn.execute("INSERT INTO contacts (tenant_id, first_name) VALUES ($1, 'Hidden')", globex.tenant_id)
    async with tenant_tx(db, acme.who()) as tx:
        assert await tx.conn.fetch("SELECT * FROM contacts") == []
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with tenant_tx(db, acme.who()) as tx:
            await tx.conn.execute("INSERT INTO contacts (tenant_id, first_name) VALUES ($1, 'Planted')", globex.tenant_id)
