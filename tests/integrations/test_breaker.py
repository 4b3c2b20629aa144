"""The circuit breaker, alone and shared through a real Valkey."""

import asyncio
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis

from integrations.breaker import Breaker, BreakerPolicy, Entry, LocalBreaker, Outcome, State
from integrations.shared import SharedState
from tests.loop_clock import LIMIT_S
from tests.patience import PATIENCE_S

POLICY = BreakerPolicy(window_s=10.0, least_failures=3, ratio=0.5, open_s=5.0, longest_open_s=15.0)
# Valkey's clock can't be put forward. Its times are so long that none of them is over before a test says so (`let_it_be_due`),
# however long a busy machine takes between two lines.
SHARED = BreakerPolicy(window_s=1_000.0, least_failures=3, ratio=0.5, open_s=2_000.0, longest_open_s=5_000.0)


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def fail(breaker: LocalBreaker, times: int) -> None:
    for _ in range(times):
        breaker.leave(breaker.enter(1.0).probe, Outcome.FAILURE)


class Shared:
    """Two processes' breakers of one credential."""

    def __init__(self, redis: Redis | None, key: str, policy: BreakerPolicy) -> None:
        self.failures = 0
        states = [SharedState(redis, on_failure=self._count, answer_within_s=PATIENCE_S, rest_s=LIMIT_S) for _ in range(2)]
        self.here, self.there = (Breaker(f"test:breaker:{key}", state, policy) for state in states)

    def _count(self) -> None:
        self.failures += 1


async def fail_in_turns(shared: Shared, times: int = 3) -> None:
    for number in range(times):
        breaker = (shared.here, shared.there)[number % 2]
        await breaker.leave(await breaker.enter(1.0), Outcome.FAILURE)


async def let_it_be_due(redis: Redis, key: str, field: str = "until") -> None:
    """Let the shared breaker's pause be over now, or the lease of its probe (`probe_until`)."""
    assert await redis.hset(f"test:breaker:{key}", field, "0") == 0, "there was such a time"  # type: ignore[misc]


# Alone


def test_too_many_failures_in_the_window_open_it_for_a_while() -> None:
    clock = Clock()
    breaker = LocalBreaker(POLICY, clock)

    fail(breaker, 2)
    assert breaker.enter(1.0).allowed
    fail(breaker, 1)

    assert breaker.enter(1.0) == Entry(False, State.OPEN, 5.0)


def test_failures_that_are_old_or_few_among_successes_do_not_open_it() -> None:
    clock = Clock()
    breaker = LocalBreaker(POLICY, clock)

    fail(breaker, 2)
    clock.now += 10.0
    fail(breaker, 2)
    for _ in range(5):
        breaker.leave("", Outcome.OK)
    fail(breaker, 1)

    assert breaker.state is State.CLOSED


def test_a_half_open_breaker_lets_one_probe_through_and_closes_with_its_success() -> None:
    clock = Clock()
    breaker = LocalBreaker(POLICY, clock)
    fail(breaker, 3)
    clock.now += 5.0

    probe = breaker.enter(lease_s=2.0)
    assert probe.allowed and probe.probe
    assert breaker.enter(2.0) == Entry(False, State.HALF_OPEN, 2.0)
    breaker.leave("", Outcome.OK)
    assert breaker.state is State.HALF_OPEN
    breaker.leave(probe.probe, Outcome.OK)

    assert breaker.enter(1.0) == Entry(True, State.CLOSED)


def test_failed_probes_keep_it_open_for_longer_each_time_up_to_a_limit() -> None:
    clock = Clock()
    breaker = LocalBreaker(POLICY, clock)
    fail(breaker, 3)

    for expected in (10.0, 15.0, 15.0):
        clock.now += breaker.enter(1.0).wait_s
        breaker.leave(breaker.enter(1.0).probe, Outcome.FAILURE)
        assert breaker.enter(1.0).wait_s == expected


def test_a_probe_that_says_nothing_or_never_returns_makes_room_for_the_next() -> None:
    clock = Clock()
    breaker = LocalBreaker(POLICY, clock)
    fail(breaker, 3)
    clock.now += 5.0

    breaker.leave(breaker.enter(2.0).probe, Outcome.NOTHING)
    lost = breaker.enter(2.0)
    assert lost.allowed
    clock.now += 2.0
    next_one = breaker.enter(2.0)
    assert next_one.allowed
    breaker.leave(lost.probe, Outcome.OK)
    assert breaker.state is State.HALF_OPEN


# Shared


async def test_the_failures_of_several_processes_add_up(redis: Redis, credential: str) -> None:
    shared = Shared(redis, credential, SHARED)

    await fail_in_turns(shared)

    for breaker in (shared.here, shared.there):
        entry = await breaker.enter(1.0)
        assert not entry.allowed and SHARED.open_s - PATIENCE_S < entry.wait_s <= SHARED.open_s
        assert breaker.state is State.OPEN


async def test_successes_count_against_failures_everywhere(redis: Redis, credential: str) -> None:
    shared = Shared(redis, credential, SHARED)
    for _ in range(4):
        await shared.there.leave(await shared.there.enter(1.0), Outcome.OK)

    await fail_in_turns(shared)

    assert (await shared.here.enter(1.0)).allowed
    await shared.here.leave(await shared.here.enter(1.0), Outcome.FAILURE)
    assert not (await shared.there.enter(1.0)).allowed


async def test_of_fifty_callers_in_two_processes_one_gets_the_probe(redis: Redis, credential: str) -> None:
    shared = Shared(redis, credential, SHARED)
    await fail_in_turns(shared)
    await let_it_be_due(redis, credential)

    entries = await asyncio.gather(*((shared.here, shared.there)[n % 2].enter(LIMIT_S) for n in range(50)))

    [probe] = [entry for entry in entries if entry.allowed]
    assert probe.state is State.HALF_OPEN
    await shared.here.leave(probe, Outcome.OK)
    assert await shared.there.enter(1.0) == Entry(True, State.CLOSED)
    assert shared.there.state is State.CLOSED


async def test_a_shared_failed_probe_doubles_the_wait_up_to_the_limit(redis: Redis, credential: str) -> None:
    shared = Shared(redis, credential, SHARED)
    await fail_in_turns(shared)

    for expected_ms in (4_000_000, 5_000_000, 5_000_000):
        await let_it_be_due(redis, credential)
        await shared.there.leave(await shared.there.enter(LIMIT_S), Outcome.FAILURE)
        assert await redis.hget(f"test:breaker:{credential}", "open") == b"%d" % expected_ms  # type: ignore[misc]
        assert expected_ms / 1000 - PATIENCE_S < (await shared.here.enter(LIMIT_S)).wait_s <= expected_ms / 1000


async def test_a_shared_probe_that_says_nothing_or_dies_makes_room_for_the_next(redis: Redis, credential: str) -> None:
    shared = Shared(redis, credential, SHARED)
    await fail_in_turns(shared)

    await let_it_be_due(redis, credential)
    await shared.here.leave(await shared.here.enter(LIMIT_S), Outcome.NOTHING)
    dead = await shared.there.enter(LIMIT_S)
    assert dead.allowed and dead.probe
    assert not (await shared.here.enter(LIMIT_S)).allowed

    await let_it_be_due(redis, credential, "probe_until")

    after = await shared.here.enter(LIMIT_S)
    assert after.allowed and after.probe not in ("", dead.probe)


async def test_a_late_answer_does_not_close_an_open_breaker(redis: Redis, credential: str) -> None:
    shared = Shared(redis, credential, SHARED)
    late = await shared.here.enter(1.0)
    await fail_in_turns(shared)

    await shared.here.leave(late, Outcome.OK)

    assert not (await shared.there.enter(1.0)).allowed


async def test_another_credential_is_not_touched_and_nothing_is_kept_for_ever(redis: Redis, credential: str) -> None:
    shared, other = Shared(redis, credential, SHARED), Shared(redis, credential + "2", SHARED)

    await fail_in_turns(shared)
    await fail_in_turns(other, times=1)

    assert (await other.here.enter(1.0)).allowed
    # An open breaker for as long as it is open at the longest after that, a closed one for two windows.
    for key, kept_s in ((credential, SHARED.open_s + SHARED.longest_open_s), (credential + "2", 2 * SHARED.window_s)):
        assert 0 < await redis.pttl(f"test:breaker:{key}") <= kept_s * 1000


async def test_old_failures_leave_the_shared_window(redis: Redis, credential: str) -> None:
    shared = Shared(redis, credential, BreakerPolicy(window_s=10.0, least_failures=2))
    slot = int((await redis.time())[0])
    await redis.hset(f"test:breaker:{credential}", mapping={f"t{slot - 10}": 1, f"f{slot - 10}": 1})  # type: ignore[misc]

    await fail_in_turns(shared, times=1)

    assert (await shared.here.enter(1.0)).allowed
    assert await redis.hlen(f"test:breaker:{credential}") == 2  # type: ignore[misc]


@pytest.mark.parametrize("redis_client", [None, Redis(host="127.0.0.1", port=1)])
async def test_without_redis_each_process_decides_for_itself(redis_client: Redis | None, credential: str) -> None:
    shared = Shared(redis_client, credential, SHARED)

    for _ in range(3):
        await shared.here.leave(await shared.here.enter(1.0), Outcome.FAILURE)

    assert not (await shared.here.enter(1.0)).allowed
    assert (await shared.there.enter(1.0)).allowed
    assert shared.failures == (2 if redis_client else 0)
