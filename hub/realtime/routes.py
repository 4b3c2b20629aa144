"""The event log over HTTP, for clients that cannot hold a socket."""

from __future__ import annotations

from hub.db import Tx
from hub.errors import Conflict
from hub.events import audiences_of
from hub.http.endpoint import Reply, Req, Routes
from hub.realtime.log import AHEAD_OF_LOG, TOO_OLD, UNKNOWN_EPOCH
from hub.realtime.models import EventPage, EventQuery
from hub.sqlfiles import load_sql

_SQL = load_sql("realtime")
_CORE = load_sql("core")
routes = Routes("events")


@routes.get("/events", query=EventQuery, returns=EventPage, allow="events:read", errors=(409,))
async def list_events(tx: Tx, req: Req[EventQuery, None]) -> Reply:
    """What happened after a place in the log, in order, as far as one may see it."""
    query = req.query
    after = query.cursor if query.cursor is not None else query.after
    await tx.execute(_CORE["plan_for_these_values"])
    row = await tx.fetchrow(_SQL["read_visible_events"], after=after, limit=query.limit, rooms=audiences_of(tx.who))
    assert row is not None  # every company has a counter
    problem = None
    if query.epoch is not None and query.epoch != row["epoch"]:
        problem = UNKNOWN_EPOCH
    elif after is not None and after > row["head"]:
        problem = AHEAD_OF_LOG
    elif not row["reaches"]:
        problem = TOO_OLD
    if problem:
        raise Conflict(
            "The log cannot give what follows this place. Fetch state again and go on from `details.seq`.",
            code="resync",
            details={"reason": problem, "epoch": str(row["epoch"]), "seq": row["head"]},
        )
    frames: list[str] = row["frames"] or []
    more = f'"{row["last_seq"]}"' if len(frames) > query.limit else "null"
    return Reply(
        f'{{"data":[{",".join(frames[: query.limit])}],"next_cursor":{more},"epoch":"{row["epoch"]}","seq":{row["head"]}}}'
    )
