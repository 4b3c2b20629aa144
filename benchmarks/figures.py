"""Figures as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of them do not exceed (nearest rank). NaN when there are none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity in ms, and the goal for its p95 where there is one."""

    name: str
    values_ms: Sequence[float]
    goal_ms: float | None = None

    def line(self) -> str:
        """One line of the table."""
        p50, p95, worst = (percentile(self.values_ms, share) for share in (0.5, 0.95, 1.0))
        verdict = ""
        if self.goal_ms is not None:
            verdict = f"  goal p95 {self.goal_ms:.0f}: {'met' if p95 <= self.goal_ms else 'MISSED'}"
        return f"{self.name:<58} n {len(self.values_ms):>6}  p50 {p50:8.1f}  p95 {p95:8.1f}  worst {worst:8.1f} ms{verdict}"
