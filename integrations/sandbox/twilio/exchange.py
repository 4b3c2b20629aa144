"""The exchange: it plays each leg's script, lets either side interrupt it, and tells of every step."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from integrations.sandbox.twilio.call_fields import callback_fields
from integrations.sandbox.twilio.calls import Call, Detection, Instructions
from integrations.sandbox.twilio.courier import Courier, Letter
from integrations.sandbox.twilio.wording import now

# How long detection takes to make up its mind, by what it finds.
_HUMAN_S: Final = 2.4
_MACHINE_S: Final = 3.6
_GREETING_S: Final = 9.0

Follow = Callable[[Call, Instructions], Coroutine[Any, Any, None]]
Hook = Callable[[Call], None]


class Clock:
    """Time as the calls live it: `speed` times faster than ours."""

    def __init__(self, speed: float) -> None:
        self.speed = speed

    async def sleep(self, seconds: float) -> None:
        """Wait for so many of the calls' seconds."""
        if seconds == float("inf"):
            await asyncio.get_running_loop().create_future()
        await asyncio.sleep(seconds / self.speed)

    def later(self, seconds: float, act: Callable[[], object]) -> asyncio.TimerHandle:
        """Do something after so many of the calls' seconds."""
        return asyncio.get_running_loop().call_later(seconds / self.speed, act)

    @staticmethod
    def now() -> float:
        """Return the loop's time: our seconds, for `since`."""
        return asyncio.get_running_loop().time()

    def since(self, moment: float) -> float:
        """Return how many of the calls' seconds have passed since `moment` of the loop's clock."""
        return (self.now() - moment) * self.speed


class Exchange:
    """Moves legs from status to status and has the courier tell.

    `follow` runs a leg's instructions, `answered` and `over` are told of every leg that is picked up or ends.
    """

    def __init__(self, courier: Courier, clock: Clock) -> None:
        self._courier = courier
        self.clock = clock
        self.follow: Follow | None = None
        self.answered: list[Hook] = []
        self.over: list[Hook] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Stop every call where it is."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something that stops with the exchange."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def dial(self, call: Call) -> None:
        """Start the script of a new outgoing leg."""
        call.script = self.begin(self._run(call))

    def arrive(self, call: Call, patience_s: float) -> None:
        """Let an incoming leg ask what to do. The caller gives up after `patience_s` without an answer."""
        call.started_at = now()
        call.move("ringing")
        call.timers.append(self.clock.later(patience_s, lambda: self._give_up(call)))
        self.instruct(call, call.instructions)

    def answer(self, call: Call) -> bool:
        """Pick up, as the one who is called, now. False when there is nothing left to pick up."""
        if call.is_over or call.is_answered or call.direction == "inbound":
            return False
        self._interrupt(call)
        if call.events_sent == 0:
            self._announce(call, "initiated")
        if call.status == "queued":
            self._ring(call)
        self.pick_up(call)
        return True

    def end(self, call: Call, status: str) -> bool:
        """End a leg with a final status. False when it was over already."""
        if call.is_over:
            return False
        self._interrupt(call)
        for timer in call.timers:
            timer.cancel()
        call.timers.clear()
        self._finish(call, status)
        if call.occupation is not None:
            occupation, call.occupation = call.occupation, None
            occupation.release("participant_hung_up")
        self._stop_program(call)
        for hook in self.over:
            hook(call)
        if call.on_over is not None:
            call.on_over()
        return True

    def redirect(self, call: Call, instructions: Instructions) -> None:
        """Give a live leg other instructions. It leaves whatever it is in."""
        if call.occupation is not None:
            occupation, call.occupation = call.occupation, None
            occupation.release("participant_updated_via_api")
        call.instructions = instructions
        call.updated_at = now()
        if not call.is_over:
            self.instruct(call, instructions)

    def instruct(self, call: Call, instructions: Instructions) -> None:
        """Have a leg follow instructions from their beginning."""
        assert self.follow is not None
        self._stop_program(call)
        call.program = self.begin(self.follow(call, instructions))

    def pick_up(self, call: Call) -> None:
        """Take the leg as answered: detection, the talk time and its instructions begin."""
        call.started_at = now()
        call.answered_clock = self.clock.now()
        call.move("in-progress")
        self._announce(call, "answered")
        for limit_s in (call.plan.talk_s, call.time_limit_s or None):
            if limit_s is not None:
                call.timers.append(self.clock.later(limit_s, lambda: self.end(call, "completed")))
        for hook in self.answered:
            hook(call)
        if call.detection is None or call.detection.is_async:
            self._set_to_work(call)
        if call.detection is not None:
            self._detect(call, call.detection)

    def _set_to_work(self, call: Call) -> None:
        if call.on_answer is not None:
            call.on_answer()
        elif call.direction != "inbound":
            self.instruct(call, call.instructions)

    def _detect(self, call: Call, detection: Detection) -> None:
        found, seconds = call.plan.answered_by, _HUMAN_S
        if found == "machine_start":
            found, seconds = ("machine_end_beep", _GREETING_S) if detection.waits_for_end else (found, _MACHINE_S)

        def tell() -> None:
            call.answered_by = found
            if not detection.is_async:
                self._set_to_work(call)
                return
            fields = {
                "AccountSid": call.account_sid,
                "CallSid": call.sid,
                "AnsweredBy": found,
                "MachineDetectionDuration": str(round(seconds * 1000)),
            }
            self._courier.post(Letter(f"{call.sid}/amd", detection.callback, "amd", fields, habit=call.plan.callbacks))

        call.timers.append(self.clock.later(seconds, tell))

    def _give_up(self, call: Call) -> None:
        if not call.is_answered:
            self.end(call, "no-answer")

    @staticmethod
    def _interrupt(call: Call) -> None:
        if call.script is not None and call.script is not asyncio.current_task():
            call.script.cancel()

    @staticmethod
    def _stop_program(call: Call) -> None:
        # A program that ends its own leg has nothing left to do, and must not be cancelled on the way out.
        if call.program is not None and call.program is not asyncio.current_task():
            call.program.cancel()
        call.program = None

    async def _run(self, call: Call) -> None:
        plan = call.plan
        await self.clock.sleep(plan.setup_s)
        self._announce(call, "initiated")
        await self.clock.sleep(plan.dial_s)
        if not plan.rings:
            self.end(call, plan.ending)
            return
        self._ring(call)
        await self.clock.sleep(min(plan.ring_s, call.ring_limit_s))
        if plan.ending != "answered" or plan.ring_s > call.ring_limit_s:
            self.end(call, "no-answer" if plan.ending == "answered" else plan.ending)
            return
        self.pick_up(call)

    def _ring(self, call: Call) -> None:
        call.started_at = now()
        call.move("ringing")
        self._announce(call, "ringing")

    def _finish(self, call: Call, status: str) -> None:
        call.ended_at = now()
        call.started_at = call.started_at or call.ended_at
        if call.answered_clock is not None:
            call.duration_s = max(1, round(self.clock.since(call.answered_clock)))
        call.move(status)
        self._announce(call, "completed")

    def _announce(self, call: Call, event: str) -> None:
        if not call.status_callback.wants(event):
            return
        fields = callback_fields(call)
        if event == "initiated":
            # The resource still says queued, the callback does not.
            fields["CallStatus"] = "initiated"
        call.events_sent += 1
        self._courier.post(
            Letter(call.sid, call.status_callback, event, fields, call.deliveries, call.plan.callbacks, event == "completed")
        )
