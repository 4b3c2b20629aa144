"""How fast webhooks go out: `./ringside bench hooks`.

Everything on one machine: postgres, valkey, the hub, one worker, and a process that takes what is sent. Each company has one
endpoint. Twice: all endpoints answer at once; then one in ten takes what it is sent and never answers, which holds its sender up
for ten seconds each time.
1. Events at a calm rate, each in a transaction of its own: from the commit to the arrival; once also without hints through Redis,
   as it is while Redis is down.
2. Many events at once: how many deliveries a minute until the last one has arrived.
That each arrives once and in the order of its company's log is checked for every one of them.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import orjson
from aiohttp import ClientSession
from redis.asyncio import Redis

from benchmarks.children import end, on_leash
from benchmarks.cores import Share
from benchmarks.figures import percentile
from benchmarks.floor_writer import burst, steady
from benchmarks.ground import ROOT, Ground, open_ground
from benchmarks.results import Result, machine, report
from hub.config import Settings
from hub.db import Database, DeferredJob, Notifier, tenant_tx
from hub.events import LoggedEvent
from hub.hints import RedisHints, events_channel
from hub.outgoing.actions import make_endpoint
from hub.outgoing.models import WebhookEndpointIn
from hub.sealing import Seals
from hub.who import Who

A_MINUTE_GOAL = 1000.0
HANGING = 10
_PATIENCE_S = 60.0
_BATCH = 20
_WARM_UP_S = 5.0


class Trouble(Exception):
    """What was delivered is not what was committed."""


@dataclass
class Committed(Notifier):
    """Notes which events were committed, company by company, and when; then tells `next_one`, unless it is `silent`."""

    next_one: Notifier
    at: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    silent: bool = False

    def committed(self, tenant_id: UUID, events: Sequence[LoggedEvent], jobs: Sequence[DeferredJob]) -> None:
        """Note the time, and pass it on."""
        now = time.monotonic()
        self.at.setdefault(str(tenant_id), []).extend((orjson.loads(event.frame)["id"], now) for event in events)
        if not self.silent:
            self.next_one.committed(tenant_id, events, jobs)

    def access_changed(self) -> None:
        """Pass it on."""
        self.next_one.access_changed()


@dataclass
class Field:
    """What is measured: a worker, companies with an endpoint each, and what arrives. `hanging` never answer."""

    db: Database
    told: Committed
    receiver_url: str
    session: ClientSession
    answering: list[UUID] = field(default_factory=list)
    hanging: list[UUID] = field(default_factory=list)

    async def arrived(self, within_s: float = _PATIENCE_S) -> dict[str, list[tuple[str, float]]]:
        """Wait until all that was committed has arrived where it is answered; what came, company by company.

        Raises Trouble when something is missing after `within_s` seconds, came twice or in another order.
        """
        wanted = {str(one): [said for said, _ in self.told.at.get(str(one), [])] for one in self.answering}
        got: dict[str, list[tuple[str, float]]] = {name: [] for name in wanted}
        until = time.monotonic() + within_s
        while sum(map(len, got.values())) < sum(map(len, wanted.values())) and time.monotonic() < until:
            await asyncio.sleep(0.1)
            async with self.session.get(f"{self.receiver_url}/got") as answer:
                for name, came in (await answer.json()).items():
                    got[name] += [(str(said), float(at)) for said, at in came]
        wrong = [name for name, ids in wanted.items() if [said for said, _ in got[name]] != ids]
        if wrong:
            counts = f"{sum(map(len, got.values()))} of {sum(map(len, wanted.values()))} arrived"
            raise Trouble(f"{counts}; not what was committed at {len(wrong)} of {len(wanted)} endpoints")
        return got

    def forget(self) -> None:
        """Begin anew."""
        self.told.at.clear()


@asynccontextmanager
async def receiver() -> AsyncIterator[str]:
    """A process that takes webhooks; its URL."""
    process = await asyncio.create_subprocess_exec(
        *on_leash([sys.executable, "-m", "benchmarks.hook_receiver"]), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        port = int(await asyncio.wait_for(process.stdout.readline(), 30))
        yield f"http://127.0.0.1:{port}"
    finally:
        await end(process)


@asynccontextmanager
async def open_field(settings: Settings) -> AsyncIterator[Field]:
    """The receiver, and a database whose commits are noted and hinted at as the hub's are."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(receiver())
        session = await stack.enter_async_context(ClientSession())
        hints = RedisHints(settings.redis_url)
        stack.push_async_callback(hints.stop)
        told = Committed(hints)
        db = await Database.open(settings.database_url, notifier=told, max_size=4, name="ringside bench")
        stack.push_async_callback(db.close)
        db.seals = Seals(settings)
        yield Field(db, told, url, session)


async def join(place: Field, companies: int, *, hanging: bool) -> None:
    """More companies, each with an endpoint that answers, or that never does."""
    for number in range(companies):
        async with place.db.acquire() as conn:
            tenant_id: UUID = await conn.fetchval("SELECT create_company($1)", f"Company {number}")
            email = f"admin@{tenant_id.hex}.test"
            user_id: UUID = await conn.fetchval("SELECT create_member($1, $2, 'Ada', '!', 'admin')", tenant_id, email)
        url = f"{place.receiver_url}/{'hang' if hanging else 'ok'}/{tenant_id}"
        async with tenant_tx(place.db, Who(tenant_id, user_id, "admin", name="Ada", session_id=uuid4())) as tx:
            await make_endpoint(tx, WebhookEndpointIn(url=url, types=["activity.created"]), allow_private=True)
        (place.hanging if hanging else place.answering).append(tenant_id)
    place.forget()


async def until_heard(place: Field, settings: Settings) -> None:
    """Wait until a worker hears what happens in these companies: of new ones it learns after a moment. Raises TimeoutError."""
    channels = [events_channel(tenant_id) for tenant_id in (*place.answering, *place.hanging)]
    async with asyncio.timeout(_PATIENCE_S), Redis.from_url(settings.redis_url) as redis:
        while True:
            if all(count for _, count in await redis.pubsub_numsub(*channels)):
                return
            await asyncio.sleep(0.05)


async def calm(place: Field, rate: float, seconds: float) -> list[float]:
    """Events at a calm rate over all companies; ms from each commit to its arrival, where it is answered. Raises Trouble."""
    await steady(place.db, [*place.answering, *place.hanging], rate, seconds)
    got = await place.arrived()
    committed = {said: at for events in place.told.at.values() for said, at in events}
    place.forget()
    return [(at - committed[said]) * 1000 for came in got.values() for said, at in came]


async def at_once(place: Field, deliveries: int) -> float:
    """So many deliveries at once, over all companies that answer; how many a minute arrived, until the last. Raises Trouble."""
    each = max(1, deliveries // len(place.answering))
    began = time.monotonic()
    await asyncio.gather(burst(place.db, place.hanging, 1, 1), burst(place.db, place.answering, each, min(each, _BATCH)))
    got = await place.arrived()
    place.forget()
    last = max(at for came in got.values() for _, at in came)
    return each * len(place.answering) / (last - began) * 60


async def rounds(ground: Ground, place: Field, given: argparse.Namespace, named: str) -> list[Result]:
    """Both measurements, once."""
    await until_heard(place, ground.settings)
    # What a worker does when it starts is not what is measured.
    await calm(place, given.rate, _WARM_UP_S)
    waited = await calm(place, given.rate, given.seconds)
    working, keeping = Share(ground.worker_pids[0]), Share(ground.postgres_pid, family=True)
    a_minute = await at_once(place, given.deliveries)
    used = [part.used_s * 1000 / given.deliveries for part in (working, keeping)]
    return [
        Result(f"{named}: commit to arrival at {given.rate:g} events a second, p50", percentile(waited, 0.5), "ms"),
        Result(f"{named}: the same, p95", percentile(waited, 0.95), "ms"),
        Result(f"{named}: the same, worst", max(waited, default=float("nan")), "ms"),
        Result(f"{named}: {given.deliveries:,} at once", a_minute, "a minute", A_MINUTE_GOAL),
        Result(f"{named}: the worker's processor time for each", used[0], "ms"),
        Result(f"{named}: Postgres' processor time for each", used[1], "ms"),
    ]


async def measure(given: argparse.Namespace) -> int:
    """Run it; 1 when a goal was missed."""
    about = machine()
    env = {"RINGSIDE_PRIVATE_WEBHOOK_HOSTS": "1", "RINGSIDE_LOG_LEVEL": "error"}
    async with open_ground(workers=1, worker_jobs=given.slots, extra_env=env) as ground, open_field(ground.settings) as place:
        few = max(1, given.companies // HANGING)
        await join(place, given.companies - few, hanging=False)
        results = await rounds(ground, place, given, "all answer")
        place.told.silent = True
        unheard = await calm(place, given.rate, given.seconds)
        place.told.silent = False
        results += [
            Result("nothing is hinted at, found by the clock: p50", percentile(unheard, 0.5), "ms"),
            Result("the same, p95", percentile(unheard, 0.95), "ms"),
        ]
        await join(place, few, hanging=True)
        results += await rounds(ground, place, given, f"1 in {HANGING} hangs")
    facts = {"companies": str(given.companies), "one worker process": f"{given.slots} slots"}
    return report("Webhooks", results, json_path=given.json, facts=facts, about=about)


def options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    parser.add_argument("--companies", type=int, default=50, help="with an endpoint each (default 50)")
    parser.add_argument("--rate", type=float, default=20.0, help="the calm rate, events a second (default 20)")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long at the calm rate (default 30)")
    parser.add_argument("--deliveries", type=int, default=2000, help="at once (default 2,000)")
    parser.add_argument("--slots", type=int, default=10, help="jobs at once in the worker (default 10, which is the product's)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
