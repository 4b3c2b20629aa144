"""Addresses, numbers, tags and search words belong to a contact, as if by a foreign key (docs/adr/0021)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest

from hub.contacts.actions import create_contact
from hub.contacts.models import ContactIn
from hub.db import Database, tenant_tx
from tests.conftest import Company, TestDatabase
from tests.harness import until

INSERTS = {
    "contact_emails": "INSERT INTO contact_emails (tenant_id, contact_id, position, address) VALUES ($1, $2, 7, 'b@x.com')",
    "contact_phones": "INSERT INTO contact_phones (tenant_id, contact_id, position, e164) VALUES ($1, $2, 7, '+14155550107')",
    "contact_tags": "INSERT INTO contact_tags (tenant_id, contact_id, tag) VALUES ($1, $2, 'other')",
    "contact_search": "INSERT INTO contact_search (tenant_id, contact_id, terms) VALUES ($1, $2, ' x')",
}
COUNT = " UNION ALL ".join(f"SELECT 1 FROM {table} WHERE contact_id = $1" for table in INSERTS)


@pytest.fixture
async def admin(database: TestDatabase) -> AsyncIterator[asyncpg.Connection]:
    """The database's administrator, whom row-level security does not bind."""
    conn = await asyncpg.connect(database.admin_url)
    yield conn
    await conn.close()


async def contact_of(db: Database, company: Company) -> UUID:
    given = {"first_name": "Ann", "emails": [{"address": "a@x.com"}], "phones": [{"number": "+14155550100"}], "tags": ["vip"]}
    async with tenant_tx(db, company.who()) as tx:
        contact_id, _, _ = await create_contact(tx, ContactIn.model_validate(given))
    return contact_id


@pytest.mark.parametrize("table", INSERTS)
async def test_nothing_belongs_to_a_contact_that_is_not_there(
    table: str, db: Database, acme: Company, globex: Company, admin: asyncpg.Connection
) -> None:
    theirs, ours = await contact_of(db, globex), await contact_of(db, acme)
    for nobody in (uuid4(), theirs):
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            async with tenant_tx(db, acme.who()) as tx:
                await tx.conn.execute(INSERTS[table], acme.tenant_id, nobody)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await admin.execute(f"UPDATE {table} SET contact_id = $1 WHERE contact_id = $2", uuid4(), ours)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await admin.execute(f"UPDATE {table} SET tenant_id = $1 WHERE contact_id = $2", globex.tenant_id, ours)


async def test_a_deleted_contact_takes_along_what_belongs_to_it_and_one_keeps_its_id(
    db: Database, acme: Company, admin: asyncpg.Connection
) -> None:
    ann, bob = await contact_of(db, acme), await contact_of(db, acme)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await admin.execute("UPDATE contacts SET id = $1 WHERE id = $2", uuid4(), ann)
    await admin.execute("DELETE FROM contacts WHERE id = $1", ann)
    assert await admin.fetch(COUNT, ann) == []
    assert len(await admin.fetch(COUNT, bob)) == 4


@pytest.mark.parametrize("first", ["delete", "insert"])
async def test_who_deletes_a_contact_and_who_adds_to_it_wait_for_each_other(
    first: str, db: Database, acme: Company, database: TestDatabase, admin: asyncpg.Connection
) -> None:
    ann = await contact_of(db, acme)
    other, watching = [await asyncpg.connect(database.admin_url) for _ in range(2)]
    delete, insert = ("DELETE FROM contacts WHERE id = $1", ann), (INSERTS["contact_tags"], acme.tenant_id, ann)
    try:
        async with admin.transaction():
            await admin.execute(*(delete if first == "delete" else insert))
            second = asyncio.create_task(other.execute(*(insert if first == "delete" else delete)))

            async def waits() -> bool:
                look = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1"
                return bool(await watching.fetchval(look, other.get_server_pid()))

            await until(waits)
        if first == "delete":
            with pytest.raises(asyncpg.ForeignKeyViolationError):
                await second
        else:
            await second
        assert await admin.fetch(COUNT, ann) == []
    finally:
        await other.close()
        await watching.close()
