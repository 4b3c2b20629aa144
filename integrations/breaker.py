"""The circuit breaker: closed, open, half-open with one probe.

Closed, it counts answers and failures over a rolling window. Too many failures open it for a while. After that
while one caller at a time holds the probe lease: if its call succeeds the breaker closes, if it fails the breaker
opens for twice as long. The state is shared through Redis (`breaker_script`); every process also keeps a mirror of
it, which decides while Redis is away.
"""

import enum
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from integrations.breaker_script import SCRIPT
from integrations.shared import SharedState


class State(enum.IntEnum):
    """The number is what the gauge shows."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class Outcome(enum.Enum):
    """What a call says about the provider's health."""

    OK = "ok"
    FAILURE = "failure"
    NOTHING = "nothing"


_STATES: Final = {"closed": State.CLOSED, "half-open": State.HALF_OPEN, "open": State.OPEN}


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """Opens at `least_failures` within `window_s`, if they are at least `ratio` of the answers in it.

    It stays open for `open_s`, doubled after each failed probe up to `longest_open_s`.
    """

    window_s: float = 30.0
    least_failures: int = 5
    ratio: float = 0.5
    open_s: float = 10.0
    longest_open_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Entry:
    """The answer to "may I call?": `wait_s` says when to ask again; `probe` is the lease of a probing call."""

    allowed: bool
    state: State
    wait_s: float = 0.0
    probe: str = ""


class LocalBreaker:
    """The breaker of one process."""

    def __init__(self, policy: BreakerPolicy, clock: Callable[[], float] = time.monotonic) -> None:
        self._policy = policy
        self._clock = clock
        self._answers: deque[tuple[float, bool]] = deque()
        self._state = State.CLOSED
        self._open_until = 0.0
        self._open_s = policy.open_s
        self._probe = ""
        self._probe_until = 0.0

    @property
    def state(self) -> State:
        """The state as of the last call to enter, leave or adopt."""
        return self._state

    def enter(self, lease_s: float) -> Entry:
        """Ask to make a call; a probe's lease lasts `lease_s`."""
        if self._state is State.CLOSED:
            return Entry(True, State.CLOSED)
        now = self._clock()
        if now < self._open_until:
            return Entry(False, self._state, self._open_until - now)
        if self._probe and now < self._probe_until:
            return Entry(False, State.HALF_OPEN, self._probe_until - now)
        self._state = State.HALF_OPEN
        self._probe = secrets.token_hex(8)
        self._probe_until = now + lease_s
        return Entry(True, State.HALF_OPEN, probe=self._probe)

    def leave(self, probe: str, outcome: Outcome) -> State:
        """Say how the call ended; `probe` is that of its entry."""
        if self._state is State.CLOSED:
            self._count(outcome)
        elif probe and probe == self._probe:
            self._probe = ""
            if outcome is Outcome.OK:
                self._close()
            elif outcome is Outcome.FAILURE:
                self._open(min(self._open_s * 2, self._policy.longest_open_s))
        return self._state

    def adopt(self, state: State, wait_s: float) -> None:
        """Take over what the shared breaker says, so that a later loss of Redis starts from there."""
        if state is State.CLOSED:
            if self._state is not State.CLOSED:
                self._close()
            return
        self._state = state
        self._open_until = self._clock() + wait_s

    def _count(self, outcome: Outcome) -> None:
        if outcome is Outcome.NOTHING:
            return
        now = self._clock()
        self._answers.append((now, outcome is Outcome.FAILURE))
        while self._answers[0][0] <= now - self._policy.window_s:
            self._answers.popleft()
        failures = sum(failed for _, failed in self._answers)
        enough = failures >= max(self._policy.least_failures, self._policy.ratio * len(self._answers))
        if enough and outcome is Outcome.FAILURE:
            self._open(self._policy.open_s)

    def _open(self, open_s: float) -> None:
        self._state = State.OPEN
        self._open_s = open_s
        self._open_until = self._clock() + open_s
        self._answers.clear()

    def _close(self) -> None:
        self._state = State.CLOSED
        self._open_s = self._policy.open_s
        self._probe = ""
        self._answers.clear()


class Breaker:
    """The breaker of a credential, shared where possible. Asking it never fails."""

    def __init__(self, key: str, shared: SharedState, policy: BreakerPolicy) -> None:
        self._key = key
        self._shared = shared
        self._policy = policy
        self._local = LocalBreaker(policy)

    @property
    def state(self) -> State:
        """The state as this process last saw it."""
        return self._local.state

    async def enter(self, lease_s: float) -> Entry:
        """Ask to make a call that will have ended after `lease_s`."""
        probe = secrets.token_hex(8)
        answer = await self._run("enter", probe, lease_s=lease_s)
        if answer is None:
            return self._local.enter(lease_s)
        verdict, state, wait_s = answer
        self._local.adopt(state, wait_s)
        return Entry(verdict != "refused", state, wait_s, probe if verdict == "probe" else "")

    async def leave(self, entry: Entry, outcome: Outcome) -> None:
        """Say how the call of `entry` ended."""
        self._local.leave(entry.probe, outcome)
        if outcome is Outcome.NOTHING and not entry.probe:
            return
        answer = await self._run("leave", entry.probe, outcome=outcome)
        if answer is not None:
            self._local.adopt(answer[1], answer[2])

    async def _run(
        self, what: str, probe: str, *, lease_s: float = 0.0, outcome: Outcome = Outcome.NOTHING
    ) -> tuple[str, State, float] | None:
        policy = self._policy
        answer = await self._shared.run(
            SCRIPT,
            self._key,
            [
                what,
                probe,
                outcome.value,
                int(lease_s * 1000),
                int(policy.window_s * 1000),
                policy.least_failures,
                policy.ratio,
                int(policy.open_s * 1000),
                int(policy.longest_open_s * 1000),
            ],
        )
        if answer is None:
            return None
        return answer[0], _STATES[answer[1]], int(answer[2]) / 1000
