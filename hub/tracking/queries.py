"""Reads of tracking. JSON is built by Postgres and passed through as text."""

from __future__ import annotations

from uuid import UUID

from hub.db import Tx
from hub.sqlfiles import load_sql

_SQL = load_sql("tracking")


async def get_settings(tx: Tx) -> str:
    """The company's settings as JSON text."""
    text: str = await tx.fetchval(_SQL["get_settings"])
    return text


async def get_domain(tx: Tx) -> str:
    """How the company's domain for links stands, as JSON text."""
    text: str = await tx.fetchval(_SQL["get_domain"])
    return text


async def link_of(tx: Tx, send_id: UUID, position: int) -> str | None:
    """Where a link of a mail leads; None when the mail has none there."""
    url: str | None = await tx.fetchval(_SQL["link_of"], send_id=send_id, position=position)
    return url


async def thread_of(tx: Tx, send_id: UUID) -> UUID | None:
    """The thread that a mail belongs to, if it has one."""
    thread_id: UUID | None = await tx.fetchval(_SQL["thread_of"], send_id=send_id)
    return thread_id


async def get_tracked(tx: Tx, send_id: UUID) -> str | None:
    """What is known of a mail, as JSON text; None when it was not tracked or who asks may not see it."""
    text: str | None = await tx.fetchval(_SQL["get_tracked"], send_id=send_id)
    return text
