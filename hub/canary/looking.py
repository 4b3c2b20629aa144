"""One look: both canaries try each other through every layer, and what they find is written down."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import orjson
import structlog
from aiohttp import ClientSession, ClientTimeout, DummyCookieJar
from prometheus_client import Counter, Gauge
from redis.asyncio import Redis

from hub.canary.attempts import LAYERS, Attempt, Look
from hub.canary.channels import try_redis
from hub.canary.pair import Pair, open_pair
from hub.canary.requests import Asker, try_http, try_links
from hub.canary.sockets import try_sockets
from hub.canary.tables import try_jobs, try_keys, try_sql
from hub.config import Settings
from hub.db import Database
from hub.errors import HubError
from hub.sqlfiles import load_sql
from integrations.ports import ObjectStore

_SQL = load_sql("canary")
_REQUEST_S = 10.0
_READY_S = 2.0
# The endpoints are asked in so many turns.
SHARES = 8

BREACHES = Counter(
    "ringside_isolation_breaches_total", "Ways that were found from one canary into the other, by layer.", ["layer"]
)
CHECKED = Gauge("ringside_isolation_checked_timestamp_seconds", "When the canaries could last try everything.")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Tools:
    """What a look needs."""

    db: Database
    settings: Settings
    redis: Redis
    objects: ObjectStore | None = None


async def look(tools: Tools, *, turn: int | None = None) -> Look:
    """Try everything, or what falls to a `turn`: one canary tries the other, and a share of the endpoints.

    Raises HubError when Postgres is down. What needs a hub, or Redis, is left out without it.
    """
    pair = await open_pair(tools.db, tools.objects)
    found: list[Attempt] = []
    ways = (pair, pair[::-1])
    for own, other in ways if turn is None else ways[turn % 2 :][:1]:
        found += await try_sql(tools.db, own, other)
        found += await try_jobs(tools.db, own, other)
        found += await try_keys(tools.db, own, other)
    found += await _over_the_wire(tools, pair, (0, 1) if turn is None else (turn % SHARES, SHARES))
    left, right = pair
    found += await try_redis(tools.db, tools.redis, left, right, url=tools.settings.redis_url)
    return Look(found)


async def _over_the_wire(tools: Tools, pair: Pair, share: tuple[int, int]) -> list[Attempt]:
    async with ClientSession(timeout=ClientTimeout(total=_REQUEST_S), cookie_jar=DummyCookieJar()) as session:
        left, right = (Asker(session, tools.settings, one) for one in pair)
        found = await try_http(left, *pair, share=share)
        found += await try_links(left, tools.settings, *pair)
        return found + await try_sockets(tools.db, left, right, *pair)


async def write_down(db: Database, seen: Look) -> None:
    """Keep what was found where every process sees it, and when there was last an answer to all that was tried."""
    for one in seen.breaches:
        BREACHES.labels(one.layer).inc()
        _log.error("one company reached another", layer=one.layer, tried=one.tried, came_back=one.came_back)
    if seen.unchecked:
        # Common while a hub starts, and no alarm by itself: that is for the time at which everything was last tried.
        layers = sorted({one.layer for one in seen.unchecked})
        _log.info("isolation could not be tried", layers=layers, why=seen.unchecked[0].came_back, left_out=len(seen.unchecked))
    said = [{"layer": one.layer, "tried": one.tried, "came_back": one.came_back} for one in seen.breaches]
    await db.system_fetch(_SQL["note"], breaches=orjson.dumps(said).decode(), attempts=len(seen.attempts), whole=seen.is_whole)
    await show_standing(db)


async def show_standing(db: Database) -> str | None:
    """What is open in words, or None; the metrics say what Postgres has. Raises HubError."""
    row = await db.system_fetchrow(_SQL["standing"])
    assert row is not None
    for layer in LAYERS:
        BREACHES.labels(layer)
    if row["checked_at"] is not None:
        CHECKED.set(row["checked_at"].timestamp())
    if not row["breaches"]:
        return None
    ways = "1 way" if row["breaches"] == 1 else f"{row['breaches']} ways"
    return (
        f"{ways} from one company into another ({row['said']}). Close it, then run `ringside doctor --isolation`, "
        "which clears this when it finds nothing any more."
    )


async def check_isolation(db: Database) -> str | None:
    """None while nothing is open, for readiness. While Postgres is down, its own part of readiness says so."""
    try:
        async with asyncio.timeout(_READY_S):
            return await show_standing(db)
    except (HubError, OSError, TimeoutError):
        return None


async def clear(db: Database) -> int:
    """An operator's clean run: nothing is open any more. How many were."""
    row = await db.system_fetchrow(_SQL["clear"])
    assert row is not None
    return int(row["cleared"])
