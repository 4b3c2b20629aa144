"""A second of the product's own time, counted in the beats of what it does again and again.

What is promised within a second is kept by a pulse that beats twice in one. On a machine that stands still now and then a
watch on the wall tells how long that took; the beats tell whether the product does what it promises.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from hub.realtime.pulse import Pulse
from tests.patience import PATIENCE_S, next_look_s


async def within_a_second(pulse: Pulse, look: Callable[[], Any]) -> Any:
    """The first true result of `look`. It must come by the last beat of a second, besides the one that is under way now."""
    assert pulse.every_s <= 0.5, "a change that just misses a beat waits for the next, and that must be done in time as well"
    last = pulse.beats + 1 + round(1 / pulse.every_s)
    began = time.monotonic()
    while True:
        is_over = pulse.beats >= last
        found = look()
        if isinstance(found, Awaitable):
            found = await found
        if found:
            return found
        assert not is_over, f"not so by the end of a second: {pulse.name} has done its work {1 / pulse.every_s:g} times since"
        waited_s = time.monotonic() - began
        assert waited_s < PATIENCE_S, f"{pulse.name} does not beat: {pulse.beats}"
        await asyncio.sleep(next_look_s(waited_s))


async def whole_beats(pulse: Pulse, number: int = 1) -> None:
    """Wait until so many beats that begin after this have ended."""
    last, began = pulse.beats + 1 + number, time.monotonic()
    while pulse.beats < last:
        waited_s = time.monotonic() - began
        assert waited_s < PATIENCE_S, f"{pulse.name} does not beat: {pulse.beats}"
        await asyncio.sleep(next_look_s(waited_s))
