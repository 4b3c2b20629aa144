"""Reading privacy requests and retention."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from hub.db import Tx
from hub.http.paging import PageQuery, page, read_cursor
from hub.sqlfiles import load_sql

_SQL = load_sql("privacy")
_SORT = "-created_at"


async def list_requests(tx: Tx, asked: PageQuery) -> str:
    """A page of the requests as JSON text, newest first."""
    after = read_cursor(asked.cursor, _SORT)
    rows = await tx.fetch(
        _SQL["list_requests"],
        limit=asked.limit + 1,
        after=after.moment() if after else None,
        after_id=after.id if after else None,
    )
    return page(rows, asked.limit, _SORT)


async def get_request(tx: Tx, request_id: UUID) -> asyncpg.Record | None:
    """One request: its JSON and its file."""
    return await tx.fetchrow(_SQL["get_request"], id=request_id)


async def get_retention(tx: Tx) -> str:
    """How long what is kept, as JSON text."""
    text: str = await tx.fetchval(_SQL["get_retention"])
    return text
