"""Team endpoints."""

from __future__ import annotations

from hub.db import Tx
from hub.http.endpoint import Reply, Req, Routes
from hub.http.paging import PageQuery, page, read_cursor
from hub.sqlfiles import load_sql
from hub.teams import actions
from hub.teams.models import Team, TeamIn, TeamPage, TeamPatch

routes = Routes("teams")
_SQL = load_sql("teams")


@routes.get("/teams", query=PageQuery, returns=TeamPage, allow="members:read")
async def list_teams(tx: Tx, req: Req[PageQuery, None]) -> Reply:
    """The teams of this company, by name."""
    after = read_cursor(req.query.cursor, "name")
    rows = await tx.fetch(
        _SQL["list_teams"],
        limit=req.query.limit + 1,
        after_key=after.key if after else None,
        after_id=after.id if after else None,
    )
    return Reply(page(rows, req.query.limit, "name"))


@routes.post("/teams", body=TeamIn, returns=Team, status=201, allow="teams:write", errors=(409,))
async def create_team(tx: Tx, req: Req[None, TeamIn]) -> Reply:
    """Make a team."""
    return Reply(await actions.create_team(tx, req.body), 201)


@routes.patch("/teams/{id}", body=TeamPatch, returns=Team, allow="teams:write", errors=(409,))
async def update_team(tx: Tx, req: Req[None, TeamPatch]) -> Reply:
    """Rename a team, or set its members in the order in which they are rung."""
    return Reply(await actions.update_team(tx, req.id(), req.body))


@routes.delete("/teams/{id}", status=204, allow="teams:write", errors=(409,))
async def delete_team(tx: Tx, req: Req[None, None]) -> Reply:
    """Delete a team that no number rings."""
    await actions.delete_team(tx, req.id())
    return Reply()
