"""The single door: every call to a provider goes through a `Guard`.

Around each attempt stand, in this order, the circuit breaker, the rate budget, the timeout and the metrics;
around the attempts of an operation that may be repeated stands the retry. What counts as what:

    answer                      raises                       the breaker sees
    2xx                         -                            a success
    4xx                         Rejected                     a success: the provider is well
    401, 403                    Rejected, counted apart      a success: the credential is ill
    429                         RateLimited(retry_after)     nothing: it holds the budget back instead
    5xx, no answer, timeout     Transient                    a failure
"""

import asyncio
import hashlib
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from redis.asyncio import Redis
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from integrations.breaker import Breaker, BreakerPolicy, Outcome, State
from integrations.budget import Budget, Meter
from integrations.errors import CircuitOpen, ProviderError, RateLimited, Rejected, Transient
from integrations.metrics import ProviderMetrics, provider_metrics
from integrations.shared import SharedState
from integrations.spans import provider_span

log = logging.getLogger(__name__)

T = TypeVar("T")

# A probe's lease outlives the call by this much, so that it never ends while the probe still runs.
_LEASE_MARGIN_S = 2.0
# An open breaker that nobody came to for this long says nothing about its provider any more.
_FORGOTTEN_S = 300.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Up to `attempts`, with a random pause that grows from `first_wait_s` to `longest_wait_s`.

    A provider that asks for a longer pause than `longest_wait_s` is not waited for.
    """

    attempts: int = 3
    first_wait_s: float = 0.25
    longest_wait_s: float = 5.0


class Guard:
    """The door to one provider with one credential.

    `credential` may be the secret itself: it is hashed at once and kept nowhere. `timeout_s` bounds each attempt.
    `budgets` maps operations to the rate at which this credential may perform them.
    """

    def __init__(
        self,
        provider: str,
        credential: str,
        redis: Redis | None,
        *,
        timeout_s: float = 10.0,
        metrics: ProviderMetrics | None = None,
        retry: RetryPolicy | None = None,
        breaker: BreakerPolicy | None = None,
        budgets: Mapping[str, Budget] = MappingProxyType({}),
        redis_timeout_s: float = 0.2,
        redis_rest_s: float = 2.0,
    ) -> None:
        self.provider = provider
        self.credential_key = hashlib.sha256(f"{provider}\0{credential}".encode()).hexdigest()[:16]
        self.timeout_s = timeout_s
        self._metrics = metrics or provider_metrics()
        self._retry = retry or RetryPolicy()
        shared = SharedState(
            redis,
            on_failure=self._metrics.shared_state_failures.labels(provider).inc,
            answer_within_s=redis_timeout_s,
            rest_s=redis_rest_s,
        )
        name = f"{provider}:{self.credential_key}"
        self._breaker = Breaker(f"ringside:breaker:{name}", shared, breaker or BreakerPolicy())
        self._meters = {
            operation: (budget, Meter(f"ringside:budget:{name}:{operation}", shared, budget))
            for operation, budget in budgets.items()
        }
        self._state, self._seen_at = self._breaker.state, time.monotonic()
        self._metrics.watch(provider, self)

    @property
    def state_name(self) -> str:
        """The breaker's state for the metrics: closed, half_open or open. An open one that nobody came to for long is none."""
        forgotten = self._state == State.OPEN and time.monotonic() - self._seen_at > _FORGOTTEN_S
        return (State.HALF_OPEN if forgotten else self._state).name.lower()

    def _see(self) -> None:
        self._state, self._seen_at = self._breaker.state, time.monotonic()

    async def call(
        self,
        operation: str,
        fn: Callable[[], Awaitable[T]],
        *,
        repeatable: bool,
        budget: str | None = None,
        cost: float = 1.0,
    ) -> T:
        """Run `fn`, which asks the provider once and raises `Transient` or `Rejected`.

        `budget` names the operation whose budget this one spends, where that is not its own, and `cost` how much of it.
        Only a `repeatable` operation, one that may reach the provider twice without harm, is tried again.
        Raises `Transient`, `Rejected` or `CircuitOpen`, each with the provider and the operation in it.
        """
        if not repeatable:
            return await self._attempt(operation, fn, budget or operation, cost)
        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._retry.attempts),
            wait=self._pause,
            retry=retry_if_exception(self._is_worth_repeating),
            reraise=True,
        )
        return await retrying(self._attempt, operation, fn, budget or operation, cost)

    async def _attempt(self, operation: str, fn: Callable[[], Awaitable[T]], spends: str, cost: float) -> T:
        budget, meter = self._meters.get(spends, (None, None))
        lease_s = self.timeout_s + (budget.longest_wait_s if budget else 0.0) + _LEASE_MARGIN_S
        entry = await self._breaker.enter(lease_s)
        self._see()
        if not entry.allowed:
            self._count(operation, "circuit_open")
            raise CircuitOpen(entry.wait_s, provider=self.provider, operation=operation)
        outcome = Outcome.NOTHING
        try:
            if meter is not None:
                await self._wait_for_turn(operation, meter, cost)
            outcome, answer = await self._ask(operation, fn)
            if isinstance(answer, RateLimited) and meter is not None and answer.retry_after:
                await meter.hold(answer.retry_after)
        finally:
            await self._breaker.leave(entry, outcome)
            self._see()
        if isinstance(answer, ProviderError):
            raise answer
        return answer

    async def _wait_for_turn(self, operation: str, meter: Meter, cost: float) -> None:
        turn = await meter.take(cost)
        if not turn.granted:
            self._count(operation, "over_budget")
            raise RateLimited(
                f"over our own rate budget for {turn.wait_s:.1f} s",
                turn.wait_s,
                provider=self.provider,
                operation=operation,
            )
        if turn.wait_s:
            await asyncio.sleep(turn.wait_s)

    async def _ask(self, operation: str, fn: Callable[[], Awaitable[T]]) -> tuple[Outcome, T | ProviderError]:
        result = "interrupted"
        started = time.perf_counter()
        try:
            try:
                with provider_span(self.provider, operation):
                    async with asyncio.timeout(self.timeout_s):
                        answer = await fn()
            except TimeoutError as error:
                raise Transient(f"no answer within {self.timeout_s:g} s", ambiguous=True) from error
        except ProviderError as error:
            error.provider = error.provider or self.provider
            error.operation = error.operation or operation
            result, outcome = self._judge(error)
            return outcome, error
        except Exception:
            result = "error"
            raise
        else:
            result = "ok"
            return Outcome.OK, answer
        finally:
            self._count(operation, result)
            self._metrics.seconds.labels(self.provider, operation).observe(time.perf_counter() - started)

    def _judge(self, error: ProviderError) -> tuple[str, Outcome]:
        if isinstance(error, Rejected):
            if not error.is_credential_fault:
                return "rejected", Outcome.OK
            self._metrics.credential_faults.labels(self.provider).inc()
            log.error("%s refuses credential %s: %s", self.provider, self.credential_key, error)
            return "credential_refused", Outcome.OK
        if isinstance(error, RateLimited):
            return "rate_limited", Outcome.NOTHING
        return ("timeout" if isinstance(error.__cause__, TimeoutError) else "transient"), Outcome.FAILURE

    def _count(self, operation: str, result: str) -> None:
        self._metrics.calls.labels(self.provider, operation, result).inc()

    def _is_worth_repeating(self, error: BaseException) -> bool:
        return isinstance(error, Transient) and (error.retry_after or 0.0) <= self._retry.longest_wait_s

    def _pause(self, attempt: RetryCallState) -> float:
        ceiling = min(self._retry.first_wait_s * 2**attempt.attempt_number, self._retry.longest_wait_s)
        error = attempt.outcome.exception() if attempt.outcome else None
        asked = error.retry_after if isinstance(error, Transient) else None
        # Half of the pause is random: enough to spread the callers, never so little that it is none.
        return max(asked or 0.0, random.uniform(ceiling / 2, ceiling))  # noqa: S311
