"""What happened in a load test: requests, deliveries, errors, memory, and what follows from them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import orjson

from benchmarks import cores
from benchmarks.figures import percentile

SOCKET = "socket: "


class Asked(NamedTuple):
    """A request or a connecting, by whom, and how long the answer took."""

    at: float
    name: str
    ms: float
    kind: str


@dataclass(slots=True)
class Memory:
    """What processes hold, in MB, looked at once a second."""

    pids: Mapping[str, int]
    seen: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            for name, pid in self.pids.items():
                with contextlib.suppress(OSError):
                    self.seen.setdefault(name, []).append((time.time(), cores.resident_mb(pid)))
            await asyncio.sleep(1)

    def held(self) -> dict[str, tuple[float, float]]:
        """What each held early on and late, in MB: in the third tenth of the time (everything is there by then) and the last."""
        return {name: _early_and_late([mb for _, mb in looks]) for name, looks in self.seen.items()}


def _early_and_late(mbs: list[float]) -> tuple[float, float]:
    tenth = max(1, len(mbs) // 10)
    return percentile(mbs[2 * tenth : 3 * tenth] or mbs, 0.5), percentile(mbs[-tenth:], 0.5)


@dataclass(frozen=True, slots=True)
class Story:
    """Times are seconds since the users began; what fell into the warm-up is left out of all but the errors and the pictures."""

    began: float
    warm_up_s: float
    everything: list[Asked]
    deliveries: dict[int, Counter[int]]
    errors: list[tuple[str, int]]
    reconnected: int
    memory: Memory

    @classmethod
    def read(cls, path: Path, memory: Memory, *, warm_up_s: float) -> Story:
        """What the users wrote down."""
        said = orjson.loads(path.read_bytes())
        return cls(
            began=said["began"],
            warm_up_s=warm_up_s,
            everything=[Asked(*one) for one in said["requests"]],
            deliveries={second: Counter(dict(counts)) for second, counts in said["deliveries"]},
            errors=[(what, times) for what, times in said["errors"]],
            reconnected=said["reconnected"],
            memory=memory,
        )

    @property
    def requests(self) -> list[Asked]:
        """Those to the API that count."""
        return [one for one in self.everything if one.at >= self.warm_up_s and not one.name.startswith(SOCKET)]

    @property
    def delivered(self) -> Counter[int]:
        """How many events were so many ms late."""
        total: Counter[int] = Counter()
        for second, counts in self.deliveries.items():
            if second >= self.warm_up_s:
                total += counts
        return total

    def by_route(self) -> dict[str, list[float]]:
        """The times of each route, and of the sockets' connecting, in ms."""
        found: dict[str, list[float]] = {}
        for one in self.everything:
            if one.at >= self.warm_up_s:
                found.setdefault(one.name, []).append(one.ms)
        return found

    def by_kind(self) -> dict[str, list[float]]:
        """The times of the requests to the API by who asked, in ms."""
        found: dict[str, list[float]] = {}
        for one in self.requests:
            found.setdefault(one.kind, []).append(one.ms)
        return found

    def api_p95(self) -> float:
        """Of all requests to the API, in ms."""
        return percentile([one.ms for one in self.requests], 0.95)

    def event_p95(self) -> float:
        """From an event's time in the log to a screen, in ms."""
        return self.event_percentile(0.95)

    def event_percentile(self, share: float) -> float:
        """The lateness that so great a share of the deliveries does not exceed, in ms; NaN without any."""
        return of_counts(self.delivered, share)

    def a_second(self, seconds: float) -> float:
        """Requests to the API a second."""
        return len(self.requests) / max(1.0, seconds - self.warm_up_s)


def of_counts(counts: Mapping[int, int], share: float) -> float:
    """A percentile of values that are counted; NaN when there are none."""
    wanted, seen = share * sum(counts.values()), 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= wanted:
            return float(value)
    return float("nan")
