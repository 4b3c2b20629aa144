"""The tenant transaction."""

from __future__ import annotations

from uuid import uuid4

import asyncpg
import orjson
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


async def test_the_release_before_logs_its_events_in_the_same_bytes(db: Database, acme: Company) -> None:
    actor, subjects = {"kind": "system", "id": None, "name": 'A "quoted" é\n name'}, [uuid4(), None, uuid4()]
    said = [
        ("a.b", "tenant", {}),
        ("c.d", "managers", {"text": "日本 \u2028 \\u0000"}),
        ("e.f", "tenant", {"n": [1.5, None, {"x": True}]}),
    ]
    whole = [
        {"type": kind, "audience": audience, "actor": actor, "subject_kind": "thing", "subject_id": subject, "data": data}
        for (kind, audience, data), subject in zip(said, subjects, strict=True)
    ]
    arrays = [[kind for kind, _, _ in said], [audience for _, audience, _ in said], ["thing"] * 3, subjects]
    pieces = [orjson.dumps(data).decode() for _, _, data in said]
    async with tenant_tx(db, acme.who()) as tx:
        sql = "SELECT seq, audience, frame FROM append_events"
        old = await tx.conn.fetch(f"{sql}($1::json)", orjson.dumps(whole).decode())
        new = await tx.conn.fetch(f"{sql}($1, $2, $3, $4, $5, $6, $7)", orjson.dumps(actor).decode(), None, *arrays, pieces)
    assert [row["seq"] for row in new] == [row["seq"] + 3 for row in old]
    assert [row["audience"] for row in new] == [row["audience"] for row in old]
    for before, after in zip(old, new, strict=True):
        parts = {name: orjson.loads(before["frame"])[name] for name in ("seq", "id", "at")}
        assert list(orjson.loads(after["frame"])) == list(orjson.loads(before["frame"]))
        mended = after["frame"]
        for name, value in parts.items():
            mended = mended.replace(str(orjson.loads(after["frame"])[name]), str(value), 1)
        assert mended == before["frame"]
