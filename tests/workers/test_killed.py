"""A worker that dies in the middle of a job costs time, and nothing else."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from hub.config import Settings
from hub.db import Database
from hub.embedded import ValkeyServer
from tests.conftest import Company, TestDatabase
from tests.patience import PATIENCE_S
from tests.workers.kit import Ground, defer, environment, eventually
from workers.job import Registry
from workers.run import Crew, run_worker


@asynccontextmanager
async def worker_process(database: TestDatabase, redis_url: str) -> AsyncIterator[Process]:
    """A worker in a process of its own, running."""
    env = {**os.environ, **environment(database.app_url, redis_url)}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.workers.process", stdout=PIPE, env=env)
    try:
        await said(process, "started")
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def said(process: Process, word: str) -> None:
    """Wait until the process says so."""
    assert process.stdout is not None
    while True:
        line = (await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)).decode()
        assert line, "the worker ended"
        if line.startswith(word):
            return


@pytest.mark.parametrize("redis_is_up", [True, False], ids=["redis up", "redis down"])
async def test_the_job_of_a_killed_worker_is_done_by_another_once(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company, redis_is_up: bool
) -> None:
    async with (
        worker_process(database, valkey.url) as first,
        worker_process(database, valkey.url) as second,
        worker_process(database, valkey.url) as third,
    ):
        if not redis_is_up:
            valkey.kill()
        second.send_signal(signal.SIGSTOP)
        third.send_signal(signal.SIGSTOP)
        # Whoever took over is the next to die.
        for dying, other, die in ((first, second, "before"), (second, third, "inside")):
            job_id = await defer(hinting_db, acme, "test.mortal", {"die": die})
            await ground.until_effect(job_id, "begun 1")
            if die == "inside":
                await said(dying, "inside")
            dying.kill()
            await dying.wait()
            # As if the time of the dead had passed: a limit short enough to wait for is one that a slow machine overruns.
            await ground.run_lease_out(job_id)
            other.send_signal(signal.SIGCONT)
            row = await ground.until_state(job_id, "done")
            assert await ground.effects(job_id) == ["begun 1", "begun 2", "effect"], die
            assert row["attempts"] == 2, die


async def test_a_job_with_beats_comes_back_soon_however_long_it_may_take(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company
) -> None:
    async with worker_process(database, valkey.url) as first:
        job_id = await defer(hinting_db, acme, "test.patient", {"die": "before"})
        await ground.until_effect(job_id, "begun 1")
        claimed = (await ground.job(job_id))["lease_until"]

        async def is_held_longer() -> bool:
            held: bool = (await ground.job(job_id))["lease_until"] > claimed
            return held

        await eventually(is_held_longer, "a beat")
        first.kill()
        async with worker_process(database, valkey.url):
            await ground.until_state(job_id, "done")
    assert await ground.effects(job_id) == ["begun 1", "begun 2", "effect"]


async def test_a_worker_process_ends_gracefully_on_sigterm(
    database: TestDatabase, ground: Ground, hinting_db: Database, valkey: ValkeyServer, acme: Company
) -> None:
    async with worker_process(database, valkey.url) as process:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0


async def test_a_worker_that_is_stopped_while_it_starts_leaves_nothing_running(
    database: TestDatabase, ground: Ground, valkey: ValkeyServer
) -> None:
    settings = Settings.from_env(environment(database.app_url, valkey.url))
    for early_ms in range(0, 30, 2):
        stop = asyncio.Event()
        # At each of these moments something else is under way: no answer of Redis yet, half of the greeting, the first poll.
        asyncio.get_running_loop().call_later(early_ms / 1000, stop.set)
        before = asyncio.all_tasks()

        await asyncio.wait_for(run_worker(settings, stop=stop, crew=Crew(Registry([]), ())), PATIENCE_S)

        assert [task for task in asyncio.all_tasks() - before if not task.done()] == []
