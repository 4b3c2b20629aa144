"""Prometheus metrics of the provider calls."""

from __future__ import annotations

from functools import cache, partial
from typing import Protocol
from weakref import WeakSet

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

STATES = ("closed", "half_open", "open")
_BUCKETS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Watched(Protocol):
    """Whoever has a circuit breaker."""

    @property
    def state_name(self) -> str:
        """One of STATES."""


class ProviderMetrics:
    """One set of metrics on one registry. Get it with `provider_metrics`, which makes it once a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.calls = Counter(
            "ringside_provider_calls",
            "Attempts to call a provider, by how they ended.",
            ["provider", "operation", "result"],
            registry=registry,
        )
        self.seconds = Histogram(
            "ringside_provider_call_seconds",
            "How long a provider took to answer.",
            ["provider", "operation"],
            buckets=_BUCKETS,
            registry=registry,
        )
        # Counted, because a label for each credential would grow with the mailboxes.
        self.breakers = Gauge(
            "ringside_provider_breakers",
            "Credentials by the state of their circuit breaker as this process last saw it: closed, half_open, open.",
            ["provider", "state"],
            registry=registry,
        )
        self._watched: dict[str, WeakSet[Watched]] = {}
        self.credential_faults = Counter(
            "ringside_provider_credential_faults",
            "Answers that refuse the credential itself (401, 403).",
            ["provider"],
            registry=registry,
        )
        self.shared_state_failures = Counter(
            "ringside_provider_shared_state_failures",
            "Times when Redis did not answer and the breaker or the budget was decided locally.",
            ["provider"],
            registry=registry,
        )

    def watch(self, provider: str, breaker: Watched) -> None:
        """Count a breaker among those of its provider for as long as it is used."""
        if provider not in self._watched:
            watched = self._watched[provider] = WeakSet()
            for state in STATES:
                self.breakers.labels(provider, state).set_function(partial(_count, watched, state))
        self._watched[provider].add(breaker)


def _count(watched: WeakSet[Watched], state: str) -> int:
    return sum(breaker.state_name == state for breaker in list(watched))


@cache
def provider_metrics(registry: CollectorRegistry = REGISTRY) -> ProviderMetrics:
    """Return the provider metrics of `registry`; a second call returns the same ones."""
    return ProviderMetrics(registry)
