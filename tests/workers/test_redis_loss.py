"""Lose Redis and jobs become slower, never wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path

from redis.asyncio import Redis

from hub.db import Database
from hub.embedded import ValkeyServer
from hub.queue import ring_key
from tests.conftest import Company, TestDatabase
from tests.patience import PATIENCE_S
from tests.workers.kit import Ground, defer, defer_at_once, eventually, note, until_heard, working
from workers.job import Run, job


@job("test.note")
async def take_note(run: Run) -> None:
    async with run.finish() as tx:
        await note(tx, run.job, "done")


async def test_a_job_runs_without_a_redis_there_ever_was(
    database: TestDatabase, ground: Ground, db: Database, acme: Company, tmp_path: Path
) -> None:
    async with working(database, f"unix://{tmp_path}/nobody.sock", take_note):
        ids = [await defer(db, acme, "test.note") for _ in range(30)]
        for job_id in ids:
            await ground.until_state(job_id, "done")
    assert len(await ground.effects()) == 30


async def test_a_job_deferred_after_redis_was_killed_runs(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company
) -> None:
    async with working(database, valkey.url, take_note) as worker:
        await until_heard(valkey, worker.name)
        valkey.kill()
        await ground.until_state(await defer(hinting_db, acme, "test.note"), "done")
    assert await ground.effects() == ["done"]


async def test_a_job_under_way_when_redis_is_killed_ends_once(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    @job("test.slow")
    async def slow(run: Run) -> None:
        begun.set()
        await go_on.wait()
        async with run.finish() as tx:
            await note(tx, run.job, "done")

    async with working(database, valkey.url, slow, take_note):
        job_id = await defer(hinting_db, acme, "test.slow")
        await asyncio.wait_for(begun.wait(), PATIENCE_S)
        valkey.kill()
        await ground.until_state(await defer(hinting_db, acme, "test.note"), "done")
        go_on.set()
        row = await ground.until_state(job_id, "done")
    assert row["attempts"] == 1
    assert await ground.effects(job_id) == ["done"]


async def test_jobs_whose_hints_were_flushed_run(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company
) -> None:
    ids = [await defer(hinting_db, acme, "test.note") for _ in range(20)]
    redis = Redis.from_url(valkey.url)

    async def queued() -> bool:
        waiting: int = await redis.llen(ring_key(acme.tenant_id))
        return waiting == 20

    await eventually(queued, "the hints are in Redis")
    await redis.flushall()
    await redis.aclose()
    async with working(database, valkey.url, take_note):
        for job_id in ids:
            await ground.until_state(job_id, "done")
    assert len(await ground.effects()) == 20


async def test_a_failed_job_whose_hint_was_lost_is_tried_again(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company
) -> None:
    @job("test.fails", backoff_s=0.3)
    async def fail(run: Run) -> None:
        if run.job.attempts == 1:
            valkey.restart()
            raise RuntimeError("a slip")

    async with working(database, valkey.url, fail):
        row = await ground.until_state(await defer(hinting_db, acme, "test.fails"), "done", "dead")
    assert (row["state"], row["attempts"]) == ("done", 2)


async def test_the_queue_is_heard_again_after_redis_restarts(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company
) -> None:
    async with working(database, valkey.url, take_note) as worker:
        for _ in range(3):
            await until_heard(valkey, worker.name)
            valkey.kill()
            await ground.until_state(await defer(hinting_db, acme, "test.note"), "done")
            valkey.restart()
        await until_heard(valkey, worker.name)
        # The server's hints find Redis again as well: only a hint starts a job this soon after its commit.
        started_by_hint = 0

        async def soon() -> bool:
            nonlocal started_by_hint
            row = await ground.until_state(await defer(hinting_db, acme, "test.note"), "done")
            waited: float = (row["started_at"] - row["created_at"]).total_seconds()
            started_by_hint += waited < 0.15
            return started_by_hint >= 3

        await eventually(soon, "hints start jobs again")
    assert set(await ground.effects()) == {"done"}
    assert await ground.conn.fetchval("SELECT max(attempts) FROM jobs") == 1


async def test_nothing_is_done_twice_while_redis_comes_and_goes_under_two_workers(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company
) -> None:
    async with working(database, valkey.url, take_note), working(database, valkey.url, take_note):
        ids = []
        for round_ in range(6):
            ids += await defer_at_once(hinting_db, "test.note", *[acme] * 20)
            if round_ % 2:
                await asyncio.to_thread(valkey.restart)
            else:
                await asyncio.to_thread(valkey.kill)
        for job_id in ids:
            await ground.until_state(job_id, "done")
    assert await ground.effects() == ["done"] * 120
