"""Turns at the database: each company in its turn, so that one that asks for much waits for itself and not for it the others."""

from __future__ import annotations

import asyncio
import os
import time
from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from types import TracebackType

from prometheus_client import Counter, Gauge

from hub.errors import TooMany, Unavailable

WAIT_S = 5.0
# How many one group may have while others are about: as many as there are processors to work on them, which is as quick for the
# group as more would be (two of two answered as many of a flood as four), and what the others wait for at most.
SHARE = min(max(os.cpu_count() or 2, 2), 4)
# How long ago somebody counts as being about.
ABOUT_S = 1.0

_WAITING = Gauge("ringside_gate_waiting", "Requests that wait for their company's turn at the database.")
_WAITED = Counter("ringside_gate_waited_total", "Requests that had to wait for their company's turn at the database.")


@dataclass(slots=True)
class _Group:
    running: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Gate:
    """So many `slots` for everybody, of which a group that is alone gets all but the `reserve`.

    While others are about, each gets a `share`: what runs at once shares the processors, so that more would make those wait
    who ask for little, and would not make those faster who ask for much.
    """

    def __init__(self, slots: int, *, reserve: int, queue: int, share: int = SHARE, wait_s: float = WAIT_S) -> None:
        self._slots = slots
        self._crowded = share
        self._seen: OrderedDict[Hashable, float] = OrderedDict()
        self._reserve = min(reserve, slots - 1)
        self._queue = queue
        self._wait_s = wait_s
        self._running = 0
        self._groups: OrderedDict[Hashable, _Group] = OrderedDict()

    def turn(self, group: Hashable) -> Turn:
        """`async with gate.turn(tenant_id)`: inside, the group holds a slot.

        Raises TooMany when so many of the group wait that it makes no sense, Unavailable when its turn did not come in time.
        """
        return Turn(self, group)

    @property
    def running(self) -> int:
        """The slots that are taken."""
        return self._running

    def _share(self) -> int:
        alone = self._slots - self._reserve
        return alone if len(self._seen) < 2 else min(alone, self._crowded)

    def _see(self, group: Hashable) -> None:
        now = time.monotonic()
        seen = self._seen
        seen[group] = now
        seen.move_to_end(group)
        while seen[first := next(iter(seen))] < now - ABOUT_S:
            del seen[first]

    def enter_now(self, group: Hashable) -> bool:
        """Take a slot if one may be taken at once."""
        self._see(group)
        state = self._groups.get(group)
        if state is None:
            state = self._groups[group] = _Group()
        if state.waiting or self._running >= self._slots or state.running >= self._share():
            return False
        state.running += 1
        self._running += 1
        return True

    async def wait(self, group: Hashable) -> None:
        """Wait for a slot behind the others of the group."""
        state = self._groups[group]
        if len(state.waiting) >= self._queue:
            self._forget(group, state)
            raise TooMany("Your company has too many requests under way. Try again in a second.", retry_after_s=1)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        state.waiting.append(turn)
        _WAITED.inc()
        _WAITING.inc()
        try:
            async with asyncio.timeout(self._wait_s):
                await turn
        except BaseException as exc:
            if turn.done() and not turn.cancelled():
                # The slot came at the very moment the caller gave up.
                self.leave(group)
            else:
                if turn in state.waiting:
                    state.waiting.remove(turn)
                self._forget(group, state)
            if isinstance(exc, TimeoutError):
                raise Unavailable("The server is busy. Try again in a moment.", retry_after_s=2) from None
            raise
        finally:
            _WAITING.dec()

    def leave(self, group: Hashable) -> None:
        """Give the slot back, to whoever's turn it is."""
        state = self._groups[group]
        state.running -= 1
        self._running -= 1
        self._forget(group, state)
        self._call_next()

    def _call_next(self) -> None:
        share, called = self._share(), True
        # One each in a round, those who have had none for longest first.
        while called and self._running < self._slots:
            called = False
            for group in [group for group, state in self._groups.items() if state.waiting and state.running < share]:
                if self._running >= self._slots:
                    return
                called |= self._call(group)

    def _call(self, group: Hashable) -> bool:
        state = self._groups[group]
        while state.waiting:
            turn = state.waiting.popleft()
            if not turn.done():
                state.running += 1
                self._running += 1
                turn.set_result(None)
                self._groups.move_to_end(group)
                return True
        return False

    def _forget(self, group: Hashable, state: _Group) -> None:
        if not state.running and not state.waiting:
            self._groups.pop(group, None)


class Turn:
    """A slot of the gate, as long as the block lasts."""

    __slots__ = ("_gate", "_group")

    def __init__(self, gate: Gate, group: Hashable) -> None:
        self._gate = gate
        self._group = group

    async def __aenter__(self) -> None:
        if not self._gate.enter_now(self._group):
            await self._gate.wait(self._group)

    async def __aexit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._gate.leave(self._group)


class Counted:
    """How many of something each group may have at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: dict[Hashable, int] = {}

    def take(self, group: Hashable) -> bool:
        """One more, if there may be."""
        held = self._held.get(group, 0)
        if held >= self._most:
            return False
        self._held[group] = held + 1
        return True

    def give_back(self, group: Hashable) -> None:
        """One less."""
        held = self._held[group] - 1
        if held:
            self._held[group] = held
        else:
            del self._held[group]
