"""Clocks that are put forward by hand: a limit is met without waiting for it, however slow the machine is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tests.harness import until

T = TypeVar("T")

# Longer than any patience: where this limit is met, it was not by waiting.
LIMIT_S = 3600.0


class Clock:
    """What a module of the product has instead of `time`: `monkeypatch.setattr("hub.limits.doorman.time", Clock())`."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def time(self) -> float:
        """The time of day."""
        return time.time() + self.ahead_s

    def monotonic(self) -> float:
        """A moment."""
        return time.monotonic() + self.ahead_s


def let_pass(seconds: float) -> None:
    """So much time passes at once, for all that the running loop has under way."""
    loop = asyncio.get_running_loop()
    before = loop.time
    setattr(loop, "time", lambda: before() + seconds)  # noqa: B010  (mypy takes no assignment to a method)


async def given_up_after(limit_s: float, asking: Coroutine[Any, Any, T], is_held: Callable[[], object]) -> T:
    """What comes of a question when the other side holds it until the limit is over. Fails unless it is given up then."""

    async def held() -> bool:
        return asked.done() or bool(is_held())

    async def given_up() -> bool:
        return asked.done()

    asked = asyncio.create_task(asking)
    try:
        await until(held)
        assert not asked.done(), f"it came to an end before the limit: {asked}"
        let_pass(limit_s)
        await until(given_up)
        return await asked
    finally:
        asked.cancel()
