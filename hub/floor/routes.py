"""The floor's one endpoint: a consistent picture, which the live events then keep true."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hub.db import Tx
from hub.errors import Invalid
from hub.events import audiences_of
from hub.floor.models import Floor, FloorQuery
from hub.http.endpoint import Reply, Req, Routes
from hub.sqlfiles import load_sql

routes = Routes("floor")
_SQL = load_sql("floor")


@routes.get("/floor", query=FloorQuery, returns=Floor)
async def get_floor(tx: Tx, req: Req[FloorQuery, None]) -> Reply:
    """Who is on, on a call with whom and since when, the day's calls and outcomes, and what happened last."""
    now = datetime.now(UTC)
    since = req.query.since or now.replace(hour=0, minute=0, second=0, microsecond=0)
    if since < now - timedelta(days=8):
        raise Invalid.field("since", "The floor looks back eight days at the most.")
    return Reply(await tx.fetchval(_SQL["floor"], since=since, audiences=audiences_of(req.who)))
