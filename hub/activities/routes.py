"""Timeline endpoints."""

from __future__ import annotations

from uuid import UUID

from hub.activities import actions
from hub.activities.models import Activity, ActivityPage, NoteIn
from hub.contacts.actions import missing
from hub.contacts.queries import contact_exists
from hub.db import Tx
from hub.http.endpoint import Reply, Req, Routes
from hub.http.paging import PageQuery, page, read_cursor
from hub.sqlfiles import load_sql

routes = Routes("activities")
_SQL = load_sql("activities")


async def _timeline(tx: Tx, asked: PageQuery, contact_id: UUID | None = None) -> Reply:
    after = read_cursor(asked.cursor, "-at")
    rows = await tx.fetch(
        _SQL["list_activities"],
        limit=asked.limit + 1,
        contact_id=contact_id,
        after=after.moment() if after else None,
        after_id=after.id if after else None,
    )
    if not rows and contact_id is not None and not await contact_exists(tx, contact_id):
        raise missing()
    return Reply(page(rows, asked.limit, "-at"))


@routes.get("/activities", query=PageQuery, returns=ActivityPage, allow="contacts:read")
async def list_activities(tx: Tx, req: Req[PageQuery, None]) -> Reply:
    """What happened in this company, newest first."""
    return await _timeline(tx, req.query)


@routes.get("/contacts/{id}/timeline", query=PageQuery, returns=ActivityPage, allow="contacts:read")
async def contact_timeline(tx: Tx, req: Req[PageQuery, None]) -> Reply:
    """What happened with a contact, newest first."""
    return await _timeline(tx, req.query, req.id())


@routes.post("/contacts/{id}/notes", body=NoteIn, returns=Activity, status=201, allow="contacts:write")
async def add_note(tx: Tx, req: Req[None, NoteIn]) -> Reply:
    """Write a note on a contact."""
    text = await actions.add_note(tx, req.id(), req.body.body)
    if text is None:
        raise missing()
    return Reply(text, 201)
