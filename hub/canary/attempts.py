"""What was tried from one canary against the other, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["closed", "open", "unchecked"]

LAYERS = ("sql", "functions", "jobs", "http", "search", "objects", "sockets", "replay", "presence", "redis")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt. `open` is a breach; `unchecked` says nothing, as what it needs was not there."""

    layer: str
    tried: str
    came_back: str
    verdict: Verdict

    @classmethod
    def judged(cls, layer: str, tried: str, came_back: str, *, breached: bool) -> Attempt:
        """An attempt that was made."""
        return cls(layer, tried, came_back, "open" if breached else "closed")

    @classmethod
    def left_out(cls, layer: str, tried: str, why: str) -> Attempt:
        """An attempt that could not be made."""
        return cls(layer, tried, why, "unchecked")


@dataclass(frozen=True, slots=True)
class Look:
    """One look at all layers, or at some of them."""

    attempts: Sequence[Attempt]

    @property
    def breaches(self) -> list[Attempt]:
        """What came through."""
        return [one for one in self.attempts if one.verdict == "open"]

    @property
    def unchecked(self) -> list[Attempt]:
        """What could not be tried."""
        return [one for one in self.attempts if one.verdict == "unchecked"]

    @property
    def is_whole(self) -> bool:
        """Was there an answer to everything?"""
        return bool(self.attempts) and not self.unchecked

    def by_layer(self) -> dict[str, Counter[str]]:
        """How many attempts of each layer came to what, in the order of the layers."""
        counted: dict[str, Counter[str]] = {layer: Counter() for layer in LAYERS}
        for one in self.attempts:
            counted.setdefault(one.layer, Counter())[one.verdict] += 1
        return {layer: counts for layer, counts in counted.items() if counts}


def leaked(text: str, secrets: Iterable[str]) -> str | None:
    """The first of these that stands in a text."""
    return next((secret for secret in secrets if secret in text), None)
