"""Reads of text messages."""

from __future__ import annotations

from uuid import UUID

from hub.db import Tx
from hub.http.paging import PageQuery, page, read_cursor
from hub.messages.models import ThreadFilter
from hub.sqlfiles import load_sql

_SQL = load_sql("messages")


async def list_messages(tx: Tx, contact_id: UUID, asked: PageQuery) -> str:
    """A page of the messages with a contact as JSON text, newest first."""
    after = read_cursor(asked.cursor, "-created_at")
    rows = await tx.fetch(
        _SQL["list_messages"],
        contact_id=contact_id,
        limit=asked.limit + 1,
        after=after.moment() if after else None,
        after_id=after.id if after else None,
    )
    return page(rows, asked.limit, "-created_at")


async def list_threads(tx: Tx, asked: ThreadFilter) -> str:
    """A page of conversations as JSON text, the one with the newest message first."""
    after = read_cursor(asked.cursor, "-last_at")
    rows = await tx.fetch(
        _SQL["list_threads"],
        limit=asked.limit + 1,
        unread=asked.unread,
        after=after.moment() if after else None,
        after_id=after.id if after else None,
    )
    return page(rows, asked.limit, "-last_at")


async def thread_json(tx: Tx, contact_id: UUID) -> str:
    """The conversation with a contact as JSON text."""
    text: str = await tx.fetchval(_SQL["get_thread"], contact_id=contact_id)
    return text
