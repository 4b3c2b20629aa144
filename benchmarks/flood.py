"""One company floods, another works on: its API, its screens and its jobs, calm and while the other one asks for all it can.

The goal: the p95 of whoever works on stays within twice the calm value, whether the other floods by requests, sockets, events,
jobs or imports. The hub and the load are on cores of their own; the flood is a process that gives way to the one that measures.
`ringside bench jobs --flood` looks at the worker alone, with a backlog of 100,000 and with long jobs in every slot.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from aiohttp import ClientSession, TCPConnector

from benchmarks.children import on_leash
from benchmarks.cores import LOAD, SERVER, pin, pin_self
from benchmarks.figures import percentile
from benchmarks.ground import ROOT, Ground, Member, open_ground
from benchmarks.job_worker import BESIDE_ALL, KIND, SCHEMA
from benchmarks.listener import listening
from benchmarks.results import Result, machine, report
from benchmarks.voice import add_contacts
from hub.db import Database, tenant_tx
from hub.hints import RedisHints
from hub.who import Who

KINDS = ("requests", "sockets", "events", "jobs", "imports")
AT_MOST = 2.0
# What the calm company asks for a second, well within everybody's limits.
_READS_S, _NOTES_S, _JOBS_S = 40.0, 10.0, 10.0
_SOCKETS = 20
_CONTACTS = 300
# For the last events and jobs, and for what the flood has under way to end.
_PATIENCE_S = 60.0
_UNDER_WAY = "SELECT count(*) FROM jobs WHERE tenant_id = $1 AND state = 'running'"
_DROP = "UPDATE jobs SET state = 'dropped' WHERE tenant_id = $1 AND state = 'ready'"
_STARTED = "SELECT job_id, started_s FROM bench_effects WHERE job_id = ANY ($1)"


def options(parser: argparse.ArgumentParser) -> None:
    """The options of `ringside bench flood`."""
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each part lasts (20)")
    parser.add_argument("--at-once", type=int, default=200, help="what the flood does at once: requests, sockets (200)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="floods by these (all)")
    parser.add_argument("--limits", default="", help="RINGSIDE_LIMITS of the measured hub; `off` shows what they are good for")
    parser.add_argument("--json", type=Path, help="write the result to this file, too")
    parser.set_defaults(measure=measure)


@dataclass(slots=True)
class Part:
    """What the calm company saw, in ms."""

    api: list[float] = field(default_factory=list)
    events: list[float] = field(default_factory=list)
    jobs: list[float] = field(default_factory=list)
    failed: int = 0

    def p95(self) -> dict[str, float]:
        """By what it is of."""
        seen = {"API": self.api, "note to every screen": self.events, "job to its start": self.jobs}
        return {name: percentile(values, 0.95) for name, values in seen.items()}


@dataclass(slots=True)
class Calm:
    """The company that works on."""

    ground: Ground
    session: ClientSession
    db: Database
    who: Who
    people: Sequence[Member]
    contacts: Sequence[str]
    sent: dict[str, float] = field(default_factory=dict)
    deferred: dict[UUID, float] = field(default_factory=dict)
    part: Part = field(default_factory=Part)

    async def work(self, seconds: float) -> Part:
        """Read and write at a steady pace for so long."""
        self.part, self.deferred = Part(), {}
        paces = ((_READS_S, self._read), (_NOTES_S, self._note), (_JOBS_S, self._defer))
        await asyncio.gather(*(self._pace(per_s, seconds, act) for per_s, act in paces))
        self.part.jobs = await self._waited()
        await asyncio.sleep(0.5)  # for the last events
        return self.part

    def heard(self, event: dict[str, Any], at: float) -> None:
        """An event on one of the sockets."""
        sent = self.sent.get(event["data"].get("activity", {}).get("body", "")) if event["type"] == "activity.created" else None
        if sent is not None:
            self.part.events.append((at - sent) * 1000)

    async def _pace(self, per_s: float, seconds: float, act: Any) -> None:
        # At times of its own, whether or not the one before was answered: who waits for answers does not notice a stall.
        tasks: set[asyncio.Task[None]] = set()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            tasks.add(asyncio.create_task(act()))
            await asyncio.sleep(random.expovariate(per_s))
        await asyncio.gather(*tasks)

    async def _read(self) -> None:
        began = time.perf_counter()
        part = self.part
        if await self._ask("GET", "/contacts?limit=50", None):
            part.api.append((time.perf_counter() - began) * 1000)

    async def _note(self) -> None:
        text = f"note {random.random()}"  # noqa: S311
        self.sent[text] = time.time()
        await self._ask("POST", f"/contacts/{random.choice(self.contacts)}/notes", {"body": text})  # noqa: S311

    async def _defer(self) -> None:
        async with tenant_tx(self.db, self.who) as tx:
            job_id = await tx.defer(KIND, {})
        assert job_id is not None
        self.deferred[job_id] = time.time()

    async def _waited(self) -> list[float]:
        """From the commit of each job to its start, in ms. Infinite for those that do not start in time."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            async with self.db.acquire() as conn:
                began: dict[UUID, float] = {
                    row["job_id"]: row["started_s"] for row in await conn.fetch(_STARTED, [*self.deferred])
                }
            if len(began) == len(self.deferred) or time.monotonic() > deadline:
                return [max(began.get(job_id, float("inf")) - at, 0.0) * 1000 for job_id, at in self.deferred.items()]
            await asyncio.sleep(0.1)

    async def _ask(self, method: str, path: str, body: Any) -> bool:
        person = random.choice(self.people)  # noqa: S311
        headers = {"Authorization": f"Bearer {person.token}"}
        async with self.session.request(method, f"{self.ground.url}/api/v1{path}", json=body, headers=headers) as answer:
            await answer.read()
            self.part.failed += answer.status >= 400
            return answer.status < 400


async def measure(given: argparse.Namespace) -> int:
    """Measure, print and judge; 1 when a goal was missed."""
    about = machine()
    opened = open_ground(worker_jobs=10, work=("benchmarks.job_worker", BESIDE_ALL), extra_env={"RINGSIDE_LIMITS": given.limits})
    async with opened as ground, AsyncExitStack() as stack:
        pin(ground.hub_pid, SERVER)  # Postgres and the worker are where the system puts them, as on a machine of two cores
        pin_self(LOAD)
        admin = await asyncpg.connect(ground.admin_url)
        stack.push_async_callback(admin.close)
        await admin.execute(SCHEMA)
        hints = RedisHints(ground.settings.redis_url)
        stack.push_async_callback(hints.stop)
        db = await Database.open(ground.settings.database_url, notifier=hints, max_size=4, name="ringside bench calm")
        stack.push_async_callback(db.close)
        session = await stack.enter_async_context(ClientSession(connector=TCPConnector(limit=0)))
        calm_id, manager, people = await ground.company("Calm", reps=_SOCKETS)
        flood_id, loud, flooders = await ground.company("Flood", reps=20)
        contacts = await add_contacts(ground, calm_id, manager, _CONTACTS)
        await add_contacts(ground, flood_id, flooders[0], _CONTACTS)
        calm = Calm(ground, session, db, Who.system(calm_id), people, contacts)
        for person in people:
            await stack.enter_async_context(listening(session, ground.url, person.token, calm.heard))
        await calm.work(3.0)  # statements are prepared, code is warm
        before = await calm.work(given.seconds)
        floods: dict[str, Part] = {}
        did: dict[str, str] = {"limits": given.limits or "as shipped"}
        for kind in given.kinds:
            order = {
                "kind": kind,
                "url": ground.url,
                # An import is a manager's business.
                "tokens": [loud.token] if kind == "imports" else [flooder.token for flooder in flooders],
                "seconds": given.seconds,
                "at_once": given.at_once,
                "database": ground.settings.database_url,
                "redis": ground.settings.redis_url,
                "tenant": str(flood_id),
            }
            floods[kind], did[f"flood by {kind}"] = await _beside(calm, order, given.seconds)
            await _ebb(admin, flood_id)
    return report("One company floods, another works on", _results(before, floods), json_path=given.json, facts=did, about=about)


async def _ebb(admin: asyncpg.Connection[Any], tenant_id: UUID) -> None:
    """Forget what is left of a flood, so that the next one begins in calm."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        await admin.execute(_DROP, tenant_id)
        if not await admin.fetchval(_UNDER_WAY, tenant_id):
            break
        await asyncio.sleep(0.1)
    await asyncio.sleep(2.0)


async def _beside(calm: Calm, order: dict[str, Any], seconds: float) -> tuple[Part, str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = asyncio.subprocess.PIPE
    command = on_leash([sys.executable, "-m", "benchmarks.flooder"])
    flood = await asyncio.create_subprocess_exec(*command, env=env, stdin=pipe, stdout=pipe)
    assert flood.stdin is not None
    assert flood.stdout is not None
    flood.stdin.write(orjson.dumps(order) + b"\n")
    if await asyncio.wait_for(flood.stdout.readline(), _PATIENCE_S) != b"ready\n":
        raise RuntimeError("the flood did not begin")
    part = await calm.work(seconds)
    said, _ = await asyncio.wait_for(flood.communicate(), seconds + _PATIENCE_S)
    got = orjson.loads(said or b"{}")
    return part, ", ".join(f"{what} {count:,}" for what, count in sorted(got.items()))


def _results(before: Part, floods: dict[str, Part]) -> list[Result]:
    calm = before.p95()
    results = [Result(f"calm: {name} p95", ms, "ms") for name, ms in calm.items()]
    for kind, part in floods.items():
        beside = part.p95()
        results += [Result(f"flood by {kind}: {name} p95", ms, "ms") for name, ms in beside.items()]
        results += [
            Result(f"flood by {kind}: {name} p95 to calm", ms / calm[name], "times", AT_MOST, at_most=True)
            for name, ms in beside.items()
        ]
        results.append(Result(f"flood by {kind}: the calm company's failures", part.failed, "", 0.0, at_most=True))
    return results
