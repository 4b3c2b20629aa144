"""Reads of who unsubscribed. JSON is built by Postgres and passed through as text."""

from __future__ import annotations

from hub.db import Tx
from hub.http.paging import PageQuery, page, read_cursor
from hub.sqlfiles import load_sql

_SQL = load_sql("unsubscribes")
_SORT = "-at"


async def list_unsubscribes(tx: Tx, asked: PageQuery) -> str:
    """A page as JSON text, newest first."""
    after = read_cursor(asked.cursor, _SORT)
    rows = await tx.fetch(
        _SQL["list_unsubscribes"],
        limit=asked.limit + 1,
        after=after.moment() if after else None,
        after_id=after.id if after else None,
    )
    return page(rows, asked.limit, _SORT)
