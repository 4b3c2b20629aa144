"""Reads of messages. JSON is built by Postgres and passed through as text."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from hub.db import Tx
from hub.http.paging import page, read_cursor
from hub.sqlfiles import load_sql

_SQL = load_sql("voicemail")
_SORT = "-created_at"


async def list_drops(tx: Tx, limit: int, cursor: str | None) -> str:
    """A page of one's own messages and the shared ones, newest first, as JSON text."""
    after = read_cursor(cursor, _SORT)
    rows = await tx.fetch(
        _SQL["list_drops"], limit=limit + 1, after=after.moment() if after else None, after_id=after.id if after else None
    )
    return page(rows, limit, _SORT)


async def file_of(tx: Tx, drop_id: UUID) -> asyncpg.Record | None:
    """Where a message's sound is; None when there never was such a message."""
    return await tx.fetchrow(_SQL["file_of_drop"], id=drop_id)
