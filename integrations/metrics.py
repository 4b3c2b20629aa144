"""Prometheus metrics of the provider calls."""

from functools import cache

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

_BUCKETS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


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
        self.breaker = Gauge(
            "ringside_provider_breaker_state",
            "The circuit breaker of a credential as this process last saw it: 0 closed, 1 half-open, 2 open.",
            ["provider", "credential"],
            registry=registry,
        )
        self.credential_faults = Counter(
            "ringside_provider_credential_faults",
            "Answers that refuse the credential itself (401, 403).",
            ["provider", "credential"],
            registry=registry,
        )
        self.shared_state_failures = Counter(
            "ringside_provider_shared_state_failures",
            "Times when Redis did not answer and the breaker or the budget was decided locally.",
            ["provider"],
            registry=registry,
        )


@cache
def provider_metrics(registry: CollectorRegistry = REGISTRY) -> ProviderMetrics:
    """Return the provider metrics of `registry`; a second call returns the same ones."""
    return ProviderMetrics(registry)
