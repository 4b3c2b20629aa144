"""Reads of recordings. JSON is built by Postgres and passed through as text."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import orjson

from hub.db import Tx
from hub.errors import NotFound
from hub.http.paging import page, read_cursor
from hub.recordings.models import RecordingFilter
from hub.sqlfiles import load_sql
from hub.who import Role

_SQL = load_sql("recordings")
_CORE = load_sql("core")
_SORT = "-created_at"


async def list_recordings(tx: Tx, asked: RecordingFilter) -> str:
    """A page of the recordings that who asks may hear, newest first, as JSON text."""
    after = read_cursor(asked.cursor, _SORT)
    # A rep's list is their own; asking for somebody else's shows nothing.
    person = asked.user_id if tx.who.is_manager else tx.who.user_id
    if not tx.who.is_manager and asked.user_id not in (None, person):
        return '{"data":[],"next_cursor":null}'
    await tx.execute(_CORE["plan_for_these_values"])
    rows = await tx.fetch(
        _SQL["search_recordings" if asked.q else "list_recordings"],
        limit=asked.limit + 1,
        of_user=person,
        contact_id=asked.contact_id,
        after=after.moment() if after else None,
        after_id=after.id if after else None,
        **({"query": asked.q} if asked.q else {}),
    )
    return page(rows, asked.limit, _SORT)


async def get_recording(tx: Tx, recording_id: UUID) -> asyncpg.Record | None:
    """A recording: its JSON, its transcript, its file, and whether who asks may hear it."""
    return await tx.fetchrow(_SQL["get_recording"], id=recording_id, sees_all=tx.who.is_manager)


async def recordings_of_call(tx: Tx, call_id: UUID) -> str:
    """The recordings of a call as a JSON array, oldest first."""
    found: str = await tx.fetchval(_SQL["recordings_of_call"], call_id=call_id)
    return found


async def get_rules(tx: Tx, call_id: UUID) -> asyncpg.Record | None:
    """What the company has settled about recording, and the ends of a call; None when there is no such call."""
    return await tx.fetchrow(_SQL["call_rules"], call_id=call_id)


def read_whole(row: asyncpg.Record) -> str:
    """A recording (a row of `get_recording`) with its transcript, as JSON text."""
    return str(row["json"])[:-1] + ',"transcript":' + orjson.dumps(row["transcript"]).decode() + "}"


async def announcement(tx: Tx, call_id: UUID) -> str:
    """What the contact of a call is told before it is recorded. Raises NotFound when there is no such call."""
    rules = await get_rules(tx, call_id)
    if rules is None:
        raise NotFound("There is no such call.", code="call_not_found")
    words: str = rules["announcement"]
    return words


async def role_of(tx: Tx, user_id: UUID) -> Role | None:
    """What a member may do now; None for somebody who is no active member."""
    role: Role | None = await tx.fetchval(_SQL["role_of"], person_id=user_id)
    return role
