"""Handovers: what somebody has, who is to have it, and how far that is."""

from __future__ import annotations

from hub.db import Tx
from hub.handovers import actions
from hub.handovers.models import Belongings, Departure, Handover, HandoverIn, HandoverPage
from hub.http.endpoint import Reply, Req, Routes
from hub.http.paging import PageQuery, page, read_cursor
from hub.sqlfiles import load_sql
from hub.tenants.models import Member

routes = Routes("members")
_SQL = load_sql("handovers")


@routes.get("/members/{id}/belongings", returns=Belongings, allow="members:write")
async def member_belongings(tx: Tx, req: Req[None, None]) -> Reply:
    """How much somebody has that can be handed over."""
    return Reply(await actions.read_belongings(tx, req.id()))


@routes.post("/members/{id}/deactivate", body=Departure, returns=Member, allow="members:write", errors=(409,))
async def deactivate_member(tx: Tx, req: Req[None, Departure]) -> Reply:
    """Withdraw somebody's access within a second, and hand over what is theirs."""
    return Reply(await actions.deactivate(tx, req.id(), req.body))


@routes.post("/members/{id}/handover", body=HandoverIn, returns=Handover, status=202, allow="members:write", errors=(409,))
async def hand_over(tx: Tx, req: Req[None, HandoverIn]) -> Reply:
    """Hand over what somebody has, whether they are here or gone already."""
    return Reply(await actions.start(tx, req.id(), req.body), 202)


@routes.get("/handovers", query=PageQuery, returns=HandoverPage, allow="members:write")
async def list_handovers(tx: Tx, req: Req[PageQuery, None]) -> Reply:
    """Handovers, the newest first."""
    after = read_cursor(req.query.cursor, "newest")
    rows = await tx.fetch(
        _SQL["list_handovers"],
        limit=req.query.limit + 1,
        after=after.moment() if after else None,
        after_id=after.id if after else None,
    )
    return Reply(page(rows, req.query.limit, "newest"))


@routes.get("/handovers/{id}", returns=Handover, allow="members:write")
async def get_handover(tx: Tx, req: Req[None, None]) -> Reply:
    """A handover, and how far it is."""
    return Reply(await actions.read_handover(tx, req.id()))
