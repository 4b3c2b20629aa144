"""Who gets a worker's slots.

Whoever holds the fewest is next, in turn. A lone company may use every slot; and so that its long jobs never shut the others out,
there are a few spare ones besides, for companies that hold none. A short job waits for nothing but processor and database, and
very many of one company would leave neither to the others: while others are about, only so many of a company's are fresh at once.
What goes on for longer waits for somebody else (a provider, mostly), and does not count.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from workers.ledger import DueJob

# A job that is under way for longer than this waits for somebody else most of the time.
FRESH_S = 0.1
# Whoever had a job here this long ago is about still.
ABOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Room:
    """What could start now: `free` slots for anybody, `spare` for companies that hold none, and who holds how many."""

    free: int
    spare: int
    held: Mapping[UUID, int]
    share: int = 0
    """How many fresh jobs a company may have under way; 0 for as many as there are slots."""
    fresh: Mapping[UUID, int] = field(default_factory=dict)
    """How many of those that are held are for fresh jobs."""

    def __bool__(self) -> bool:
        return self.free > 0 or self.spare > 0

    @property
    def is_held_back(self) -> bool:
        """Has somebody as many fresh jobs as they may?"""
        return any(not self.may_take(count) for count in self.fresh.values())

    def may_take(self, fresh: int) -> bool:
        """May a company that has so many fresh jobs begin one more?"""
        return not self.share or fresh < self.share


class Holders:
    """Who holds a worker's slots, and since when."""

    def __init__(self, share: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._share = share
        self._clock = clock
        self._since: dict[UUID, dict[UUID, float]] = {}
        self._seen: dict[UUID, float] = {}

    def take(self, tenant_id: UUID, job_id: UUID) -> None:
        """A job has a slot."""
        self._since.setdefault(tenant_id, {})[job_id] = self._clock()

    def give_back(self, tenant_id: UUID, job_id: UUID) -> None:
        """It has it no more."""
        del self._since[tenant_id][job_id]
        if not self._since[tenant_id]:
            del self._since[tenant_id]
            self._seen[tenant_id] = self._clock()

    def about(self) -> set[UUID]:
        """The companies that have a job here, or had one just now."""
        now = self._clock()
        self._seen = {tenant_id: at for tenant_id, at in self._seen.items() if now - at <= ABOUT_S}
        return self._seen.keys() | self._since.keys()

    def room(self, free: int, spare: int) -> Room:
        """What could start in so many slots. Where only one company is about, nothing but their number bounds it."""
        now = self._clock()
        held = {tenant_id: len(jobs) for tenant_id, jobs in self._since.items()}
        if len(self.about()) < 2:
            return Room(free, spare, held)
        fresh = {tenant_id: sum(now - at < FRESH_S for at in jobs.values()) for tenant_id, jobs in self._since.items()}
        return Room(free, spare, held, self._share, fresh)


def spare_slots(max_jobs: int) -> int:
    """How many slots there are besides: a quarter more, and at least one."""
    return max(1, max_jobs // 4)


def choose(due: Sequence[DueJob], room: Room) -> list[DueJob]:
    """Which of the due jobs start now, and in what order; the rule is the one by which the queue in Redis gives them out.

    Among companies and among the jobs of one it is any order: the other workers look at the same jobs.
    """
    waiting: dict[UUID, list[DueJob]] = {}
    for job in random.sample(due, len(due)):
        waiting.setdefault(job.tenant_id, []).append(job)
    held, fresh, free, spare = Counter(room.held), Counter(room.fresh), room.free, room.spare
    chosen: list[DueJob] = []
    while waiting and (free > 0 or spare > 0):
        may = [one for one in waiting if room.may_take(fresh[one])]
        if not may:
            break
        tenant_id = min(may, key=lambda one: held[one])
        if free <= 0 and held[tenant_id]:
            break
        jobs = waiting.pop(tenant_id)
        chosen.append(jobs.pop())
        held[tenant_id] += 1
        fresh[tenant_id] += 1
        if jobs:
            # Put back at the end: among equals it is the others' turn.
            waiting[tenant_id] = jobs
        if free > 0:
            free -= 1
        else:
            spare -= 1
    return chosen
