"""What the import's tests share: files, a worker for one job, and a picture of all contacts."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest

from hub.db import Database, Tx, tenant_tx
from hub.imports import actions, queries, running
from hub.imports.upload import Upload
from hub.sqlfiles import load_sql
from hub.who import Who
from tests.conftest import SHARED, Company

Contact = dict[str, Any]


def sample(name: str) -> Path:
    """A file of the shared samples; the test is skipped where they are not at hand."""
    path = SHARED / "sample-data" / name
    if not path.exists():
        pytest.skip(f"{path} is not here: the shared sample data is needed for this test")
    return path


def as_csv(columns: Sequence[str], *rows: Sequence[str]) -> bytes:
    """A CSV in UTF-8."""
    out = io.StringIO()
    csv.writer(out).writerows([columns, *rows])
    return out.getvalue().encode()


async def put_file(db: Database, who: Who, data: bytes, **texts: str) -> UUID:
    """Upload a file as the HTTP endpoint does; the queued import's id."""
    async with Upload(db, who) as upload:
        await upload.add(data, "file.csv")
        return await upload.queue(texts)


class Held:
    """A lease that nobody else wants."""

    def __init__(self, db: Database, tenant_id: UUID, *, beside_others: bool = False) -> None:
        self.is_beside_others = beside_others
        self._db = db
        self._who = Who.system(tenant_id)

    def tx(self) -> AbstractAsyncContextManager[Tx]:
        """An ordinary transaction."""
        return tenant_tx(self._db, self._who)

    finish = tx

    async def extend(self, tx: Tx) -> None:
        """Nobody takes it."""


async def import_now(db: Database, company: Company, data: bytes, **texts: str) -> dict[str, Any]:
    """Upload and import a file; the import as clients see it."""
    import_id = await put_file(db, company.who("manager"), data, **texts)
    await running.run_import(Held(db, company.tenant_id), import_id)
    return await seen(db, company, import_id)


async def undo_now(db: Database, company: Company, import_id: UUID | str) -> dict[str, Any]:
    """Take an import back; the import as clients see it."""
    async with tenant_tx(db, company.who("manager")) as tx:
        await actions.ask_undo(tx, UUID(str(import_id)))
    await running.run_undo(Held(db, company.tenant_id), UUID(str(import_id)))
    return await seen(db, company, UUID(str(import_id)))


async def seen(db: Database, company: Company, import_id: UUID) -> dict[str, Any]:
    """An import as clients see it."""
    async with tenant_tx(db, company.who()) as tx:
        found: dict[str, Any] = orjson.loads(await queries.get_import(tx, import_id) or "null")
    return found


async def reasons(db: Database, company: Company, import_id: UUID | str) -> dict[int, str]:
    """Why which lines failed."""
    async with tenant_tx(db, company.who()) as tx:
        return {f.line: f.reason for f in await queries.list_failures(tx, UUID(str(import_id)), 0, 100_000)}


async def all_contacts(db: Database, company: Company) -> list[Contact]:
    """Every contact that is not deleted, in the order of the file, with what it is found by and without its times and version."""
    async with tenant_tx(db, company.who()) as tx:
        sql, _ = load_sql("contacts")["get_contact"].compile({})
        fragment = sql[sql.index("(") : sql.rindex(" AS json")]
        rows = await tx.conn.fetch(
            f"SELECT {fragment} AS json, s.terms FROM contacts c"
            " LEFT JOIN contact_search s ON s.tenant_id = c.tenant_id AND s.contact_id = c.id"
            " WHERE c.deleted_at IS NULL ORDER BY c.created_at, c.id"
        )
    return [orjson.loads(row["json"]) | {"terms": row["terms"], "updated_at": None} for row in rows]


def added_up(one: dict[str, Any]) -> bool:
    """Whether every row of an import is accounted for."""
    total: int = one["created"] + one["updated"] + one["skipped"] + one["failed"]
    return bool(one["rows"] == one["processed"] == total)
