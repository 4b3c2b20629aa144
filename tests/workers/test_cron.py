"""Periodic duties."""

from __future__ import annotations

from hub.embedded import ValkeyServer
from tests.conftest import TestDatabase
from tests.workers.kit import eventually, working
from workers.cron import Duty, duty
from workers.job import Deps


async def test_a_duty_is_done_by_one_worker_at_a_time_and_a_failing_one_is_tried_again(
    database: TestDatabase, valkey: ValkeyServer
) -> None:
    inside, most, times = 0, 0, 0

    @duty(every_s=0.01)
    async def count(deps: Deps) -> None:
        nonlocal inside, most, times
        inside, most, times = inside + 1, max(most, inside + 1), times + 1
        try:
            async with deps.db.acquire() as conn:
                await conn.execute("SELECT pg_sleep(0.005)")
        finally:  # also when its worker stops in the middle
            inside -= 1
        if times == 2:
            raise RuntimeError("a slip")

    async def enough() -> bool:
        return times > 10

    async with working(database, valkey.url, duties=[count]), working(database, valkey.url, duties=[count]):
        await eventually(enough, "the duty was done ten times")
    assert most == 1


def test_a_duty_is_named_after_its_function() -> None:
    @duty(every_s=1)
    async def sweep_up(_deps: Deps) -> None: ...

    assert isinstance(sweep_up, Duty) and sweep_up.name == "sweep_up"
