"""The event log in Postgres: where it stands, and what follows a place in it, without gaps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hub.db import Database, tenant_tx
from hub.events import LoggedEvent
from hub.sqlfiles import load_sql
from hub.who import Who

_SQL = load_sql("realtime")

# Why a client has to fetch state again instead of getting what it missed.
UNKNOWN_EPOCH = "unknown_epoch"
AHEAD_OF_LOG = "ahead_of_log"
TOO_OLD = "too_old"
TOO_FAR_BEHIND = "too_far_behind"


class LogGap(Exception):
    """The log no longer holds what follows the place it was asked about."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a tenant's log stands. A new epoch means that sequence numbers of the old one say nothing any more."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last event a client saw."""

    epoch: str
    seq: int

    @classmethod
    def parse(cls, value: Any) -> Cursor | None:
        """What a client sent as its cursor; None when it sent none. What cannot be read is a cursor of no known epoch."""
        if value is None:
            return None
        if isinstance(value, dict):
            epoch, seq = value.get("epoch"), value.get("seq")
            if isinstance(epoch, str) and isinstance(seq, int) and not isinstance(seq, bool) and 0 <= seq < 2**63:
                return cls(epoch, seq)
        return cls("", 0)


@dataclass(frozen=True, slots=True)
class Page:
    """Consecutive events after a place; `at` are their commit times in seconds since the epoch."""

    events: list[LoggedEvent]
    at: list[float]


async def read_heads(db: Database, tenants: Iterable[UUID]) -> dict[UUID, Head]:
    """Where the logs of these tenants stand; a tenant that does not exist is missing."""
    rows = await db.system_fetch(_SQL["tenant_heads"], tenants=list(tenants))
    return {row["tenant_id"]: Head(str(row["epoch"]), row["seq"]) for row in rows}


async def read_sights(db: Database, tenant_id: UUID) -> dict[UUID, frozenset[str]]:
    """Whose things each member sees, where that is not everybody's; nobody is in it where all see everything."""
    async with tenant_tx(db, Who.system(tenant_id)) as tx:
        rows = await tx.fetch(_SQL["sights"])
    return {row["user_id"]: frozenset(map(str, row["people"] or ())) for row in rows}


async def read_after(db: Database, tenant_id: UUID, after: int, limit: int) -> Page:
    """Up to `limit` events that follow `after`, of all audiences. Raises LogGap when the first of them is not kept any more."""
    async with tenant_tx(db, Who.system(tenant_id)) as tx:
        rows = await tx.fetch(_SQL["read_events"], after=after, limit=limit)
    is_over = bool(rows) and rows[0]["is_over"]
    rows = [row for row in rows if row["seq"] is not None]
    events = [LoggedEvent(row["seq"], row["audience"], row["frame"]) for row in rows]
    if is_over or any(event.seq != after + place for place, event in enumerate(events, start=1)):
        raise LogGap(f"what follows {after} is not in the log any more")
    return Page(events, [row["at"] for row in rows])
