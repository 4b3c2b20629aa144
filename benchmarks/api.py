"""How fast the API is: `./ringside bench api [--peer]`.

On a company of 300,000 contacts among 1,000,000 in the tables, as the role and in the transaction of a request:
1. A page of 50 contacts, a note with its event, and such notes of eight companies at once, as many a second as eight
   connections get; with --peer the same endpoints on FastAPI, SQLAlchemy (async, asyncpg) and pydantic under uvicorn, and the
   requests' own SQL by pgbench, all taking turns.
2. Search as you type, timelines, the floor and a contact, two connections: how long an answer takes.
The server is kept to one core; Postgres and the load have the other. Ringside runs as in production: with its request log (to a
file) and metrics.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import orjson
from aiohttp import ClientError, ClientSession

from benchmarks import cores
from benchmarks.api_company import fill
from benchmarks.children import end, on_leash
from benchmarks.figures import percentile
from benchmarks.ground import ROOT, Ground, Member, open_ground
from benchmarks.results import Result, machine, report
from hub.contacts.actions import create_contact
from hub.contacts.models import ContactFilter, ContactIn
from hub.contacts.queries import list_contacts
from hub.db import tenant_tx
from hub.embedded.programs import find_postgres
from hub.listening import free_port
from hub.sqlfiles import load_sql
from hub.who import Who

LIST_GOAL, INSERT_GOAL, PGBENCH_GOAL, P95_GOAL_MS = 8.0, 4.0, 0.8, 20.0
CONNECTIONS = 8
READY_S = 60.0
# As somebody types, and as numbers, addresses and companies are looked for.
WORDS = (
    "a",
    "ad",
    "ada",
    "ada be",
    "belton",
    "firm 123",
    "firm 12",
    "+1415200",
    "4152345",
    "home77",
    "cto",
    "gus kelmana",
    "zzz",
)
PROMISED = frozenset({"search as you type", "timeline", "floor snapshot"})
LIST_PATH = "/api/v1/contacts?limit=50"


@dataclass(frozen=True, slots=True)
class Found:
    """What one go of the load found, and the CPU that the server used for a request."""

    took_ms: list[float]
    a_second: float
    own_share: float
    size: int
    server_us: float


@dataclass(slots=True)
class Goes:
    """All goes of one kind; the middle one counts, whatever else the machine did meanwhile."""

    all: list[Found] = field(default_factory=list)

    def middle(self, name: str) -> float:
        """The median of a figure over the goes, NaN when there were none."""
        return statistics.median(getattr(found, name) for found in self.all) if self.all else float("nan")

    def p95(self) -> float:
        """The 95th percentile over all goes, in ms."""
        return percentile([took for found in self.all for took in found.took_ms], 0.95)


@dataclass(frozen=True, slots=True)
class Course:
    """What is measured on: the company, somebody in it, its newest contacts, and how long a go takes."""

    ground: Ground
    tenant_id: UUID
    rep: Member
    manager: Member
    contacts: list[str]
    folder: Path
    seconds: float

    async def go(self, port: int, requests: Sequence[dict[str, str]], pid: int, connections: int = CONNECTIONS) -> Found:
        """One go of the load against a server. Raises RuntimeError when an answer was not 2xx."""
        plan = {
            "host": "127.0.0.1",
            "port": port,
            "requests": requests,
            "connections": connections,
            "warm_up_s": min(1.5, self.seconds / 3),
            "seconds": self.seconds,
        }
        path = self.folder / "plan.json"
        path.write_bytes(orjson.dumps(plan))
        command = cores.pinned([sys.executable, str(ROOT / "benchmarks" / "api_client.py"), str(path)], cores.LOAD)
        share = cores.Share(pid)
        client = await asyncio.create_subprocess_exec(*on_leash(command), cwd=ROOT, stdout=asyncio.subprocess.PIPE)
        out, _ = await client.communicate()
        if client.returncode:
            raise RuntimeError(f"the load ended with {client.returncode}")
        said = orjson.loads(out)
        if said["refusals"]:
            raise RuntimeError(f"{said['refusals']} answers were refusals: {said['refused'][0]}")
        whole = said["a_second"] * (plan["seconds"] + plan["warm_up_s"])  # type: ignore[operator]
        return Found(said["took_ms"], said["a_second"], said["own_share"], said["bytes"], share.used_s / max(whole, 1) * 1e6)

    def get(self, path: str, member: Member | None = None) -> dict[str, str]:
        """A read by the rep, or by somebody else."""
        return {"method": "GET", "path": path, "token": (member or self.rep).token}

    def notes(self, member: Member, contacts: Sequence[str]) -> list[dict[str, str]]:
        """Notes by a member on one contact after the other."""
        body = orjson.dumps({"body": "Asked for an offer; call again on Monday after ten."}).decode()
        return [
            {"method": "POST", "path": f"/api/v1/contacts/{contact}/notes", "token": member.token, "body": body}
            for contact in contacts
        ]

    def reads(self) -> dict[str, list[dict[str, str]]]:
        """What is read in a large company, by the name it has in the table."""
        return {
            "search as you type": [self.get(f"/api/v1/search?q={quote(word)}") for word in WORDS],
            "timeline": [self.get(f"/api/v1/contacts/{contact}/timeline") for contact in self.contacts],
            "floor snapshot": [self.get("/api/v1/floor", self.manager)],
            "list, by name and by stage": [
                self.get("/api/v1/contacts?sort=name"),
                self.get("/api/v1/contacts?stage=customer&sort=-updated_at"),
                self.get("/api/v1/contacts?tag=tag%2012"),
            ],
            "one contact": [self.get(f"/api/v1/contacts/{contact}") for contact in self.contacts],
        }


@dataclass(frozen=True, slots=True)
class Kind:
    """What is asked of Ringside and of its peer in turns, the goal, and the SQL that pgbench does as the measure of both."""

    what: str
    requests: list[dict[str, str]]
    goal: float
    sql: str = ""
    share_goal: float | None = None
    ours: Goes = field(default_factory=Goes)
    theirs: Goes = field(default_factory=Goes)
    bare: list[float] = field(default_factory=list)

    def results(self, *, compared: bool) -> list[Result]:
        """Its rows of the table. Raises RuntimeError when a go got no answer."""
        found = [
            Result(f"{self.what}: requests", self.ours.middle("a_second"), "a second"),
            Result(f"{self.what}: p95 at that load", self.ours.p95(), "ms"),
            Result(f"{self.what}: CPU of the server", self.ours.middle("server_us"), "us each"),
            Result(f"{self.what}: the load's share of its core", self.ours.middle("own_share") * 100, "%"),
        ]
        if not compared:
            return found
        if not all(go.took_ms for go in (*self.ours.all, *self.theirs.all)):
            raise RuntimeError(f"{self.what}: a go got no answer")
        ratio = statistics.median(a.a_second / b.a_second for a, b in zip(self.ours.all, self.theirs.all, strict=True))
        found += [
            Result(f"{self.what}: FastAPI", self.theirs.middle("a_second"), "a second"),
            Result(f"{self.what}: FastAPI's CPU", self.theirs.middle("server_us"), "us each"),
            Result(f"{self.what}: times FastAPI", ratio, "x", self.goal),
        ]
        if self.bare:
            share = statistics.median(go.a_second / one for go, one in zip(self.ours.all, self.bare, strict=True))
            found += [
                Result(f"{self.what}: pgbench", statistics.median(self.bare), "a second"),
                Result(f"{self.what}: share of pgbench", share, "x", self.share_goal),
            ]
        return found


def options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    parser.add_argument("--peer", action="store_true", help="measure FastAPI + SQLAlchemy and pgbench beside it")
    parser.add_argument("--contacts", type=int, default=300_000, metavar="N", help="contacts of the company (default 300000)")
    parser.add_argument("--in-table", type=int, default=1_000_000, metavar="N", help="of all companies (default 1000000)")
    parser.add_argument("--seconds", type=float, default=6.0, metavar="S", help="how long a go takes (default 6)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="goes of each kind (default 3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")


async def measure(given: argparse.Namespace) -> int:
    """Measure and print; 1 when a goal was missed."""
    about = machine()
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ringside-api-")))
        env = {"RINGSIDE_LOG_LEVEL": "info"}
        ground = await stack.enter_async_context(open_ground(workers=0, extra_env=env, log_path=folder / "hub.log"))
        tenant_id, manager, reps = await ground.company("Large", reps=40)
        ids = [rep.user_id for rep in reps]
        filled_s = await fill(ground.admin_url, tenant_id, ids, given.contacts, max(given.in_table, given.contacts))
        print(f"{given.contacts:,} of {given.in_table:,} contacts made in {filled_s:.0f} s", flush=True)
        _keep_to(ground.hub_pid, cores.SERVER)
        _keep_to(ground.postgres_pid, cores.LOAD)
        contacts = await _newest(ground, tenant_id)
        course = Course(ground, tenant_id, reps[0], manager, contacts, folder, given.seconds)
        results = [*await _against_peers(course, given), *await _reads(course)]
    facts = {
        "contacts": f"{given.contacts:,} of the company, {max(given.in_table, given.contacts):,} in the table",
        "placed": "the server on one core; Postgres and the load on the other",
        "a go": f"{given.rounds} of {given.seconds:g} s each, taking turns after one to warm up; medians; "
        f"{CONNECTIONS} connections (reads: 2)",
        "peer": "FastAPI + SQLAlchemy (async, asyncpg) + pydantic under uvicorn (uvloop, httptools), no request log, no metrics",
        "pgbench": "-M prepared: BEGIN, set_config, the request's own statements, COMMIT",
    }
    return report("API", results, json_path=given.json, facts=facts, about=about)


async def _kinds(course: Course) -> list[Kind]:
    page, names = load_sql("contacts")["list_contacts"].compile({"usual_limit": True, "sort_created_at_desc": True})
    read = _with_values(page, names, {"tenant_id": course.tenant_id, "limit": 50})
    neighbours = [await _neighbour(course.ground, number) for number in range(CONNECTIONS)]
    beside = [request for member, contacts in neighbours for request in course.notes(member, contacts)]
    return [
        Kind("page of 50 contacts", [course.get(LIST_PATH)], LIST_GOAL, read, PGBENCH_GOAL),
        # The log of a company has no gaps: its writers wait for each other's commits, here as at the peer.
        Kind("note with its event", course.notes(course.rep, course.contacts), INSERT_GOAL, _note_sql(course)),
        Kind(f"note of {CONNECTIONS} companies", beside, INSERT_GOAL),
    ]


async def _against_peers(course: Course, given: argparse.Namespace) -> list[Result]:
    kinds = await _kinds(course)
    hub_port = int(course.ground.url.rsplit(":", 1)[1])
    async with contextlib.AsyncExitStack() as stack:
        if given.peer:
            port, pid = await stack.enter_async_context(_fastapi(course.ground))
            await _same_page(course, port)
        # One go of each that does not count: every connection has its statements to prepare and to plan a few times.
        for kind in kinds:
            await course.go(hub_port, kind.requests, course.ground.hub_pid)
            if given.peer:
                await course.go(port, kind.requests, pid)
        for _ in range(given.rounds):
            for kind in kinds:
                kind.ours.all.append(await course.go(hub_port, kind.requests, course.ground.hub_pid))
                if given.peer:
                    kind.theirs.all.append(await course.go(port, kind.requests, pid))
                if given.peer and kind.sql:
                    kind.bare.append(await _pgbench(course, kind.sql))
    return [result for kind in kinds for result in kind.results(compared=given.peer)]


async def _reads(course: Course) -> list[Result]:
    port = int(course.ground.url.rsplit(":", 1)[1])
    results: list[Result] = []
    for name, requests in course.reads().items():
        found = await course.go(port, requests, course.ground.hub_pid, connections=2)
        goal = P95_GOAL_MS if name in PROMISED else None
        results.append(Result(f"{name}: p95", percentile(found.took_ms, 0.95), "ms", goal, at_most=True))
        results.append(Result(f"{name}: p50", percentile(found.took_ms, 0.5), "ms"))
    return results


async def _neighbour(ground: Ground, number: int) -> tuple[Member, list[str]]:
    """Somebody of another company, and its few contacts."""
    tenant_id, _, (rep,) = await ground.company(f"Beside {number}", reps=1)
    async with tenant_tx(ground.db, Who.system(tenant_id)) as tx:
        made = [await create_contact(tx, ContactIn(last_name=f"Neighbour {count}")) for count in range(25)]
    return rep, [str(contact_id) for contact_id, _, _ in made]


async def _newest(ground: Ground, tenant_id: UUID) -> list[str]:
    async with tenant_tx(ground.db, Who.system(tenant_id)) as tx:
        page = orjson.loads(await list_contacts(tx, ContactFilter(limit=200)))
    return [contact["id"] for contact in page["data"]]


def _keep_to(pid: int, core: int) -> None:
    """Keep a process, its threads and its children to a core, and so whatever they start from now on."""
    usable = cores.usable()
    if len(usable) < 2:
        return
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            os.sched_setaffinity(int(task.name), {usable[core % len(usable)]})
            for child in (task / "children").read_text().split():
                _keep_to(int(child), core)


@asynccontextmanager
async def _fastapi(ground: Ground) -> AsyncIterator[tuple[int, int]]:
    """The peer on the server's core: its port and pid."""
    port = free_port()
    env = {
        **os.environ,
        "PEER_TOKEN_KEY": ground.settings.key("access-token").hex(),
        "PEER_DATABASE_URL": ground.settings.database_url,
        "PEER_REDIS_URL": ground.settings.redis_url,
        "PYTHONPATH": str(ROOT),
    }
    command = cores.pinned([sys.executable, "-m", "benchmarks.peers.api_fastapi", "--port", str(port)], cores.SERVER)
    process = await asyncio.create_subprocess_exec(*on_leash(command), cwd=ROOT, env=env)
    try:
        await _answers(f"http://127.0.0.1:{port}/openapi.json")
        yield port, process.pid
    finally:
        await end(process)


async def _answers(url: str) -> None:
    deadline = time.monotonic() + READY_S
    async with ClientSession() as session:
        while time.monotonic() < deadline:
            with contextlib.suppress(ClientError):
                async with session.get(url):
                    return
            await asyncio.sleep(0.1)
    raise RuntimeError(f"{url} did not answer within {READY_S:.0f} s")


async def _same_page(course: Course, port: int) -> None:
    """Both answer with the same contacts, field by field, or there is nothing to compare."""

    async def page_of(url: str) -> Any:
        headers = {"Authorization": f"Bearer {course.rep.token}"}
        async with ClientSession() as session, session.get(url + LIST_PATH, headers=headers) as answer:
            body = await answer.json()
            # The peer writes Z where Postgres writes +00:00.
            return re.sub(r"(?:Z|\+00:00)\b|(?<=\d)\.?0*Z", "", orjson.dumps(body["data"]).decode())

    ours, theirs = await page_of(course.ground.url), await page_of(f"http://127.0.0.1:{port}")
    mine, other = orjson.loads(ours), orjson.loads(theirs)
    for one, two in zip(mine, other, strict=True):
        if {k: v for k, v in one.items() if not k.endswith("_at")} != {k: v for k, v in two.items() if not k.endswith("_at")}:
            raise RuntimeError(f"the peer answers with something else: {one} and {two}")


def _with_values(sql: str, names: Sequence[str], values: Mapping[str, object]) -> str:
    """A compiled statement with its values written into it, on one line as pgbench reads it."""
    for number, name in sorted(enumerate(names, 1), reverse=True):
        sql = sql.replace(f"${number}", f"'{values[name]}'")
    return " ".join(sql.splitlines())


def _note_sql(course: Course) -> str:
    """A note and its event; the event tells of the contact, for the note's id is known to nobody here."""
    contact, user = course.contacts[0], course.rep.user_id
    body = "Asked for an offer; call again on Monday after ten."
    note = {"tenant_id": course.tenant_id, "user_id": user, "contact_id": contact, "body": body}
    shown = {"id": contact, "contact_id": contact, "kind": "note", "at": "2026-01-01T00:00:00.000000+00:00", "body": body}
    event = {
        "actor": orjson.dumps({"kind": "user", "id": str(user), "name": "Rep"}).decode(),
        "actor_id": user,
        "types": "{activity.created}",
        "audiences": "{tenant}",
        "subject_kinds": "{activity}",
        "subject_ids": f"{{{contact}}}",
        "data": "{" + orjson.dumps(orjson.dumps({"activity": shown}).decode()).decode() + "}",
    }
    insert, append = load_sql("activities")["insert_note"].compile({}), load_sql("core")["append_events"].compile({})
    return f"{_with_values(*insert, note)};\n{_with_values(*append, event)}"


async def _pgbench(course: Course, sql: str) -> float:
    """Transactions a second of a request's own SQL, in a transaction as a request has it."""
    script = course.folder / "request.sql"
    config = f"SELECT set_config('ringside.tenant_id', '{course.tenant_id}', true),"
    config += f" set_config('ringside.user_id', '{course.rep.user_id}', true);"
    script.write_text(f"BEGIN;\n{config}\n{sql};\nCOMMIT;\n")
    sockets = course.ground.settings.database_url.rsplit("host=", 1)[1]
    command = [str(_pgbench_program()), "-n", "-M", "prepared", "-f", str(script), "-c", str(CONNECTIONS), "-j", "1"]
    command += ["-T", str(max(1, round(course.seconds))), "-h", sockets, "-U", "ringside_app"]
    process = await asyncio.create_subprocess_exec(
        *on_leash(cores.pinned([*command, "ringside"], cores.SERVER)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, problems = await process.communicate()
    found = re.search(rb"tps = ([\d.]+)", out)
    if found is None:
        raise RuntimeError(f"pgbench said: {problems.decode()[-500:]}")
    return float(found.group(1))


def _pgbench_program() -> Path:
    """pgbench of the Postgres that is measured."""
    return next(path for programs in find_postgres() if (path := programs.folder / "pgbench").exists())
