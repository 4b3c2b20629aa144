"""Reads of meetings. JSON is built by Postgres and passed through as text."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from hub.db import Tx
from hub.http.paging import page, read_cursor
from hub.meetings.models import MeetingFilter
from hub.sqlfiles import load_sql

_SQL = load_sql("meetings")


async def list_meetings(tx: Tx, contact_id: UUID, asked: MeetingFilter, now: datetime) -> str:
    """A page of the meetings with a contact that who asks sees, as JSON text. `now` is what upcoming ones are told by."""
    after = read_cursor(asked.cursor, "-start_at")
    rows = await tx.fetch(
        _SQL["list_meetings"],
        contact_id=contact_id,
        limit=asked.limit + 1,
        upcoming=asked.upcoming,
        now=now,
        after=after.moment() if after else None,
        after_id=after.id if after else None,
    )
    return page(rows, asked.limit, "-start_at")


async def get_meeting(tx: Tx, meeting_id: UUID) -> tuple[str, int] | None:
    """A meeting as JSON text with its version; None when there is none, or none that who asks sees."""
    row = await tx.fetchrow(_SQL["get_meeting"], id=meeting_id)
    return (row["json"], row["version"]) if row else None
