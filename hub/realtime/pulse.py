"""Something done again and again, and at once when asked."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from hub.realtime.metrics import TICK_FAILURES

_log = structlog.get_logger(__name__)


class Pulse:
    """Calls `action` every `every_s` seconds, one call at a time, whatever it raises."""

    def __init__(self, name: str, every_s: float, action: Callable[[], Awaitable[object]], *, timeout_s: float = 5.0) -> None:
        self.name = name
        self.every_s = every_s
        self.beats = 0
        """How many calls have come to a good end."""
        self._action = action
        self._timeout_s = timeout_s
        self._asked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._failing = False

    def start(self) -> None:
        """Begin; the first call comes at once."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"pulse-{self.name}")

    def now(self) -> None:
        """Call without waiting for the next beat."""
        self._asked.set()

    async def stop(self) -> None:
        """End, also in the middle of a call."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        while True:
            self._asked.clear()
            try:
                async with asyncio.timeout(self._timeout_s):
                    await self._action()
                self.beats += 1
                self._failing = False
            except Exception as exc:
                TICK_FAILURES.labels(self.name).inc()
                if not self._failing:
                    _log.warning("a periodic task fails; it goes on trying", task=self.name, error=str(exc) or repr(exc))
                self._failing = True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.every_s):
                    await self._asked.wait()
