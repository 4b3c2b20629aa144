"""This process's part in presence: its lease, and which people have a socket here.

Each person is brought from what the database was last told to what is true now by one task at a time, so that a quick
coming and going cannot be written in the wrong order.
"""

from __future__ import annotations

import asyncio
import contextlib
import platform
import time
from dataclasses import dataclass
from uuid import UUID, uuid4

import structlog

from hub.auth.tokens import Claims
from hub.db import Database, tenant_tx
from hub.presence import actions, queries
from hub.who import Who

_AT_ONCE = 3
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Person:
    who: Who
    user_id: UUID
    sockets: int = 0
    told: bool | None = False
    """What the database was last told, whether they are here; None when that may be true no longer."""
    left_at: float | None = None
    task: asyncio.Task[None] | None = None


class Attendance:
    """The people who have a socket at this process, kept true in the database."""

    def __init__(self, db: Database, *, lease_s: float, grace_s: float) -> None:
        self.hub_id = uuid4()
        self._db = db
        self._lease_s = lease_s
        self._grace_s = grace_s
        self._people: dict[tuple[UUID, UUID], _Person] = {}
        self._writes = asyncio.Semaphore(_AT_ONCE)
        self._stopping = False

    @property
    def here(self) -> list[UUID]:
        """The people who have a socket here, or whose going is not written yet."""
        return [person.user_id for person in self._people.values()]

    def arrived(self, claims: Claims) -> None:
        """A socket of this member is served here from now on."""
        person = self._people.setdefault((claims.tenant_id, claims.user_id), _Person(claims.who(), claims.user_id))
        person.who = claims.who()
        person.sockets += 1
        person.left_at = None
        self._settle(person)

    def left(self, claims: Claims) -> None:
        """A socket of this member has gone."""
        person = self._people.get((claims.tenant_id, claims.user_id))
        if person is None:
            return
        person.sockets -= 1
        if person.sockets <= 0:
            person.sockets = 0
            person.left_at = time.monotonic()

    async def beat(self) -> None:
        """Renew the lease, with one statement. After a lease that ran out, tell again who is here."""
        if not await queries.beat(self._db, self.hub_id, platform.node(), self._lease_s):
            for person in self._people.values():
                person.told = None
        self.sweep()

    def sweep(self) -> None:
        """Write what is not written yet: those whose time away is over, and what failed before."""
        for person in list(self._people.values()):
            self._settle(person)

    async def stop(self) -> None:
        """Hand the people over: they have the grace to come back to another process."""
        self._stopping = True
        tasks = [person.task for person in self._people.values() if person.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=2)
        with contextlib.suppress(Exception):
            async with asyncio.timeout(2):
                await queries.stop_hub(self._db, self.hub_id, self._grace_s)

    def _is_here(self, person: _Person) -> bool:
        return person.left_at is None or time.monotonic() - person.left_at < self._grace_s

    def _settle(self, person: _Person) -> None:
        if person.task is None and not self._stopping and person.told != self._is_here(person):
            person.task = asyncio.get_running_loop().create_task(self._write(person))
            person.task.add_done_callback(lambda task: self._written(person, task))

    async def _write(self, person: _Person) -> None:
        async with self._writes:
            while person.told != (here := self._is_here(person)):
                async with tenant_tx(self._db, person.who) as tx:
                    step = actions.arrive if here else actions.leave
                    await step(tx, person.user_id, self.hub_id)
                person.told = here

    def _written(self, person: _Person, task: asyncio.Task[None]) -> None:
        person.task = None
        if task.cancelled():
            return
        if (exc := task.exception()) is not None:
            # The next sweep tries again.
            _log.warning("presence could not be written", user_id=str(person.user_id), error=str(exc) or repr(exc))
        elif person.told is False and person.left_at is not None:
            self._people.pop((person.who.tenant_id, person.user_id), None)
