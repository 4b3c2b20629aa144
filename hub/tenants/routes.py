"""Member endpoints."""

from __future__ import annotations

from hub.db import Tx
from hub.http.endpoint import Reply, Req, Routes
from hub.http.paging import PageQuery, page, read_cursor
from hub.sqlfiles import load_sql
from hub.tenants import actions
from hub.tenants.models import Member, MemberPage, MemberPatch

routes = Routes("members")
_SQL = load_sql("members")


@routes.get("/members", query=PageQuery, returns=MemberPage, allow="members:read")
async def list_members(tx: Tx, req: Req[PageQuery, None]) -> Reply:
    """The people of this company, by name."""
    after = read_cursor(req.query.cursor, "name")
    rows = await tx.fetch(
        _SQL["list_members"],
        limit=req.query.limit + 1,
        after_key=after.key if after else None,
        after_id=after.id if after else None,
    )
    return Reply(page(rows, req.query.limit, "name"))


@routes.patch("/members/{id}", body=MemberPatch, returns=Member, allow="members:write", errors=(409,))
async def update_member(tx: Tx, req: Req[None, MemberPatch]) -> Reply:
    """Change a member's role, deactivate or reactivate them; their open consoles notice within a second."""
    return Reply(await actions.update_member(tx, req.id(), req.body))
