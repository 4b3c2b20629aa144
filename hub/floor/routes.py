"""The floor: a consistent picture, which the live events then keep true, and what managers are warned of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hub.company.days import midnight, zone_of
from hub.db import Tx
from hub.errors import Invalid
from hub.events import audiences_of
from hub.floor import actions
from hub.floor.models import AlertFilter, AlertPage, AlertRules, Floor, FloorQuery
from hub.http.endpoint import Reply, Req, Routes
from hub.http.paging import page, read_cursor
from hub.sqlfiles import load_sql

routes = Routes("floor")
_SQL = load_sql("floor")


@routes.get("/floor", query=FloorQuery, returns=Floor, allow="floor:read")
async def get_floor(tx: Tx, req: Req[FloorQuery, None]) -> Reply:
    """Who is on, on a call with whom and since when, the day's calls and outcomes, and what happened last."""
    now = datetime.now(UTC)
    since = req.query.since or midnight(await zone_of(tx), now)
    if since < now - timedelta(days=8):
        raise Invalid.field("since", "The floor looks back eight days at the most.")
    return Reply(await tx.fetchval(_SQL["floor"], since=since, audiences=audiences_of(req.who)))


@routes.get("/floor/alerts", query=AlertFilter, returns=AlertPage, allow="alerts:read")
async def list_alerts(tx: Tx, req: Req[AlertFilter, None]) -> Reply:
    """What managers are warned of: the rules, and the alerts, newest first."""
    after = read_cursor(req.query.cursor, "-raised_at")
    rows = await tx.fetch(
        _SQL["list_alerts"],
        limit=req.query.limit + 1,
        open=req.query.open,
        after=after.moment() if after else None,
        after_id=after.id if after else None,
    )
    return Reply('{"rules":' + await actions.read_rules(tx) + "," + page(rows, req.query.limit, "-raised_at")[1:])


@routes.put("/floor/alerts", body=AlertRules, returns=AlertRules, allow="alerts:write")
async def put_alert_rules(tx: Tx, req: Req[None, AlertRules]) -> Reply:
    """Set what managers are warned of."""
    return Reply(await actions.put_rules(tx, req.body))
