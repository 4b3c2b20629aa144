"""What the users saw, kept small: every request, and the deliveries of events counted by second and millisecond."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

# Later than this is all the same.
_LATEST_MS = 10_000


class Recorder:
    """One for all users of a process."""

    def __init__(self) -> None:
        self.began = time.time()
        self.requests: list[tuple[float, str, float, str]] = []
        self.deliveries: dict[int, Counter[int]] = {}
        self.errors: Counter[str] = Counter()
        self.connected = 0
        self.reconnected = 0

    def request(self, name: str, took_ms: float, problem: str | None, kind: str) -> None:
        """A request, of a user of this kind, that was answered, or was not."""
        self.requests.append((round(time.time() - self.began, 3), name, round(took_ms, 2), kind))
        if problem is not None:
            self.error(f"{name}: {problem}")

    def delivery(self, late_ms: float) -> None:
        """An event on a screen, so long after it happened."""
        second = int(time.time() - self.began)
        self.deliveries.setdefault(second, Counter())[min(_LATEST_MS, max(0, round(late_ms)))] += 1

    def error(self, what: str) -> None:
        """Something that should not have happened."""
        self.errors[what[:300]] += 1

    def write(self, path: Path) -> None:
        """Everything, as JSON."""
        said = {
            "began": self.began,
            "requests": self.requests,
            "deliveries": [[second, sorted(counts.items())] for second, counts in sorted(self.deliveries.items())],
            "errors": self.errors.most_common(50),
            "connected": self.connected,
            "reconnected": self.reconnected,
        }
        path.write_text(json.dumps(said))
