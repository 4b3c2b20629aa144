"""Who may go on: one decision before a request is worked on, in microseconds, from meters of this process."""

from __future__ import annotations

import asyncio
import ipaddress
import math
import random
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Literal
from uuid import UUID

from prometheus_client import Counter

from hub.errors import TooMany
from hub.limits.gcra import Meter, Meters
from hub.limits.settings import Limits, Rate

By = Literal["user", "tenant", "address", "pages", "webhooks", "connects"]
AddressLimit = Literal["address", "pages", "webhooks", "connects"]

LIMITED = Counter("ringside_limited_total", "Requests and sockets that were refused by a limit.", ["by"])

# How long a refusal is held back. Whoever asks again at once is slowed down by it, and costs little meanwhile.
_HOLD_S = 0.25
_SAID: dict[By, str] = {
    "user": "You are sending requests faster than they are taken.",
    "tenant": "Your company is sending requests faster than they are taken.",
    "address": "Too many requests come from your network.",
    "pages": "Too many requests come from your network.",
    "webhooks": "Too many webhooks come from this address.",
    "connects": "Too many connections come from your network.",
}


class Limited(TooMany):
    """Refused by a limit. `fields` are the RateLimit headers."""

    def __init__(self, by: By, wait_s: float, fields: dict[str, str] | None = None) -> None:
        retry_after_s = max(1, math.ceil(wait_s))
        super().__init__(f"{_SAID[by]} Try again in {retry_after_s} s.", retry_after_s=retry_after_s)
        self.details["limit"] = by
        self.fields = fields or {}

    @property
    def headers(self) -> dict[str, str]:
        """Retry-After and the RateLimit fields."""
        return super().headers | self.fields


class Limiter:
    """The rates by address, user and tenant."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.meters = Meters()
        self.factor_of: Callable[[UUID], float] = _the_same
        """How many times the usual rate a company has by its plan."""
        self._by_factor: dict[float, tuple[Rate, str]] = {}
        self._held = 0

    def rate_of(self, tenant_id: UUID) -> Rate:
        """A company's own rate."""
        return self._of_factor(self.factor_of(tenant_id))[0]

    def policy_of(self, tenant_id: UUID) -> str:
        """The field RateLimit-Policy of the answers to a company's members."""
        return self._of_factor(self.factor_of(tenant_id))[1]

    def _of_factor(self, factor: float) -> tuple[Rate, str]:
        found = self._by_factor.get(factor)
        if found is None:
            usual = self.limits.tenant
            rate = Rate(usual.per_s * factor, usual.burst * factor)
            policy = ", ".join(_policy(by, each) for by, each in (("user", self.limits.user), ("tenant", rate)))
            found = self._by_factor[factor] = rate, policy
        return found

    def member(self, tenant_id: UUID, user_id: UUID, cost: float) -> str:
        """Count a member's request; the field RateLimit of its answer. Raises Limited by the user or the tenant."""
        limits = self.limits
        if not limits.enforced:
            return ""
        now = time.monotonic()
        user = self.meters.of(f"ringside:limit:{{{tenant_id}:{user_id}}}", limits.user)
        rate = self.rate_of(tenant_id)
        tenant = self.meters.of(f"ringside:limit:{{{tenant_id}}}", rate)
        # What was used is a time, and means the same at the rate of another plan.
        tenant.rate = rate
        for by, meter in (("user", user), ("tenant", tenant)):
            wait_s = meter.wait_s(cost, now)
            if wait_s:
                LIMITED.labels(by).inc()
                fields = {"RateLimit-Policy": self.policy_of(tenant_id), "RateLimit": _left(by, meter, now)}
                raise Limited("user" if by == "user" else "tenant", wait_s, fields)
        self.meters.charge(user, cost, now)
        self.meters.charge(tenant, cost, now)
        # The one that will be reached first.
        if tenant.left(now) < user.left(now):
            return _left("tenant", tenant, now)
        return _left("user", user, now)

    def address(self, address: str, cost: float = 1.0, by: AddressLimit = "address") -> None:
        """Count what comes from an address without a good token. Raises Limited."""
        limits = self.limits
        if not limits.enforced:
            return
        meter = self.meter_of(network_of(address), by)
        rate, now = meter.rate, time.monotonic()
        wait_s = meter.wait_s(cost, now)
        if wait_s:
            LIMITED.labels(by).inc()
            raise Limited(by, wait_s, {"RateLimit-Policy": _policy(by, rate), "RateLimit": _left(by, meter, now)})
        self.meters.charge(meter, cost, now)

    def meter_of(self, network: str, by: AddressLimit) -> Meter:
        """The meter of a network's address."""
        rate: Rate = getattr(self.limits, by)
        return self.meters.of(f"ringside:limit:{by}:{{{network}}}", rate)

    async def hold(self, refusal: TooMany) -> bool:
        """Keep a refusal back for a moment. False when so many are held that the connection should be closed instead."""
        if self._held >= self.limits.held:
            return False
        self._held += 1
        try:
            # Not all at the same moment, or they would all come back at the same moment.
            await asyncio.sleep(min(refusal.retry_after_s, _HOLD_S * (1 + random.random())))  # noqa: S311
        finally:
            self._held -= 1
        return True


def _the_same(_tenant_id: UUID) -> float:
    return 1.0


def _policy(by: str, rate: Rate) -> str:
    # draft-ietf-httpapi-ratelimit-headers-10, section 3: the quota and the window it is for, in seconds.
    return f'"{by}";q={rate.burst:.0f};w={math.ceil(rate.window_s)}'


def _left(by: str, meter: Meter, now: float) -> str:
    # Section 4: what is left, and in how many seconds it will be the whole quota again.
    return f'"{by}";r={meter.left(now)};t={math.ceil(max(meter.clear_at - now, 0.0))}'


@lru_cache(maxsize=10_000)
def network_of(address: str) -> str:
    """What counts as one address: an IPv6 customer has a whole /64 (RFC 6177)."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.IPv6Network((parsed, 64), strict=False).network_address)
    return str(parsed)
