"""The rate budget, alone and shared through a real Valkey."""

import asyncio

from redis.asyncio import Redis

from integrations.budget import Budget, Meter, Turn
from integrations.shared import SharedState
from tests.patience import PATIENCE_S

BUDGET = Budget(per_s=2.0, burst=2, longest_wait_s=1.0)
# So slow that what a busy machine loses between two lines of a test (PATIENCE_S at most) is nothing beside it.
SLOW = Budget(per_s=0.001, burst=2, longest_wait_s=2_000.0)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def state(redis: Redis | None) -> SharedState:
    return SharedState(redis, on_failure=lambda: None, answer_within_s=PATIENCE_S)


async def test_a_burst_goes_at_once_and_the_rest_wait_their_turn_up_to_the_limit() -> None:
    clock = Clock()
    meter = Meter("unused", state(None), BUDGET, clock)

    waits = [(await meter.take()) for _ in range(5)]

    assert waits == [Turn(True, 0), Turn(True, 0), Turn(True, 0.5), Turn(True, 1.0), Turn(False, 1.5)]
    clock.now += 2.0
    assert await meter.take() == Turn(True, 0)


async def test_a_call_may_be_worth_several() -> None:
    clock = Clock()
    meter = Meter("unused", state(None), Budget(per_s=10.0, burst=20, longest_wait_s=1.0), clock)

    assert await meter.take(15.0) == Turn(True, 0)
    assert await meter.take(5.0) == Turn(True, 0)
    dear, cheap = await meter.take(11.0), await meter.take(10.0)

    assert not dear.granted
    assert cheap == Turn(True, 1.0)
    clock.now += 3.0
    assert await meter.take(20.0) == Turn(True, 0)


async def test_what_a_call_is_worth_is_shared_too(redis: Redis, credential: str) -> None:
    meters = [Meter(f"test:budget:{credential}", state(redis), Budget(0.01, burst=100, longest_wait_s=5.0)) for _ in range(2)]

    assert (await meters[0].take(60.0)).granted
    assert not (await meters[1].take(60.0)).granted
    assert (await meters[1].take(40.0)).granted


async def test_a_refused_call_takes_no_place_in_the_line() -> None:
    meter = Meter("unused", state(None), BUDGET, Clock())
    for _ in range(4):
        await meter.take()

    refused = [await meter.take() for _ in range(3)]

    assert refused == [Turn(False, 1.5)] * 3


async def test_a_hold_keeps_everybody_waiting() -> None:
    meter = Meter("unused", state(None), BUDGET, Clock())

    await meter.hold(0.75)

    assert await meter.take() == Turn(True, 0.75)


async def test_two_processes_share_one_budget(redis: Redis, credential: str) -> None:
    meters = [Meter(f"test:budget:{credential}", state(redis), SLOW) for _ in range(2)]

    turns = await asyncio.gather(*(meters[number % 2].take() for number in range(6)))

    assert [turn.granted for turn in turns].count(True) == 4
    granted = sorted(turn.wait_s for turn in turns if turn.granted)
    assert granted[:2] == [0.0, 0.0]
    assert 1_000 - PATIENCE_S < granted[2] <= 1_000 and 2_000 - PATIENCE_S < granted[3] <= 2_000
    assert 0 < await redis.pttl(f"test:budget:{credential}") <= 5_000_000


async def test_a_hold_reaches_the_other_process(redis: Redis, credential: str) -> None:
    here, there = (Meter(f"test:budget:{credential}", state(redis), SLOW) for _ in range(2))

    await here.hold(900.0)

    turn = await there.take()
    assert turn.granted and 900 - PATIENCE_S < turn.wait_s <= 900
