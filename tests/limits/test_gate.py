"""Turns at the database."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from hub.errors import TooMany, Unavailable
from hub.limits.gate import Gate
from tests.loop_clock import LIMIT_S, let_pass


@pytest.fixture(autouse=True)
def standing_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has come is about until the end of the test, however long that takes."""
    monkeypatch.setattr("hub.limits.gate.time", SimpleNamespace(monotonic=lambda: 1000.0))


class Crowd:
    """Requests that hold their slot until they are told to let go."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.inside: list[str] = []
        self._ends: dict[str, list[asyncio.Event]] = {}
        self.tasks: list[asyncio.Task[None]] = []

    async def come(self, group: str, count: int = 1) -> None:
        """So many requests of a group."""
        for _ in range(count):
            self.tasks.append(asyncio.create_task(self._hold(group)))
        await self.settle()

    async def go(self, group: str, count: int = 1) -> None:
        """So many of them end."""
        for _ in range(count):
            self._ends[group].pop(0).set()
            self.inside.remove(group)
        await self.settle()

    async def settle(self) -> None:
        """Let everybody do what they can."""
        for _ in range(10):
            await asyncio.sleep(0)

    async def _hold(self, group: str) -> None:
        end = asyncio.Event()
        async with self._gate.turn(group):
            self.inside.append(group)
            self._ends.setdefault(group, []).append(end)
            await end.wait()


async def end(crowd: Crowd) -> None:
    """Everybody goes."""
    for task in crowd.tasks:
        task.cancel()
    await asyncio.gather(*crowd.tasks, return_exceptions=True)


async def test_one_company_alone_gets_all_but_the_reserve_and_another_finds_a_slot_at_once() -> None:
    gate = Gate(8, reserve=2, queue=100)
    crowd = Crowd(gate)
    await crowd.come("flood", 50)
    assert crowd.inside.count("flood") == 6
    await crowd.come("calm")
    assert crowd.inside.count("calm") == 1
    await end(crowd)
    assert gate.running == 0


async def test_slots_that_come_free_go_to_whoever_has_less() -> None:
    crowd = Crowd(Gate(8, reserve=2, queue=100, share=4))
    await crowd.come("flood", 50)
    await crowd.come("calm", 4)
    assert crowd.inside.count("calm") == 2  # the reserve
    await crowd.go("flood", 3)
    assert (crowd.inside.count("flood"), crowd.inside.count("calm")) == (4, 4)
    await crowd.come("calm", 4)
    await crowd.go("flood")
    assert (crowd.inside.count("flood"), crowd.inside.count("calm")) == (4, 4)  # to each its share, and no more
    await end(crowd)


async def test_a_queue_that_is_too_long_is_refused_and_one_that_does_not_move_ends() -> None:
    gate = Gate(2, reserve=1, queue=1, wait_s=LIMIT_S)
    crowd = Crowd(gate)
    await crowd.come("flood")
    await crowd.come("flood")
    with pytest.raises(TooMany):
        await gate.turn("flood").__aenter__()
    let_pass(LIMIT_S)
    with pytest.raises(Unavailable):
        await crowd.tasks[1]
    await crowd.go("flood")
    assert gate.running == 0
    await end(crowd)


async def test_who_gives_up_while_waiting_takes_no_slot_along() -> None:
    gate = Gate(2, reserve=1, queue=9)
    crowd = Crowd(gate)
    await crowd.come("a", 3)
    crowd.tasks[1].cancel()
    await crowd.go("a")
    assert crowd.inside == ["a"]
    await crowd.go("a")
    assert gate.running == 0
    await end(crowd)
