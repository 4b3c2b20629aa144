"""A rate budget: so many calls a second for one credential, whichever process makes them.

The generic cell rate algorithm: one number, the time at which the next call would be due if every call took its
full interval. A call reserves its place in the line and then waits for it, or is turned away at once when the
wait would be too long.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from integrations.shared import SharedState

# KEYS[1] the due time; ARGV: what (take | hold), interval, tolerance, longest wait, hold (milliseconds), how many calls' worth.
# Returns {1 or 0, milliseconds to wait}.
_SCRIPT: Final = """
local interval, tolerance, more = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[2]) * (tonumber(ARGV[6]) - 1)
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local function keep(value)
  redis.call('SET', KEYS[1], string.format('%.3f', value), 'PX', math.ceil(value - now + interval))
end
if ARGV[1] == 'hold' then
  keep(math.max(due, now + tonumber(ARGV[5]) + tolerance))
  return {1, 0}
end
local wait = math.max(0, due + more - tolerance - now)
if wait > tonumber(ARGV[4]) then return {0, math.ceil(wait)} end
keep(due + interval + more)
return {1, math.ceil(wait)}
"""


@dataclass(frozen=True, slots=True)
class Budget:
    """`per_s` calls a second, `burst` of them at once after a pause; a caller waits `longest_wait_s` at most."""

    per_s: float
    burst: int = 1
    longest_wait_s: float = 5.0

    @property
    def interval_s(self) -> float:
        """Seconds between two calls at the full rate."""
        return 1.0 / self.per_s

    @property
    def tolerance_s(self) -> float:
        """How far ahead of the full rate a burst may run, in seconds."""
        return self.interval_s * (self.burst - 1)


@dataclass(frozen=True, slots=True)
class Turn:
    """A place in the line, `wait_s` from now; or, when not granted, how long it would have been."""

    granted: bool
    wait_s: float


class Meter:
    """Keeps one budget, in Redis where possible. Asking it never fails."""

    def __init__(
        self,
        key: str,
        shared: SharedState,
        budget: Budget,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._key = key
        self._shared = shared
        self._budget = budget
        self._clock = clock
        self._due = 0.0

    async def take(self, cost: float = 1.0) -> Turn:
        """Reserve the next call, or one that is worth as much as `cost` calls."""
        answer = await self._run("take", cost=cost)
        if answer is not None:
            return Turn(answer[0] == "1", int(answer[1]) / 1000)
        now = self._clock()
        due = max(self._due, now)
        more_s = self._budget.interval_s * (cost - 1.0)
        wait_s = max(0.0, due + more_s - self._budget.tolerance_s - now)
        if wait_s > self._budget.longest_wait_s:
            return Turn(False, wait_s)
        self._due = due + self._budget.interval_s + more_s
        return Turn(True, wait_s)

    async def hold(self, hold_s: float) -> None:
        """Let nobody call for `hold_s`: the provider has asked for it."""
        self._due = max(self._due, self._clock() + hold_s + self._budget.tolerance_s)
        await self._run("hold", hold_s)

    async def _run(self, what: str, hold_s: float = 0.0, *, cost: float = 1.0) -> list[str] | None:
        budget = self._budget
        in_ms = [budget.interval_s, budget.tolerance_s, budget.longest_wait_s, hold_s]
        return await self._shared.run(_SCRIPT, self._key, [what, *(value * 1000 for value in in_ms), cost])
