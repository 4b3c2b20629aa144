"""Reads of bounces and complaints. JSON is built by Postgres and passed through as text."""

from __future__ import annotations

from hub.bounces.models import BounceFilter
from hub.db import Tx
from hub.http.paging import page, read_cursor
from hub.sqlfiles import load_sql

_SQL = load_sql("bounces")
_SORT = "-at"


async def list_bounces(tx: Tx, asked: BounceFilter) -> str:
    """A page as JSON text, newest first."""
    after = read_cursor(asked.cursor, _SORT)
    rows = await tx.fetch(
        _SQL["list_bounces"],
        limit=asked.limit + 1,
        mailbox_id=asked.mailbox_id,
        after=after.moment() if after else None,
        after_id=after.id if after else None,
    )
    return page(rows, asked.limit, _SORT)
