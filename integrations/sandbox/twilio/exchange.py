"""The exchange: it plays each call's script, and lets either side interrupt it."""

import asyncio
import time
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any, Final

from integrations.sandbox.twilio.callbacks import Courier
from integrations.sandbox.twilio.calls import Call

_SETUP_S: Final = 0.2
_DIAL_S: Final = 0.6


class Exchange:
    """Moves calls from status to status and has the courier tell."""

    def __init__(self, courier: Courier, speed: float) -> None:
        self._courier = courier
        self._speed = speed
        self._scripts: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Stop every call where it is."""
        scripts = list(self._scripts)
        for script in scripts:
            script.cancel()
        await asyncio.gather(*scripts, return_exceptions=True)

    def dial(self, call: Call) -> None:
        """Start the script of a new call."""
        self._play(call, self._run(call))

    def answer(self, call: Call) -> bool:
        """Pick up, as the contact, now. False when there is nothing left to pick up."""
        if call.is_over or call.answered_clock is not None:
            return False
        self._interrupt(call)
        if call.events_sent == 0:
            self._courier.announce(call, "initiated")
        if call.status == "queued":
            self._ring(call)
        self._pick_up(call)
        self._play(call, self._talk(call))
        return True

    def end(self, call: Call, status: str) -> bool:
        """End a call with a final status. False when it was over already."""
        if call.is_over:
            return False
        self._interrupt(call)
        self._finish(call, status)
        return True

    def _play(self, call: Call, script: Coroutine[Any, Any, None]) -> None:
        call.script = asyncio.create_task(script)
        self._scripts.add(call.script)
        call.script.add_done_callback(self._scripts.discard)

    @staticmethod
    def _interrupt(call: Call) -> None:
        if call.script is not None:
            call.script.cancel()

    async def _run(self, call: Call) -> None:
        plan = call.plan
        await self._pass(_SETUP_S)
        self._courier.announce(call, "initiated")
        await self._pass(_DIAL_S)
        if plan.ending == "failed":
            self._finish(call, "failed")
            return
        self._ring(call)
        await self._pass(min(plan.ring_s, call.ring_limit_s))
        if plan.ending != "answered" or plan.ring_s > call.ring_limit_s:
            self._finish(call, "no-answer" if plan.ending == "answered" else plan.ending)
            return
        self._pick_up(call)
        await self._talk(call)

    async def _talk(self, call: Call) -> None:
        if call.plan.talk_s is not None:
            await self._pass(call.plan.talk_s)
            self._finish(call, "completed")

    def _ring(self, call: Call) -> None:
        call.started_at = datetime.now(UTC)
        call.move("ringing")
        self._courier.announce(call, "ringing")

    def _pick_up(self, call: Call) -> None:
        call.started_at = datetime.now(UTC)
        call.answered_clock = time.monotonic()
        call.move("in-progress")
        self._courier.announce(call, "answered")

    def _finish(self, call: Call, status: str) -> None:
        call.ended_at = datetime.now(UTC)
        call.started_at = call.started_at or call.ended_at
        if call.answered_clock is not None:
            talked_s = (time.monotonic() - call.answered_clock) * self._speed
            call.duration_s = max(1, round(talked_s))
        call.move(status)
        self._courier.announce(call, "completed")

    async def _pass(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._speed)
