"""How long a job waits between its commit and its start."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from hub.db import Database
from hub.embedded import ValkeyServer
from tests.conftest import Company, TestDatabase
from tests.workers.kit import defer, eventually, working
from workers.job import Run, job

TICK_S = 0.005


class Ticks:
    """A clock that goes while this machine lets its processes run: where it stands still or is slow, so do these."""

    def __init__(self) -> None:
        self._count = 0

    def ms(self) -> float:
        """Milliseconds, never more of them than on a watch."""
        return self._count * TICK_S * 1000

    @asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        """Tick as long as the block lasts."""
        task = asyncio.create_task(self._go())
        try:
            yield
        finally:
            task.cancel()

    async def _go(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._count += 1


async def test_a_job_starts_within_moments_of_its_commit(
    database: TestDatabase, hinting_db: Database, valkey: ValkeyServer, acme: Company
) -> None:
    started: dict[UUID, float] = {}
    ticks = Ticks()

    @job("test.start")
    async def start(run: Run) -> None:
        started[run.job.id] = ticks.ms()

    async def all_started(ids: dict[UUID, float]) -> bool:
        return ids.keys() <= started.keys()

    committed: dict[UUID, float] = {}
    async with ticks.going(), working(database, valkey.url, start):
        warm_up = {await defer(hinting_db, acme, "test.start"): 0.0}
        await eventually(lambda: all_started(warm_up), "the first job started")
        for number in range(150):
            committed[await defer(hinting_db, acme, "test.start")] = ticks.ms()
            # At odd moments of arq's polling, and never two at once.
            await asyncio.sleep(0.013 + 0.0007 * (number % 17))
        await eventually(lambda: all_started(committed), "all started")
    waited_ms = sorted(started[job_id] - at for job_id, at in committed.items())
    p50, p95 = statistics.median(waited_ms), waited_ms[int(len(waited_ms) * 0.95)]
    print(f"commit to start: p50 {p50:.1f} ms, p95 {p95:.1f} ms")
    # Far above what is usual (p95 under 30 ms); arq's own default would not pass.
    assert p50 < 100
