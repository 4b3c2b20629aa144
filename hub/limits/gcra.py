"""The generic cell rate algorithm (ITU-T I.371): one number for each key, the time at which it has nothing left to work off.

A process decides at once, with the meter it has. What it let through is added to the meter that all processes share in
Redis a little later (hub.limits.shared), and what comes back counts from then on.
"""

from __future__ import annotations

from hub.limits.settings import Rate

# An empty meter is forgotten this often; more of them than this are not kept.
MAX_METERS = 100_000


class Meter:
    """What one key has used. Times are the loop's, in seconds."""

    __slots__ = ("clear_at", "key", "rate", "unsent")

    def __init__(self, key: str, rate: Rate) -> None:
        self.key = key
        self.rate = rate
        self.clear_at = 0.0
        self.unsent = 0.0

    def wait_s(self, cost: float, now: float) -> float:
        """0 when `cost` units may pass now, else how long until they may. More than the burst counts as the burst."""
        rate = self.rate
        ahead = self.clear_at - now
        over = (ahead if ahead > 0 else 0.0) + min(cost, rate.burst) * rate.interval_s - rate.window_s
        return over if over > 1e-9 else 0.0

    def charge(self, cost: float, now: float) -> None:
        """Count what passed."""
        used = min(cost, self.rate.burst)
        self.clear_at = max(self.clear_at, now) + used * self.rate.interval_s
        self.unsent += used

    def left(self, now: float) -> int:
        """Whole units that may pass now."""
        ahead = max(self.clear_at - now, 0.0)
        return max(int(self.rate.burst - ahead * self.rate.per_s + 1e-6), 0)

    def learn(self, ahead_s: float, now: float) -> None:
        """All processes together are `ahead_s` seconds ahead, without what this one has let through since it told."""
        self.clear_at = max(self.clear_at, now + ahead_s + self.unsent * self.rate.interval_s)


class Meters:
    """The meters of this process, by key."""

    def __init__(self) -> None:
        self._meters: dict[str, Meter] = {}
        self.used: dict[str, Meter] = {}
        """Those with something to tell."""

    def __len__(self) -> int:
        return len(self._meters)

    def of(self, key: str, rate: Rate) -> Meter:
        """The meter of a key."""
        meter = self._meters.get(key)
        if meter is None:
            meter = self._meters[key] = Meter(key, rate)
            if len(self._meters) > MAX_METERS:
                # The one that came first has most likely nothing left to work off.
                oldest = next(iter(self._meters))
                del self._meters[oldest]
                self.used.pop(oldest, None)
        return meter

    def charge(self, meter: Meter, cost: float, now: float) -> None:
        """Count what passed, and that there is something to tell."""
        meter.charge(cost, now)
        self.used[meter.key] = meter

    def forget_clear(self, now: float) -> None:
        """Let go of the meters with nothing on them."""
        for key in [key for key, meter in self._meters.items() if meter.clear_at <= now and meter.unsent == 0.0]:
            del self._meters[key]
