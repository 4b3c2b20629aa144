"""Reads of the dialer. JSON is built by Postgres and passed through as text."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import orjson

from hub.db import Database, Tx
from hub.dialer.models import ItemQuery, QueueQuery
from hub.http.paging import page, read_cursor
from hub.sqlfiles import load_sql

_SQL = load_sql("dialer")
_CORE = load_sql("core")

STATES = ("waiting", "later", "callback", "claimed", "dialing", "done", "skipped")
_ITEMS = "id"
_QUEUES = "-created_at"


@dataclass(frozen=True, slots=True)
class Leeway:
    """What the abandonment cap leaves to a campaign, and the lines that may be used now."""

    answered: int
    abandoned: int
    answered_30: int
    abandoned_30: int
    under_way: int
    cap_per_mille: int
    lines: int


async def list_queues(tx: Tx, asked: QueueQuery) -> str:
    """A page of queues as JSON text."""
    after = read_cursor(asked.cursor, _QUEUES)
    rows = await tx.fetch(
        _SQL["list_queues"],
        limit=asked.limit + 1,
        state=asked.state,
        after=after.moment() if after else None,
        after_id=after.id if after else None,
    )
    return page(rows, asked.limit, _QUEUES)


async def get_queue(tx: Tx, queue_id: UUID) -> str | None:
    """A queue as JSON text; None when there is none."""
    text: str | None = await tx.fetchval(_SQL["get_queue"], id=queue_id)
    return text


async def list_items(tx: Tx, queue_id: UUID, asked: ItemQuery) -> str:
    """A page of a queue's items as JSON text."""
    after = read_cursor(asked.cursor, _ITEMS)
    await tx.execute(_CORE["plan_for_these_values"])
    rows = await tx.fetch(
        _SQL["list_items"],
        queue_id=queue_id,
        limit=asked.limit + 1,
        state=asked.state,
        after_id=after.id if after else None,
    )
    return page(rows, asked.limit, _ITEMS)


async def counts(tx: Tx, queue_id: UUID) -> dict[str, int]:
    """The items of a queue by state, counted now."""
    found = dict.fromkeys((*STATES, "total"), 0)
    for row in await tx.fetch(_SQL["census"], id=queue_id):
        found["later" if row["is_later"] else row["state"]] += row["items"]
        found["total"] += row["items"]
    return found


async def leeway(tx: Tx, queue_id: UUID, wanted: int) -> Leeway:
    """What the abandonment cap leaves to a campaign when somebody would like `wanted` lines."""
    row = await tx.fetchrow(_SQL["pace"], id=queue_id, wanted=wanted)
    assert row is not None
    return Leeway(
        answered=row["answered"],
        abandoned=row["abandoned"],
        answered_30=row["answered_30"],
        abandoned_30=row["abandoned_30"],
        under_way=row["reserved"],
        cap_per_mille=row["cap"],
        lines=row["lines"],
    )


async def progress(tx: Tx, queue_id: UUID, lines: int) -> str:
    """How a queue stands, as JSON text."""
    outcomes: dict[str, int] = {}
    skipped: dict[str, int] = {}
    for row in await tx.fetch(_SQL["census_by_outcome"], id=queue_id):
        if row["state"] == "skipped":
            code = row["reason_code"] or "skipped"
            skipped[code] = skipped.get(code, 0) + row["items"]
        if row["last_outcome"] is not None:
            outcomes[row["last_outcome"]] = outcomes.get(row["last_outcome"], 0) + row["items"]
    rest = await tx.fetchrow(_SQL["queue_rest"], id=queue_id)
    assert rest is not None
    times = [at for at in (rest["retry_at"], rest["callback_at"]) if at is not None]
    left = await leeway(tx, queue_id, lines)
    sessions = [orjson.Fragment(row["json"]) for row in await tx.fetch(_SQL["list_sessions"], queue_id=queue_id)]
    return orjson.dumps(
        {
            "queue_id": str(queue_id),
            "counts": await counts(tx, queue_id),
            "outcomes": [{"outcome": name, "items": items} for name, items in sorted(outcomes.items())],
            "skipped": [{"code": code, "items": items} for code, items in sorted(skipped.items())],
            "next_at": min(times) if times and not rest["has_fresh"] else None,
            "pace": left,
            "sessions": sessions,
        }
    ).decode()


async def current_session(tx: Tx) -> str | None:
    """The acting member's session as JSON text."""
    text: str | None = await tx.fetchval(_SQL["current_session"])
    return text


async def list_sessions(tx: Tx, queue_id: UUID | None = None) -> str:
    """The sessions under way as a JSON page."""
    rows = await tx.fetch(_SQL["list_sessions"], queue_id=queue_id)
    return '{"data":[' + ",".join(row["json"] for row in rows) + '],"next_cursor":null}'


async def sessions_due(db: Database, gone_s: float, limit: int) -> list[tuple[UUID, UUID]]:
    """(tenant, session) of those in which something is due."""
    rows = await db.system_fetch(_SQL["sessions_due"], gone_s=gone_s, limit=limit)
    return [(row["tenant_id"], row["id"]) for row in rows]


async def queues_moved(db: Database, margin_s: float, limit: int) -> list[tuple[UUID, UUID]]:
    """(tenant, queue) of those whose items changed since they were counted."""
    rows = await db.system_fetch(_SQL["queues_moved"], margin_s=margin_s, limit=limit)
    return [(row["tenant_id"], row["id"]) for row in rows]
