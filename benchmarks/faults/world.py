"""What goes on while things break: two companies at work, their screens, their jobs and calls, and the reckoning at the end."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson

from benchmarks.faults import checker
from benchmarks.faults.books import Books
from benchmarks.faults.checker import Audience, Committed, Log
from benchmarks.faults.clients import PATIENCE_S, Person, Rep, Screen
from benchmarks.faults.house import House
from benchmarks.faults.worker import EFFECT_JOB
from hub.auth.tokens import Tokens
from hub.contacts.actions import create_contact
from hub.contacts.models import ContactIn
from hub.db import Database, tenant_tx
from hub.errors import HubError
from hub.events import audiences_of
from hub.hints import RedisHints
from hub.permits.actions import begin_in_practice
from hub.who import Role, Who

_LIFETIME_S = 7200
_LOOK_S = 0.05
# Of each company: its reps, and the contacts they write notes about.
_REPS, _WRITTEN_ABOUT = 2, 4
# A lost race for a lease costs a job its lease and a sweep; nothing here waits longer on purpose.
SETTLE_S = 45.0


@dataclass(frozen=True, slots=True)
class Tenant:
    """A company at work."""

    tenant_id: UUID
    people: list[Person]
    contact_ids: list[str]
    to_call: list[str]


@dataclass
class Reckoning:
    """How it came out."""

    objections: list[str] = field(default_factory=list)
    acknowledged: int = 0
    retried: int = 0
    deliveries: int = 0
    resyncs: int = 0
    reconnects: int = 0
    jobs: int = 0
    recovered_s: float = 0.0
    longest_write_s: float = 0.0


@dataclass
class World:
    """Two companies in a house."""

    house: House
    db: Database
    hints: RedisHints
    books: Books
    tenants: list[Tenant] = field(default_factory=list)
    screens: list[Screen] = field(default_factory=list)
    reps: list[Rep] = field(default_factory=list)
    calls: list[asyncio.Task[Any]] = field(default_factory=list)
    deferred: dict[str, UUID] = field(default_factory=dict)
    may_resync: bool = False
    is_strict: bool = False
    """Is every answer but success an objection? Then clients go straight to the hubs, and repeat a refused connect only."""
    patience: float = 1.0
    """How many times longer than it should everything may take, on a machine that has something else to do."""
    phases: str = ""
    """When what worked again after everything was well."""
    _settled_at: datetime | None = None
    _deferring: asyncio.Task[None] | None = None
    _stopping: bool = False

    @property
    def tenant_ids(self) -> list[UUID]:
        """The companies."""
        return [tenant.tenant_id for tenant in self.tenants]

    # -- beginning

    @classmethod
    async def open(
        cls, house: House, *, pause_s: float, calls_each: int, is_strict: bool = False, patience: float = 1.0
    ) -> World:
        """Found the companies and let everybody begin; returns when every screen is live and every rep has written."""
        hints = RedisHints(house.valkey.url)
        db = await Database.open(house.postgres.url_for("ringside_app"), notifier=hints, max_size=6, name="ringside faults")
        world = cls(house, db, hints, Books(house.admin), is_strict=is_strict, patience=patience)
        urls = house.direct_urls if is_strict else house.urls
        for number in range(2):
            world.tenants.append(await world._found(f"Company {number}", calls_each))
        for tenant in world.tenants:
            for person in tenant.people:
                world.add_screen(person, urls)
            for person in tenant.people[1:]:
                name = f"rep {person.user_id}"
                patience_s = PATIENCE_S * (patience if is_strict else 1)
                world.reps.append(Rep(name, person, urls, house.session, tenant.contact_ids, pause_s, patience_s))
        for rep in world.reps:
            rep.start()
        world._deferring = asyncio.create_task(world._defer_on(2 * pause_s))
        await world.until(lambda: all(screen.is_live for screen in world.screens), "every screen is live")
        await world.until(lambda: all(_acknowledged(rep) >= 2 for rep in world.reps), "every rep has written")
        return world

    async def _found(self, name: str, calls_each: int) -> Tenant:
        tokens = Tokens(self.house.settings.key("access-token"))
        people: list[Person] = []
        async with self.db.acquire() as conn:
            tenant_id: UUID = await conn.fetchval("SELECT create_company($1)", name)
            roles: list[Role] = ["manager", *["rep"] * _REPS]  # type: ignore[list-item]
            for number, role in enumerate(roles):
                address = f"{role}{number}@{tenant_id.hex}.test"
                user_id = await conn.fetchval("SELECT create_member($1, $2, $3, '!', $4)", tenant_id, address, role.title(), role)
                token = tokens.issue(
                    user_id=user_id, tenant_id=tenant_id, role=role, session_id=uuid4(), name=role.title(), lifetime_s=_LIFETIME_S
                )
                people.append(Person(tenant_id, user_id, role, token))
        made: list[str] = []
        async with tenant_tx(self.db, Who.system(tenant_id)) as tx:
            await begin_in_practice(tx)
            for number in range(_WRITTEN_ABOUT + calls_each * _REPS):
                # A contact whose number ends in 0 answers.
                given = {"first_name": "Contact", "last_name": str(number), "phones": [{"e164": self._number()}]}
                contact_id, _, _ = await create_contact(tx, ContactIn.model_validate(given))
                made.append(str(contact_id))
        return Tenant(tenant_id, people, made[:_WRITTEN_ABOUT], made[_WRITTEN_ABOUT:])

    def _number(self) -> str:
        number = next(self.house.numbers)
        return f"+1{202 + number // 100_000 % 8}{6660000 + number % 100_000 * 10:07d}"

    def add_screen(self, person: Person, urls: Sequence[str] | None = None) -> Screen:
        """One more live socket of a member."""
        name = f"screen {len(self.screens)} of a {person.role}"
        screen = Screen(name, person, urls or self.house.urls, self.house.session, turn=len(self.screens))
        self.screens.append(screen)
        screen.start()
        return screen

    # -- while it goes on

    async def until(self, look: Any, what: str, within_s: float = 20.0) -> None:
        """Wait for something, with patience. Raises TimeoutError that says what did not happen."""
        within_s *= self.patience
        deadline = time.monotonic() + within_s
        while not look():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {within_s:.0f} s: {what}")
            await asyncio.sleep(0.02)

    def call_somebody(self) -> None:
        """Every rep who is not on the telephone calls the next contact."""
        for tenant in self.tenants:
            for rep in [rep for rep in self.reps if rep.person.tenant_id == tenant.tenant_id]:
                if tenant.to_call:
                    contact_id = tenant.to_call.pop()
                    self.calls.append(asyncio.create_task(_call(rep, contact_id)))

    async def defer(self, tenant_id: UUID, takes_s: float = 0.01) -> str:
        """Commit a job. Raises when the commit was not acknowledged."""
        async with tenant_tx(self.db, Who.system(tenant_id)) as tx:
            job_id = await tx.defer(EFFECT_JOB, {"takes_s": takes_s}, max_attempts=60)
        self.deferred[str(job_id)] = tenant_id
        return str(job_id)

    async def _defer_on(self, pause_s: float) -> None:
        number = 0
        while not self._stopping:
            number += 1
            try:
                async with asyncio.timeout(5):
                    await self.defer(self.tenants[number % 2].tenant_id, 0.3 if number % 10 == 0 else 0.01)
            except (HubError, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
                await asyncio.sleep(0.2)
            await asyncio.sleep(pause_s)

    # -- the end

    async def recover(self, within_s: float) -> float:
        """Seconds from now until every rep has written anew, every screen shows all there was then, and a new job is done.

        Raises TimeoutError in words when that takes longer than `within_s`, with patience.
        """
        began = time.monotonic()
        deadline = began + within_s * self.patience
        counts = [len(rep.writes) for rep in self.reps]

        def written() -> bool:
            return all(any(w.acknowledged for w in rep.writes[before:]) for rep, before in zip(self.reps, counts, strict=True))

        await self.until(written, "every rep can write again", within_s)
        self.phases = f"writing after {time.monotonic() - began:.1f} s"
        waiting = await self._behind()
        while waiting:
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {deadline - began:.0f} s: every screen shows everything; {waiting[:3]}")
            await asyncio.sleep(0.02)
            waiting = [
                (screen, goal)
                for screen, goal in waiting
                if not screen.is_live or screen.position is None or screen.position < goal
            ]
        self.phases += f", screens after {time.monotonic() - began:.1f} s"
        job_id = await self._new_job(deadline)
        while not await self.books.effects(job_id):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {deadline - began:.0f} s: a new job is done; {await self._standing(job_id)}")
            await asyncio.sleep(_LOOK_S)
        took_s = time.monotonic() - began
        self.phases += f", jobs after {took_s:.1f} s"
        return took_s

    async def _new_job(self, deadline: float) -> str:
        while True:
            try:
                return await self.defer(self.tenants[0].tenant_id)
            except (HubError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_LOOK_S)

    async def _standing(self, job_id: str) -> str:
        """How a job stands, and who works, in words."""
        parts = ", ".join(f"{part.name} {part.pid or 'away'} ({part.deaths} deaths)" for part in self.house.parts.values())
        return f"{self.phases}; {await self.books.standing(job_id)}; {parts}"

    async def _behind(self) -> list[tuple[Screen, int]]:
        """The screens that do not show everything, and up to where they should."""
        logs = await self.books.logs(self.tenant_ids)
        goals = [(screen, _last_visible(logs[screen.person.tenant_id], screen.person)) for screen in self.screens]
        return [(s, goal) for s, goal in goals if not s.is_live or s.position is None or s.position < goal]

    async def settle(self, within_s: float) -> list[str]:
        """Let everybody stop, and wait until nothing is under way any more; what still is, in words."""
        deadline = time.monotonic() + within_s * self.patience
        left: list[str] = []
        self._stopping = True
        if not all(await asyncio.gather(*(rep.finish(within_s * self.patience) for rep in self.reps))):
            left.append("a write was not acknowledged by anybody")
        if self.calls:
            _, late = await asyncio.wait(self.calls, timeout=max(deadline - time.monotonic(), 0.1))
            left += ["a call was not acknowledged by anybody" for _ in late]
        if self._deferring is not None:
            await self._deferring
        self._settled_at = await self.books.time()
        while unfinished := await self.books.unfinished(self.tenant_ids, self._settled_at):
            if time.monotonic() > deadline:
                return left
            await asyncio.sleep(_LOOK_S * (4 if unfinished > 50 else 1))
        while await self._behind():
            if time.monotonic() > deadline:
                return left
            await asyncio.sleep(_LOOK_S)
        return left

    async def reckon(self) -> Reckoning:
        """Compare everything with everything."""
        logs = await self.books.logs(self.tenant_ids)
        goals = [(screen, _last_visible(logs[screen.person.tenant_id], screen.person)) for screen in self.screens]
        with suppress(TimeoutError):
            # The calls go on: what was committed a moment ago is on its way.
            await self.until(lambda: all((screen.position or 0) >= goal for screen, goal in goals), "all are shown", 5.0)
        # What came in after the logs were read is not held against anybody.
        heard = {screen.name: list(screen.heard) for screen in self.screens}
        late = await self.books.logs(self.tenant_ids)
        done = Reckoning()
        for log in late.values():
            done.objections += log.gaps()
        for screen, goal in goals:
            tenant_id = screen.person.tenant_id
            foreign = checker.foreign_ids(late, tenant_id)
            audience = Audience(screen.name, late[tenant_id], _rooms(screen.person), foreign)
            done.objections += audience.judge(heard[screen.name], complete=False)
            if screen.position is None or screen.position < goal:
                done.objections.append(f"{screen.name} ended at {screen.position}, the log at {goal}")
            done.deliveries += screen.deliveries
            done.resyncs += screen.resyncs
            done.reconnects += max(screen.connects - 1, 0)
        if done.resyncs and not self.may_resync:
            done.objections.append(f"{done.resyncs} resyncs, where everything missed is in the log")
        await self._reckon_rows(done, late)
        return done

    async def _reckon_rows(self, done: Reckoning, logs: dict[UUID, Log]) -> None:
        writes = [write for rep in self.reps for write in rep.writes]
        simple = [write for write in writes if write.kind in ("note", "contact")]
        rows = await self.books.marks([write.mark for write in simple])
        done.objections += checker.judge_writes(simple, rows, logs, is_strict=self.is_strict)
        jobs = await self.books.jobs(self.tenant_ids, self._settled_at or await self.books.time())
        done.objections += checker.judge_jobs(self.deferred, jobs)
        ours, numbers = await self.books.calls(self.tenant_ids), await self.books.numbers(self.tenant_ids)
        placed = Counter(call["to"] for call in await self.house.provider_calls() if call["to"] in numbers)
        done.objections += checker.judge_calls(placed, ours)
        done.acknowledged = sum(write.acknowledged for write in writes)
        done.retried = sum(len(write.statuses) > 1 for write in writes)
        done.longest_write_s = max((write.took_s for write in writes), default=0.0)
        done.jobs = len(jobs)

    async def close(self) -> None:
        """Everybody goes home."""
        self._stopping = True
        for task in [*self.calls, *([self._deferring] if self._deferring else [])]:
            task.cancel()
            with suppress(BaseException):
                await task
        await asyncio.gather(*(screen.stop() for screen in self.screens), *(rep.finish(0.1) for rep in self.reps))
        await self.hints.stop()
        await self.books.close()
        self.db.pool.terminate()


async def _call(rep: Rep, contact_id: str) -> None:
    await rep.write("call", f"k{uuid4().hex}", "/calls", {"contact_id": contact_id})


def _acknowledged(rep: Rep) -> int:
    return sum(write.acknowledged for write in rep.writes)


def _rooms(person: Person) -> frozenset[str]:
    return frozenset(audiences_of(Who(person.tenant_id, person.user_id, person.role)))


def _last_visible(log: Log, person: Person) -> int:
    rooms = _rooms(person)
    return next((event.seq for event in reversed(log.events) if event.audience in rooms), 0)


def frame_of(event: Committed) -> Any:
    """The event as its readers get it."""
    return orjson.loads(event.frame)
