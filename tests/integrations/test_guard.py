"""The single door: what it lets through, what it repeats, what it counts."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from hub.embedded import ValkeyServer
from integrations.breaker import BreakerPolicy
from integrations.budget import Budget
from integrations.errors import CircuitOpen, ProviderError, RateLimited, Rejected, Transient
from integrations.guard import Guard, RetryPolicy
from integrations.metrics import ProviderMetrics, provider_metrics
from tests.loop_clock import LIMIT_S, given_up_after
from tests.patience import PATIENCE_S

NO_WAIT = RetryPolicy(attempts=3, first_wait_s=0.001, longest_wait_s=0.5)
# Long enough for a machine that stands still now and then between two lines of a test.
BREAKER = BreakerPolicy(window_s=LIMIT_S, least_failures=3, open_s=LIMIT_S, longest_open_s=LIMIT_S)


class Provider:
    """Answers in the order it is told to, and then always well."""

    def __init__(self, *answers: Exception) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self) -> str:
        self.asked += 1
        if self.answers:
            raise self.answers.pop(0)
        return "well"


@pytest.fixture
def guard(metrics: ProviderMetrics, credential: str) -> Guard:
    return Guard("twilio", credential, None, metrics=metrics, retry=NO_WAIT, breaker=BREAKER)


Count = Callable[[str], float]


@pytest.fixture
def count(registry: CollectorRegistry) -> Count:
    def counted(result: str) -> float:
        labels = {"provider": "twilio", "operation": "do", "result": result}
        return registry.get_sample_value("ringside_provider_calls_total", labels) or 0

    return counted


async def test_an_answer_passes_and_is_counted_and_timed(guard: Guard, count: Count, registry: CollectorRegistry) -> None:
    assert await guard.call("do", Provider(), repeatable=False) == "well"

    assert count("ok") == 1
    labels = {"provider": "twilio", "operation": "do"}
    assert registry.get_sample_value("ringside_provider_call_seconds_count", labels) == 1


async def test_what_may_be_repeated_is_repeated_until_it_works(guard: Guard, count: Count) -> None:
    provider = Provider(Transient("503"), Transient("503"))

    assert await guard.call("do", provider, repeatable=True) == "well"
    assert (provider.asked, count("transient")) == (3, 2)


async def test_what_may_not_be_repeated_is_asked_once(guard: Guard) -> None:
    provider = Provider(Transient("503"))

    with pytest.raises(Transient):
        await guard.call("do", provider, repeatable=False)
    assert provider.asked == 1


async def test_a_refusal_is_not_repeated(guard: Guard) -> None:
    provider = Provider(Rejected("21211", "no number", 400))

    with pytest.raises(Rejected):
        await guard.call("do", provider, repeatable=True)
    assert provider.asked == 1


async def test_a_last_failure_comes_through_with_its_place(guard: Guard) -> None:
    with pytest.raises(Transient) as failed:
        await guard.call("do", Provider(*[Transient("503") for _ in range(3)]), repeatable=True)

    assert (failed.value.provider, failed.value.operation) == ("twilio", "do")
    assert str(failed.value) == "twilio do: 503"
    assert str(ProviderError("alone")) == "alone"


async def test_a_silent_provider_is_given_up_and_may_have_acted(metrics: ProviderMetrics, count: Count) -> None:
    guard = Guard("twilio", "c", None, timeout_s=0.05, metrics=metrics)

    with pytest.raises(Transient) as failed:
        await guard.call("do", asyncio.Event().wait, repeatable=False)

    assert failed.value.ambiguous
    assert count("timeout") == 1


async def test_enough_failures_open_the_breaker_and_the_provider_is_left_alone(
    guard: Guard, count: Count, registry: CollectorRegistry
) -> None:
    provider = Provider(*[Transient("503") for _ in range(3)])
    for _ in range(3):
        with pytest.raises(Transient):
            await guard.call("do", provider, repeatable=False)

    with pytest.raises(CircuitOpen) as refused:
        await guard.call("do", provider, repeatable=True)

    assert provider.asked == 3
    assert LIMIT_S - PATIENCE_S < refused.value.retry_after <= LIMIT_S
    assert count("circuit_open") == 1
    breakers = {state: {"provider": "twilio", "state": state} for state in ("closed", "half_open", "open")}
    found = {state: registry.get_sample_value("ringside_provider_breakers", labels) for state, labels in breakers.items()}
    assert found == {"closed": 0, "half_open": 0, "open": 1}


@pytest.mark.parametrize(
    "answer",
    [Rejected("20404", "none", 404), Rejected("20003", "who?", 401), Rejected("x", "no", 403), RateLimited("slow", 1.0)],
)
async def test_refusals_and_rate_limits_do_not_open_the_breaker(guard: Guard, answer: ProviderError) -> None:
    for _ in range(10):
        with pytest.raises(type(answer)):
            await guard.call("do", Provider(answer), repeatable=False)

    assert await guard.call("do", Provider(), repeatable=False) == "well"


async def test_credential_faults_are_counted_apart_and_the_secret_is_nowhere(
    guard: Guard, credential: str, count: Count, registry: CollectorRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Rejected) as refused:
        await guard.call("do", Provider(Rejected("20003", "who?", 401)), repeatable=True)

    assert refused.value.is_credential_fault
    assert count("credential_refused") == 1
    assert registry.get_sample_value("ringside_provider_credential_faults_total", {"provider": "twilio"}) == 1
    assert guard.credential_key in caplog.text
    assert credential not in caplog.text + guard.credential_key + str(vars(guard))


async def test_a_short_retry_after_is_waited_for_and_a_long_one_is_handed_on(guard: Guard) -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()
    assert await guard.call("do", Provider(RateLimited("slow", 0.1)), repeatable=True) == "well"
    assert loop.time() - started >= 0.1

    provider = Provider(RateLimited("slow", 30.0))
    with pytest.raises(RateLimited) as limited:
        await guard.call("do", provider, repeatable=True)
    assert (limited.value.retry_after, provider.asked) == (30.0, 1)


async def test_a_429_holds_back_the_others_with_that_budget(metrics: ProviderMetrics, count: Count) -> None:
    budgets = {"do": Budget(per_s=100.0, longest_wait_s=1.0)}
    guard = Guard("twilio", "c", None, metrics=metrics, budgets=budgets)
    with pytest.raises(RateLimited):
        await guard.call("do", Provider(RateLimited("slow", LIMIT_S)), repeatable=False)

    provider = Provider()
    with pytest.raises(RateLimited) as refused:
        await guard.call("do", provider, repeatable=False)

    assert provider.asked == 0
    assert refused.value.retry_after is not None and LIMIT_S - PATIENCE_S < refused.value.retry_after <= LIMIT_S
    assert not refused.value.ambiguous
    assert count("over_budget") == 1


async def test_an_error_of_our_own_passes_untouched_and_says_nothing_about_the_provider(guard: Guard, count: Count) -> None:
    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            await guard.call("do", Provider(ZeroDivisionError()), repeatable=True)

    assert count("error") == 5
    assert await guard.call("do", Provider(), repeatable=False) == "well"


async def test_a_cancelled_probe_gives_its_lease_back(
    redis: Redis, metrics: ProviderMetrics, credential: str, count: Count
) -> None:
    policy = BreakerPolicy(least_failures=1, open_s=0.01)
    # The lease lasts as long as a call may: nobody gets another one before that.
    guard = Guard("twilio", credential, redis, timeout_s=LIMIT_S, metrics=metrics, breaker=policy, redis_timeout_s=PATIENCE_S)
    with pytest.raises(Transient):
        await guard.call("do", Provider(Transient("503")), repeatable=False)
    await asyncio.sleep(0.02)
    begun = asyncio.Event()

    async def forever() -> None:
        begun.set()
        await asyncio.Event().wait()

    probing = asyncio.create_task(guard.call("do", forever, repeatable=False))
    await begun.wait()
    with pytest.raises(CircuitOpen):
        await guard.call("do", Provider(), repeatable=False)
    probing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probing

    assert await guard.call("do", Provider(), repeatable=False) == "well"
    assert count("interrupted") == 1


async def test_two_workers_share_what_they_know_of_a_credential(redis: Redis, metrics: ProviderMetrics, credential: str) -> None:
    def worker(secret: str) -> Guard:
        return Guard("twilio", secret, redis, metrics=metrics, breaker=BREAKER, redis_timeout_s=PATIENCE_S)

    here, there, another = worker(credential), worker(credential), worker(credential + "2")
    for guard in (here, there, here):
        with pytest.raises(Transient):
            await guard.call("do", Provider(Transient("503")), repeatable=False)

    with pytest.raises(CircuitOpen):
        await there.call("do", Provider(), repeatable=False)
    assert await another.call("do", Provider(), repeatable=False) == "well"


async def test_a_redis_that_dies_fails_no_call_and_its_last_word_counts_until_it_is_back(
    valkey: ValkeyServer, metrics: ProviderMetrics, credential: str, registry: CollectorRegistry
) -> None:
    async with Redis.from_url(valkey.url) as redis:
        guard = Guard("twilio", credential, redis, metrics=metrics, breaker=BREAKER, redis_timeout_s=PATIENCE_S, redis_rest_s=0.0)
        assert await guard.call("do", Provider(), repeatable=False) == "well"

        valkey.kill()
        assert await guard.call("do", Provider(), repeatable=False) == "well"
        assert (registry.get_sample_value("ringside_provider_shared_state_failures_total", {"provider": "twilio"}) or 0) > 0
        valkey.restart()

        for _ in range(3):
            with pytest.raises(Transient):
                await guard.call("do", Provider(Transient("503")), repeatable=False)
        valkey.kill()
        with pytest.raises(CircuitOpen):
            await guard.call("do", Provider(), repeatable=False)


async def test_a_redis_that_never_answers_costs_a_moment_and_only_now_and_then(
    metrics: ProviderMetrics, registry: CollectorRegistry
) -> None:
    asked: list[bytes] = []

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while said := await reader.read(65_536):
            asked.append(said)
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    async with Redis(host="127.0.0.1", port=server.sockets[0].getsockname()[1]) as redis:
        budgets = {"do": Budget(per_s=1000.0)}
        guard = Guard("twilio", "c", redis, metrics=metrics, budgets=budgets, redis_timeout_s=LIMIT_S, redis_rest_s=LIMIT_S)
        first = guard.call("do", Provider(), repeatable=False)
        assert await given_up_after(LIMIT_S, first, lambda: asked) == "well"
        for _ in range(19):
            assert await guard.call("do", Provider(), repeatable=False) == "well"
    # One wait for all of them, as long as it is to be at most.
    assert len(asked) == registry.get_sample_value("ringside_provider_shared_state_failures_total", {"provider": "twilio"}) == 1
    server.close()


async def test_the_metrics_of_a_registry_are_made_once(registry: CollectorRegistry) -> None:
    assert provider_metrics(registry) is provider_metrics(registry)
    assert provider_metrics() is Guard("twilio", "c", None)._metrics


async def test_any_awaitable_maker_will_do(guard: Guard) -> None:
    def made() -> Awaitable[int]:
        return asyncio.sleep(0, result=7)

    assert await guard.call("do", made, repeatable=True) == 7
