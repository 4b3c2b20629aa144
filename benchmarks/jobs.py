"""How fast jobs are: `./ringside bench jobs`.

Postgres (with fsync) and Valkey of its own, one worker process on one core, the load on another.
1. From enqueue (commit) to start, at a calm rate.
2. Jobs a second through the ledger: claim, a handler with an effect in its finishing transaction, done rows.
3. With --flood: the same calm rate of one company while another has so many jobs due, and while another's long jobs hold
   every slot.
Peers in the same run with --peer: bare arq (its default poll, and 0.02 s), which keeps nothing when Redis goes, and a loop of
SELECT ... FOR UPDATE SKIP LOCKED, which is what queues in Postgres are made of.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from arq.connections import ArqRedis, RedisSettings, create_pool

from benchmarks.children import end, on_leash
from benchmarks.cores import LOAD, SERVER, cpu_s, pin_self, pinned
from benchmarks.figures import percentile
from benchmarks.ground import ROOT
from benchmarks.job_worker import KIND, LONG_KIND, SCHEMA
from benchmarks.peers import jobs_arq, jobs_skip_locked
from benchmarks.results import Result, machine, report
from hub.db import Database, DeferredJob, tenant_tx
from hub.embedded import start_postgres, start_valkey
from hub.hints import RedisHints
from hub.migrate import migrate
from hub.queue import serialize
from hub.who import Who

START_GOAL_MS = 30.0
RATE_GOAL = 500.0
FLOOD_GOAL = 2.0
TENANTS = 5
WARM_UP = 200
_DRAIN_S = 60.0

Enqueue = Callable[[], Awaitable[UUID]]


@dataclass(frozen=True, slots=True)
class Place:
    """The servers, and how to reach them."""

    env: Mapping[str, str]
    admin: asyncpg.Connection[Any]
    db: Database
    hints: RedisHints
    redis: ArqRedis
    # What puts a worker on a core of its own; empty where there is only one.
    front: Sequence[str]

    async def company(self, name: str) -> UUID:
        """Another company; its id."""
        async with self.db.acquire() as conn:
            tenant_id: UUID = await conn.fetchval("SELECT create_company($1)", name)
        return tenant_id

    async def defer(self, tenant_id: UUID, kind: str = KIND, **args: Any) -> UUID:
        """A job as a request defers one: a row, and its hint after the commit."""
        async with tenant_tx(self.db, Who.system(tenant_id)) as tx:
            job_id = await tx.defer(kind, args)
        assert job_id is not None
        return job_id

    async def backlog(self, tenant_ids: list[UUID], count: int) -> None:
        """So many jobs that are due at once, round the companies, and their hints."""
        rows = await self.admin.fetch(
            "INSERT INTO jobs (tenant_id, kind) SELECT ($1::uuid[])[1 + n % $2], $3 FROM generate_series(1, $4::int) AS n"
            " RETURNING tenant_id, id",
            tenant_ids,
            len(tenant_ids),
            KIND,
            count,
        )
        await self.admin.execute("ANALYZE jobs")
        for start in range(0, len(rows), 1000):
            for row in rows[start : start + 1000]:
                self.hints.committed(row["tenant_id"], [], [DeferredJob(row["id"], KIND, None)])
            # What is handed over faster than it is sent would be dropped, as it should be.
            await self.hints.flushed()

    async def started(self, job_ids: list[UUID], within_s: float = _DRAIN_S) -> dict[UUID, float]:
        """Wait until all of these began; when each did, in seconds of the wall clock."""
        deadline = time.monotonic() + within_s
        while True:
            rows = await self.admin.fetch("SELECT job_id, started_s FROM bench_effects WHERE job_id = ANY ($1)", job_ids)
            if len(rows) == len(job_ids) or time.monotonic() > deadline:
                return {row["job_id"]: row["started_s"] for row in rows}
            await asyncio.sleep(0.1)

    async def emptied(self, count: int) -> float:
        """Wait for so many effects since the table was emptied; the moment of the last."""
        deadline = time.monotonic() + _DRAIN_S
        while time.monotonic() < deadline:
            if await self.admin.fetchval("SELECT count(*) FROM bench_effects") >= count:
                break
            await asyncio.sleep(0.05)
        return time.time()


@asynccontextmanager
async def open_place(slots: int) -> AsyncIterator[Place]:
    """Start Postgres and Valkey; forget both at the end."""
    folder = Path(tempfile.mkdtemp(prefix="ringside-bench-"))
    folder.chmod(0o755)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        postgres = stack.enter_context(start_postgres(folder / "postgres"))
        valkey = stack.enter_context(start_valkey(folder / "valkey"))
        await migrate(postgres.url_for("ringside_owner"), postgres.admin_url)
        admin = await asyncpg.connect(postgres.admin_url)
        stack.push_async_callback(admin.close)
        await admin.execute(SCHEMA + jobs_skip_locked.SCHEMA)
        hints = RedisHints(valkey.url)
        stack.push_async_callback(hints.stop)
        db = await Database.open(postgres.url_for("ringside_app"), notifier=hints, max_size=4, name="ringside bench")
        stack.push_async_callback(db.close)
        redis = await create_pool(RedisSettings.from_dsn(valkey.url), job_serializer=serialize, default_queue_name=jobs_arq.QUEUE)
        stack.push_async_callback(redis.aclose)
        env = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("RINGSIDE_", "TWILIO_", "GOOGLE_", "DATABASE_"))},
            "DATABASE_URL": postgres.url_for("ringside_app"),
            "REDIS_URL": valkey.url,
            "RINGSIDE_SECRET": secrets.token_hex(24),
            "RINGSIDE_LOG": "json",
            "RINGSIDE_METRICS_PORT": "0",
            "RINGSIDE_WORKER_JOBS": str(slots),
            "PEER_SLOTS": str(slots),
            "PYTHONPATH": str(ROOT),
        }
        front = pinned([], SERVER)
        # After the servers: they may be where there is room.
        pin_self(LOAD)
        yield Place(env, admin, db, hints, redis, front)


@asynccontextmanager
async def worker(place: Place, module: str, **extra_env: str) -> AsyncIterator[int]:
    """A worker's process on the server's core, once it has started; its pid."""
    argv = [*place.front, sys.executable, "-m", module]
    with tempfile.TemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(
            *on_leash(argv),
            cwd=ROOT,
            env={**place.env, **extra_env},
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
        try:
            assert process.stdout is not None
            while b"started" not in (line := await asyncio.wait_for(process.stdout.readline(), 30)):
                if not line:
                    log.seek(0)
                    raise RuntimeError(f"{module} did not start: {log.read().decode(errors='replace')[-2000:]}")
            eating = asyncio.create_task(_eat(process.stdout))
            yield process.pid
            eating.cancel()
        finally:
            await end(process)


async def _eat(stream: asyncio.StreamReader) -> None:
    while await stream.read(65536):
        pass


async def calm(place: Place, enqueue: Enqueue, rate: float, seconds: float) -> list[float]:
    """Enqueue at a calm rate, at odd moments; ms from each commit to the start of its job. Infinite for one that never began."""
    for _ in range(5):
        await place.started([await enqueue()])
    committed: dict[UUID, float] = {}
    dice = random.Random(5)  # noqa: S311 - moments, not secrets
    for _ in range(int(rate * seconds)):
        job_id = await enqueue()
        committed[job_id] = time.time()
        await asyncio.sleep(dice.uniform(0.5, 1.5) / rate)
    began = await place.started(list(committed))
    return [max(began.get(job_id, float("inf")) - at, 0.0) * 1000 for job_id, at in committed.items()]


async def rate(
    place: Place, fill: Callable[[int], Awaitable[None]], module: str, count: int, **extra_env: str
) -> tuple[float, float]:
    """Jobs a second from a backlog, and the worker's share of its core. The backlog is there before the worker is."""
    await place.admin.execute("TRUNCATE bench_effects")
    await fill(count)
    async with worker(place, module, **extra_env) as pid:
        await place.emptied(WARM_UP)
        before, cpu, began = await place.admin.fetchval("SELECT count(*) FROM bench_effects"), cpu_s(pid), time.time()
        ended = await place.emptied(count)
        used = cpu_s(pid) - cpu
        done = await place.admin.fetchval("SELECT count(*) FROM bench_effects")
    return (done - before) / (ended - began), used / (ended - began)


async def ours(place: Place, given: argparse.Namespace) -> list[Result]:
    """The ledger: enqueue to start, jobs a second."""
    tenant_ids = [await place.company(f"Company {number}") for number in range(TENANTS)]
    async with worker(place, "benchmarks.job_worker"):
        waited = await calm(place, lambda: place.defer(random.choice(tenant_ids)), given.rate, given.seconds)  # noqa: S311
    a_second, share = await rate(place, lambda count: place.backlog(tenant_ids, count), "benchmarks.job_worker", given.jobs)
    undone = await place.admin.fetchval("SELECT count(*) FROM jobs WHERE state <> 'done' OR attempts <> 1")
    return [
        Result("ringside: enqueue to start, p50", percentile(waited, 0.5), "ms"),
        Result("ringside: enqueue to start, p95", percentile(waited, 0.95), "ms", START_GOAL_MS, at_most=True),
        Result("ringside: through the ledger", a_second, "jobs/s", RATE_GOAL),
        Result("ringside: the worker's share of its core", share, "of 1"),
        Result("ringside: not done, or tried twice", undone, "jobs", 0, at_most=True),
    ]


async def flood(place: Place, given: argparse.Namespace) -> list[Result]:
    """One company's calm rate alone, beside another's flood, and beside another's long jobs."""
    quiet, loud = await place.company("Quiet"), await place.company("Loud")
    async with worker(place, "benchmarks.job_worker") as pid:
        alone = percentile(await calm(place, lambda: place.defer(quiet), given.rate, given.seconds), 0.95)
        await place.backlog([loud], given.flood_jobs)
        cpu, began = cpu_s(pid), time.monotonic()
        beside = percentile(await calm(place, lambda: place.defer(quiet), given.rate, given.seconds), 0.95)
        share = (cpu_s(pid) - cpu) / (time.monotonic() - began)
        left = await place.admin.fetchval("SELECT count(*) FROM jobs WHERE tenant_id = $1 AND state = 'ready'", loud)
        await place.admin.execute("UPDATE jobs SET state = 'dropped' WHERE tenant_id = $1 AND state = 'ready'", loud)
    async with worker(place, "benchmarks.job_worker"):
        for _ in range(given.slots * 3):
            await place.defer(loud, LONG_KIND, seconds=given.seconds)
        await asyncio.sleep(0.5)
        held = percentile(await calm(place, lambda: place.defer(quiet), given.rate, given.seconds), 0.95)
    return [
        Result("flood: calm company alone, p95", alone, "ms"),
        Result(f"flood: beside {given.flood_jobs:,} due jobs of another, p95", beside, "ms"),
        Result("flood: times the calm value", beside / alone, "times", FLOOD_GOAL, at_most=True),
        Result("flood: still due of the flood at the end", left, "jobs", 1),
        Result("flood: the worker's share of its core", share, "of 1"),
        Result("flood: beside long jobs in every slot, p95", held, "ms"),
        Result("flood: times the calm value, beside long jobs", held / alone, "times", FLOOD_GOAL, at_most=True),
    ]


async def arq(place: Place, given: argparse.Namespace, poll_delay_s: float, name: str) -> list[Result]:
    """Bare arq at this poll delay."""

    async def enqueue() -> UUID:
        job_id = uuid4()
        await place.redis.enqueue_job(jobs_arq.FUNCTION, str(job_id), _job_id=str(job_id))
        return job_id

    async def fill(count: int) -> None:
        for start in range(0, count, 50):
            await asyncio.gather(*[enqueue() for _ in range(min(50, count - start))])

    # What it starts at a poll is all until the next: at its default this takes long.
    count = min(given.jobs, 5000 if poll_delay_s < 0.1 else 2000)
    env = {"PEER_POLL_DELAY_S": str(poll_delay_s)}
    async with worker(place, "benchmarks.peers.jobs_arq", **env):
        waited = await calm(place, enqueue, given.rate, given.seconds)
    a_second, _ = await rate(place, fill, "benchmarks.peers.jobs_arq", count, **env)
    return _peer(name, waited, a_second)


async def skip_locked(place: Place, given: argparse.Namespace) -> list[Result]:
    """The loop over FOR UPDATE SKIP LOCKED."""

    async def enqueue() -> UUID:
        job_id = uuid4()
        async with place.db.acquire() as conn, conn.transaction():
            await conn.execute("INSERT INTO peer_jobs (id) VALUES ($1)", job_id)
            await conn.execute(f"NOTIFY {jobs_skip_locked.CHANNEL}")
        return job_id

    async def fill(count: int) -> None:
        await place.admin.execute("INSERT INTO peer_jobs (id) SELECT gen_random_uuid() FROM generate_series(1, $1::int)", count)
        await place.admin.execute("ANALYZE peer_jobs")

    async with worker(place, "benchmarks.peers.jobs_skip_locked"):
        waited = await calm(place, enqueue, given.rate, given.seconds)
    a_second, _ = await rate(place, fill, "benchmarks.peers.jobs_skip_locked", given.jobs)
    return _peer("SKIP LOCKED loop", waited, a_second)


def _peer(name: str, waited: list[float], a_second: float) -> list[Result]:
    return [
        Result(f"{name}: enqueue to start, p95", percentile(waited, 0.95), "ms"),
        Result(f"{name}: jobs a second", a_second, "jobs/s"),
    ]


def _ratios(mine: list[Result], peers: list[Result]) -> list[Result]:
    start, through = mine[1].value, mine[2].value
    return [
        Result(f"ringside to {peer.name}", (through if peer.unit == "jobs/s" else start) / peer.value, "times") for peer in peers
    ]


async def measure(given: argparse.Namespace) -> int:
    """Run it all; 1 when a goal was missed, else 0."""
    about = machine()
    results: list[Result] = []
    async with open_place(given.slots) as place:
        if not given.flood_only:
            results += await ours(place, given)
        if given.peer:
            peers = await arq(place, given, 0.5, "arq, its default poll")
            peers += await arq(place, given, 0.02, "arq, polling every 20 ms")
            peers += await skip_locked(place, given)
            results += [*peers, *_ratios(results, peers)]
        if given.flood or given.flood_only:
            results += await flood(place, given)
    facts = {
        "one worker process": f"{given.slots} slots",
        "calm rate": f"{given.rate:g} jobs/s for {given.seconds:g} s",
        "backlog": f"{given.jobs:,} jobs of {TENANTS} companies",
    }
    return report("Jobs", results, json_path=given.json, facts=facts, about=about)


def options(parser: argparse.ArgumentParser) -> None:
    """--peer, --flood, --flood-only, --jobs, --rate, --seconds, --slots, --flood-jobs, --json"""
    parser.add_argument("--peer", action="store_true", help="bare arq and a SKIP LOCKED loop in the same run")
    parser.add_argument("--flood", action="store_true", help="one company's jobs beside another's flood")
    parser.add_argument("--flood-only", action="store_true", help="nothing but that")
    parser.add_argument("--jobs", type=int, default=10_000, help="through the ledger from a backlog (default 10,000)")
    parser.add_argument("--rate", type=float, default=50.0, help="the calm rate, jobs a second (default 50)")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long at the calm rate (default 10)")
    parser.add_argument("--slots", type=int, default=10, help="jobs at once in the worker (default 10, which is the product's)")
    parser.add_argument("--flood-jobs", type=int, default=100_000, help="due jobs of the flooding company (default 100,000)")
    parser.add_argument("--json", metavar="FILE", help="write what was measured there as well")
