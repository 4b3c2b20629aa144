"""What the tests of the workers share: a table of effects, a job's row as it is, a worker in this process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import orjson
from redis.asyncio import Redis

from hub.config import Settings
from hub.db import Database, Tx, tenant_tx
from hub.embedded import ValkeyServer
from hub.hints import RedisHints
from hub.sqlfiles import Statement
from tests.conftest import Company, TestDatabase
from tests.patience import PATIENCE_S, next_look_s
from workers.cron import Duty
from workers.job import Handler, Registry
from workers.ledger import Job
from workers.run import ALIVE_KEY, Crew, run_worker

T = TypeVar("T")

_EFFECT = Statement("effect", "INSERT INTO effects (job_id, attempt, note) VALUES (:job_id, :attempt, :note)")


async def make_effects_table(database: TestDatabase) -> None:
    """A table whose rows are what jobs did; it accepts the same thing twice, so that a repeat shows."""
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute(
        "CREATE TABLE effects (job_id uuid, attempt int, note text, at timestamptz DEFAULT clock_timestamp());"
        "GRANT SELECT, INSERT ON effects TO ringside_app"
    )
    await owner.close()


async def note(tx: Tx, job: Job, text: str) -> None:
    """Do something that can be seen afterwards."""
    await tx.execute(_EFFECT, job_id=job.id, attempt=job.attempts, note=text)


class Ground:
    """The database as somebody sees it whom no rule hides anything from."""

    def __init__(self, database: TestDatabase, conn: asyncpg.Connection[Any]) -> None:
        self.database = database
        self.conn = conn

    async def job(self, job_id: UUID) -> asyncpg.Record:
        """A job's row."""
        row: asyncpg.Record | None = await self.conn.fetchrow("SELECT * FROM jobs WHERE id = $1", job_id)
        assert row is not None
        return row

    async def effects(self, job_id: UUID | None = None) -> list[str]:
        """What was done, in order."""
        rows = await self.conn.fetch("SELECT note FROM effects WHERE $1::uuid IS NULL OR job_id = $1 ORDER BY at", job_id)
        return [row["note"] for row in rows]

    async def events(self, kind: str) -> list[dict[str, Any]]:
        """The logged events of a type, with their audience."""
        rows = await self.conn.fetch("SELECT audience, frame FROM events WHERE type = $1 ORDER BY seq", kind)
        return [{**orjson.loads(row["frame"]), "audience": row["audience"]} for row in rows]

    async def until_state(self, job_id: UUID, *states: str, within_s: float = PATIENCE_S) -> asyncpg.Record:
        """Wait until the job is in one of these states; its row."""

        async def look() -> asyncpg.Record | None:
            row = await self.job(job_id)
            return row if row["state"] in states else None

        row: asyncpg.Record = await eventually(look, f"the job is {' or '.join(states)}", within_s)
        return row

    async def until_effect(self, job_id: UUID, text: str, within_s: float = PATIENCE_S) -> None:
        """Wait until the job has done this."""

        async def look() -> bool:
            return text in await self.effects(job_id)

        await eventually(look, f"the job did {text!r}", within_s)

    async def run_lease_out(self, job_id: UUID) -> None:
        """As if the lease's time had passed."""
        await self.conn.execute(
            "UPDATE jobs SET lease_until = now() - interval '1 ms' WHERE id = $1 AND state = 'running'", job_id
        )

    async def make_due(self, job_id: UUID) -> None:
        """As if the pause had passed."""
        await self.conn.execute("UPDATE jobs SET run_at = now() WHERE id = $1", job_id)


@asynccontextmanager
async def open_ground(database: TestDatabase) -> AsyncIterator[Ground]:
    """The database without rules, with a table for what jobs do."""
    await make_effects_table(database)
    conn = await asyncpg.connect(database.admin_url)
    yield Ground(database, conn)
    await conn.close()


@asynccontextmanager
async def open_hinting(database: TestDatabase, redis_url: str) -> AsyncIterator[Database]:
    """The pool of a server that tells the queue of its jobs."""
    hints = RedisHints(redis_url)
    await hints.start()
    opened = await Database.open(database.app_url, notifier=hints, max_size=5)
    yield opened
    await opened.close()
    await hints.stop()


async def eventually(look: Callable[[], Awaitable[T | None]], what: str, within_s: float = PATIENCE_S) -> T:
    """Wait until `look` gives something; fail with `what` when it does not."""
    began = time.monotonic()
    while True:
        found = await look()
        if found:
            return found
        waited_s = time.monotonic() - began
        assert waited_s < within_s, f"not within {within_s} s: {what}"
        await asyncio.sleep(next_look_s(waited_s))


async def until_heard(valkey: ValkeyServer, worker: str) -> None:
    """Wait until the worker has found Redis."""
    redis = Redis.from_url(valkey.url)

    async def there() -> bool:
        return await redis.get(ALIVE_KEY + worker) is not None

    await eventually(there, "the worker hears the queue")
    await redis.aclose()


async def defer(db: Database, company: Company, kind: str, args: dict[str, Any] | None = None, **options: Any) -> UUID:
    """Commit a job."""
    async with tenant_tx(db, company.who()) as tx:
        job_id = await tx.defer(kind, args or {}, **options)
    assert job_id is not None
    return job_id


async def defer_at_once(db: Database, kind: str, *companies: Company) -> list[UUID]:
    """Commit a job for each, as many at the same time as the pool has connections: who waits for one long is sent away."""
    turns = asyncio.Semaphore(db.pool.get_max_size())

    async def one(company: Company) -> UUID:
        async with turns:
            return await defer(db, company, kind)

    return await asyncio.gather(*map(one, companies))


def environment(database_url: str, redis_url: str) -> dict[str, str]:
    """The environment of a worker."""
    return {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "RINGSIDE_SECRET": "x" * 32}


class Worker:
    """A worker in this process."""

    def __init__(self, task: asyncio.Task[None], stop: asyncio.Event, name: str, metrics_port: int) -> None:
        self.task = task
        self.stop_event = stop
        self.name = name
        self.metrics_port = metrics_port

    async def stop(self) -> None:
        """Stop it gracefully and wait for its end."""
        self.stop_event.set()
        await asyncio.wait_for(self.task, PATIENCE_S)


@asynccontextmanager
async def working(
    database: TestDatabase, redis_url: str, *handlers: Handler, duties: Sequence[Duty] = (), grace_s: float = 5.0, jobs: int = 10
) -> AsyncIterator[Worker]:
    """A worker with these handlers, for as long as the block lasts."""
    env = environment(database.app_url, redis_url) | {"RINGSIDE_WORKER_JOBS": str(jobs)}
    stop = asyncio.Event()
    started: asyncio.Future[tuple[str, int]] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(
        run_worker(
            Settings.from_env(env),
            stop=stop,
            crew=Crew(Registry(handlers), duties, grace_s),
            started=lambda name, port: started.set_result((name, port)),
        )
    )
    waiting: set[asyncio.Future[Any]] = {task, started}
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    worker = Worker(task, stop, *started.result())
    try:
        yield worker
    finally:
        await worker.stop()
