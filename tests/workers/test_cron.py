"""Periodic duties."""

from __future__ import annotations

from hub.embedded import ValkeyServer
from tests.conftest import TestDatabase
from tests.workers.kit import eventually, working
from workers.cron import Duty, duty
from workers.job import Deps
from workers.metrics import DUTIES


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


async def test_however_many_are_due_at_once_none_waits_for_a_connection_that_another_one_holds(
    database: TestDatabase, valkey: ValkeyServer
) -> None:
    done: set[str] = set()

    def one(number: int) -> Duty:
        async def look(deps: Deps) -> None:
            async with deps.db.acquire() as conn:
                await conn.execute("SELECT pg_sleep(0.005)")
            done.add(str(number))

        return Duty(f"duty_{number}", 3600.0, look)

    async def all_done() -> bool:
        return len(done) == 40

    async with working(database, valkey.url, duties=[one(number) for number in range(40)]):
        await eventually(all_done, "every duty was done")
    # Who waits in vain for a connection fails, and tries again later.
    assert not any(DUTIES.labels(f"duty_{number}", "failed")._value.get() for number in range(40))


def test_a_duty_is_named_after_its_function() -> None:
    @duty(every_s=1)
    async def sweep_up(_deps: Deps) -> None: ...

    assert isinstance(sweep_up, Duty) and sweep_up.name == "sweep_up"
