"""A large import as a user makes it: the file uploaded over HTTP, done by a worker, while another company works on.

The goal: 100,000 rows within 6 s from the queue to 'done', every contact there, to be found, and to be taken back. The peers,
with `--peer`: a plain COPY of the same contacts into a bare copy of their table, which is what Postgres can do at all, and the
row by row INSERT most systems make of an import. The floor: a COPY of what it made into the same tables with the same indexes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import csv
import io
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from aiohttp import ClientSession, FormData

from benchmarks.cores import cpu_s, resident_mb
from benchmarks.figures import percentile
from benchmarks.ground import Ground, Member, open_ground
from benchmarks.listener import listening
from benchmarks.results import Result, machine, report
from benchmarks.voice import add_contacts
from hub.db import tenant_tx
from hub.sqlfiles import Statement
from hub.who import Who

GOAL_S = 6.0
ROWS = 100_000
COLUMNS = (
    *("Index", "Customer Id", "First Name", "Last Name", "Company", "City", "Country", "Phone 1", "Phone 2", "Email"),
    *("Subscription Date", "Website"),
)
# As the other company's people see a note of one of them: the promise of the floor.
_SCREEN_MS = 500.0
_NOTES_S = 10.0
_PATIENCE_S = 240.0
_NUMBERS = ("{}-{}-{}", "+1-{}-{}-{}", "001-{}-{}-{}", "({}){}-{}", "{}.{}.{}", "{}{}{}", "{}-{}-{}x{}", "+1-{}-{}-{}x{}")
_PEER_TABLES = """
CREATE TABLE peer_copied (
    tenant_id uuid, id uuid, first_name text, last_name text, company text, custom jsonb, created_at timestamptz DEFAULT now());
CREATE TABLE peer_inserted (
    id bigserial PRIMARY KEY, first_name text, last_name text, company text, phone text, email text, custom jsonb,
    created_at timestamptz DEFAULT now());
CREATE INDEX ON peer_inserted (email);
CREATE INDEX ON peer_inserted (phone);
CREATE INDEX ON peer_inserted (last_name, first_name)
"""
# What the rows of an import become, and the columns of it that Postgres does not make by itself.
_TABLES = {
    "contacts": "tenant_id, id, first_name, last_name, company, title, stage, owner_id, custom, created_at, updated_at",
    "contact_emails": "tenant_id, contact_id, position, address, label",
    "contact_phones": "tenant_id, contact_id, position, e164, extension, label, kind, time_zones",
    "contact_search": "tenant_id, contact_id, terms",
}
_COUNTS = Statement(
    "counts",
    "SELECT (SELECT count(*) FROM contacts WHERE tenant_id = :tenant_id AND deleted_at IS NULL) AS contacts,"
    " (SELECT count(*) FROM contact_search WHERE tenant_id = :tenant_id) AS found,"
    " (SELECT count(*) FROM contact_emails WHERE tenant_id = :tenant_id) AS emails",
)


def options(parser: argparse.ArgumentParser) -> None:
    """The options of `ringside bench import`."""
    parser.add_argument("--rows", type=int, default=ROWS, help=f"rows of the file ({ROWS:,})")
    parser.add_argument("--peer", action="store_true", help="measure a plain COPY and the usual row by row INSERT, too")
    parser.add_argument("--before", type=int, default=0, help="rows that another company imported before (0)")
    parser.add_argument("--no-undo", action="store_true", help="do not take the import back at the end")
    parser.add_argument("--json", type=Path, help="write the result to this file, too")
    # "import" is a keyword, and no name of a module.
    parser.set_defaults(part="imports")


async def measure(given: argparse.Namespace) -> int:
    """Measure, print and judge; 1 when a goal was missed."""
    about = machine()
    data = customers(given.rows, seed=1)
    async with open_ground() as ground, AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession())
        if given.before:
            elder_id, elder, _ = await ground.company("Elder", reps=0)
            before = Import(ground, session, elder_id, elder)
            await before.run(customers(given.before, seed=2))
        acme_id, manager, _ = await ground.company("Acme", reps=0)
        calm = await stack.enter_async_context(_calm(ground, session))
        await calm.work_until(_after(5.0))
        alone, calm.seen_ms = calm.seen_ms, []
        run = Import(ground, session, acme_id, manager)
        work = asyncio.create_task(run.run(data))
        await calm.work_until(work)
        await work
        results = _results(run, given.rows, alone, calm.seen_ms)
        if given.peer:
            results += await _peers(ground, data, run.took_s)
            results += await _floor(ground, acme_id, run)
        if not given.no_undo:
            results += await _undone(run)
    elders = f"{given.before:,} contacts of another company"
    facts = {"rows": f"{given.rows:,}", "bytes": f"{len(data):,}", "there before": elders}
    return report("Import", results, json_path=given.json, facts=facts, about=about)


def customers(rows: int, *, seed: int) -> bytes:
    """A customers' CSV as such exports are: two numbers in all kinds of forms, some not valid, an address, five more columns."""
    rnd = random.Random(seed)  # noqa: S311
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    names = ["".join(_syllables(rnd, 2)).title() for _ in range(1500)]
    words = ["".join(_syllables(rnd, 2)) for _ in range(3000)]
    countries = ("Haiti", "Germany", "Pitcairn Islands", "France", "Norway", "Chile", "Japan", "Kenya", "Malta", "Peru")
    for n in range(1, rows + 1):
        first, last, word = rnd.choice(names), rnd.choice(names), rnd.choice(words)
        company = f"{rnd.choice(names)} {rnd.choice(('Ltd', 'PLC', 'Inc', 'Group', 'and Sons'))}"
        customer = f"{rnd.getrandbits(48):x}"
        address = f"{word}{n}@{rnd.choice(words)}-{rnd.choice(words)}.{rnd.choice(('com', 'net', 'org', 'info', 'biz'))}"
        day = f"{rnd.randint(2020, 2022)}-{rnd.randint(1, 12):02}-{rnd.randint(1, 28):02}"
        place, country = f"{rnd.choice(('North', 'South', 'New', 'Port'))} {rnd.choice(names)}", rnd.choice(countries)
        site = f"https://www.{rnd.choice(words)}.com/"
        writer.writerow([n, customer, first, last, company, place, country, _number(rnd), _number(rnd), address, day, site])
    return out.getvalue().encode()


def _syllables(rnd: random.Random, most: int) -> Iterator[str]:
    for _ in range(rnd.randint(2, most + 1)):
        yield rnd.choice("bcdfghjklmnprstvw") + rnd.choice("aeiou") + rnd.choice(("", "n", "r", "s", "l"))


def _number(rnd: random.Random) -> str:
    form = rnd.choice(_NUMBERS)
    return form.format(rnd.randint(200, 999), f"{rnd.randint(200, 999)}", f"{rnd.randint(0, 9999):04}", rnd.randint(1, 99999))


@dataclass(slots=True)
class Import:
    """One import of one company, and what it cost."""

    ground: Ground
    session: ClientSession
    tenant_id: UUID
    manager: Member
    id: str = ""
    done: dict[str, Any] = field(default_factory=dict)
    upload_s: float = 0.0
    took_s: float = 0.0
    worker_cpu_s: float = 0.0
    postgres_cpu_s: float = 0.0
    worker_mb: float = 0.0
    progress: int = 0

    async def run(self, data: bytes) -> None:
        """Upload the file and wait until the people on the floor hear that it is done."""
        over = asyncio.get_running_loop().create_future()

        def heard(event: dict[str, Any], _at: float) -> None:
            self.progress += event["type"] == "import.progressed"
            if event["type"] in ("import.completed", "import.failed") and not over.done():
                over.set_result(time.perf_counter())

        async with listening(self.session, self.ground.url, self.manager.token, heard):
            form = FormData()
            form.add_field("file", io.BytesIO(data), filename="customers.csv", content_type="text/csv")
            began = time.perf_counter()
            self.id = (await self.ask("POST", "/imports", data=form))["id"]
            queued = time.perf_counter()
            pids = [*self.ground.worker_pids]
            before = [sum(map(_with_children, pids)), _with_children(self.ground.postgres_pid)]
            watch = asyncio.create_task(self._watch_memory())
            async with asyncio.timeout(_PATIENCE_S):
                ended = await over
            watch.cancel()
            self.upload_s, self.took_s = queued - began, ended - queued
            self.worker_cpu_s = sum(map(_with_children, pids)) - before[0]
            self.postgres_cpu_s = _with_children(self.ground.postgres_pid) - before[1]
        self.done = await self.ask("GET", f"/imports/{self.id}")

    async def _watch_memory(self) -> None:
        while True:
            self.worker_mb = max(self.worker_mb, *(resident_mb(pid) for pid in self.ground.worker_pids))
            await asyncio.sleep(0.1)

    async def ask(self, method: str, path: str, **more: Any) -> Any:
        """What the API answers. Raises RuntimeError for anything but success."""
        headers = {"Authorization": f"Bearer {self.manager.token}"}
        async with self.session.request(method, f"{self.ground.url}/api/v1{path}", headers=headers, **more) as answer:
            if answer.status >= 400:
                raise RuntimeError(f"{method} {path}: {answer.status} {await answer.text()}")
            return await answer.json()

    async def counts(self) -> dict[str, int]:
        """What is in the database."""
        async with tenant_tx(self.ground.db, Who.system(self.tenant_id)) as tx:
            row = await tx.fetchrow(_COUNTS)
        return dict(row or {})


def _with_children(pid: int) -> float:
    """Seconds of CPU of a process, its living children and those it has buried."""
    with contextlib.suppress(OSError, ValueError):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        buried = (int(fields[13]) + int(fields[14])) / 100
        alive = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return cpu_s(pid) + buried + sum(_with_children(int(child)) for child in alive)
    return 0.0


@dataclass(slots=True)
class Calm:
    """The company that works on: who writes notes, and when they are seen."""

    ground: Ground
    session: ClientSession
    person: Member
    contacts: list[str]
    sent: dict[str, float] = field(default_factory=dict)
    seen_ms: list[float] = field(default_factory=list)

    async def work_until(self, end: asyncio.Future[Any]) -> None:
        """Write notes at a steady pace until something else is over."""
        tasks: set[asyncio.Task[None]] = set()
        while not end.done():
            tasks.add(asyncio.create_task(self._note()))
            await asyncio.sleep(random.expovariate(_NOTES_S))
        await asyncio.gather(*tasks)
        await asyncio.sleep(0.5)

    def heard(self, event: dict[str, Any], at: float) -> None:
        """An event on the socket."""
        sent = self.sent.pop(event["data"].get("activity", {}).get("body", ""), None)
        if sent is not None:
            self.seen_ms.append((at - sent) * 1000)

    async def _note(self) -> None:
        text = f"note {random.random()}"  # noqa: S311
        self.sent[text] = time.time()
        url = f"{self.ground.url}/api/v1/contacts/{random.choice(self.contacts)}/notes"  # noqa: S311
        headers = {"Authorization": f"Bearer {self.person.token}"}
        async with self.session.post(url, json={"body": text}, headers=headers) as answer:
            await answer.read()


@asynccontextmanager
async def _calm(ground: Ground, session: ClientSession) -> AsyncIterator[Calm]:
    tenant_id, manager, _ = await ground.company("Calm", reps=0)
    calm = Calm(ground, session, manager, list(await add_contacts(ground, tenant_id, manager, 50)))
    async with listening(session, ground.url, manager.token, calm.heard):
        yield calm


def _after(seconds: float) -> asyncio.Future[None]:
    return asyncio.ensure_future(asyncio.sleep(seconds))


def _results(run: Import, rows: int, alone: list[float], beside: list[float]) -> list[Result]:
    done = run.done
    settled = done["created"] + done["updated"] + done["skipped"] + done["failed"]
    return [
        Result("uploaded over HTTP", run.upload_s, "s"),
        Result("from the queue to done", run.took_s, "s", GOAL_S * rows / ROWS if rows >= ROWS else None, at_most=True),
        Result("rows a second", rows / run.took_s, "rows/s"),
        Result("rows settled", settled if done["state"] == "done" else float("nan"), "rows", rows),
        Result("contacts created", done["created"], ""),
        Result("rows failed, each with its reason", done["failed"], ""),
        Result("CPU of the worker", run.worker_cpu_s, "s"),
        Result("CPU of Postgres", run.postgres_cpu_s, "s"),
        Result("the worker's memory, at most", run.worker_mb, "MB"),
        Result("times that progress was told", run.progress, ""),
        Result("another company's note to screen, calm p95", percentile(alone, 0.95), "ms"),
        Result("another company's note to screen, meanwhile p95", percentile(beside, 0.95), "ms", _SCREEN_MS, at_most=True),
    ]


async def _undone(run: Import) -> list[Result]:
    there = await run.counts()
    began = time.perf_counter()
    await run.ask("POST", f"/imports/{run.id}/undo")
    async with asyncio.timeout(_PATIENCE_S):
        while (await run.ask("GET", f"/imports/{run.id}"))["state"] != "undone":  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    took = time.perf_counter() - began
    left = await run.counts()
    return [
        Result("contacts there and to be found", min(there["contacts"], there["found"]), "", run.done["created"]),
        Result("taken back in", took, "s"),
        Result("contacts left by the undo", max(left["contacts"], left["found"]), "", 0.0, at_most=True),
    ]


async def _peers(ground: Ground, data: bytes, took_s: float) -> list[Result]:
    """The same rows by COPY into a bare copy of the contacts, and row by row into one plain table; nothing in them is checked."""
    conn = await asyncpg.connect(ground.admin_url)
    try:
        await conn.execute(_PEER_TABLES)
        began = time.perf_counter()
        rows = csv.reader(io.StringIO(data.decode()))
        next(rows)
        tenant = UUID(int=1)
        copied = [(tenant, UUID(int=n), row[2], row[3], row[4], _rest_of(row)) for n, row in enumerate(rows)]
        names = ["tenant_id", "id", "first_name", "last_name", "company", "custom"]
        await conn.copy_records_to_table("peer_copied", records=copied, columns=names)
        copy_s = time.perf_counter() - began
        began = time.perf_counter()
        rows = csv.reader(io.StringIO(data.decode()))
        next(rows)
        columns = "first_name, last_name, company, phone, email, custom"
        insert = f"INSERT INTO peer_inserted ({columns}) VALUES ($1, $2, $3, $4, $5, $6)"  # noqa: S608
        while several := [(row[2], row[3], row[4], row[7], row[9], _rest_of(row)) for row in islice(rows, 1000)]:
            async with conn.transaction():
                await conn.executemany(insert, several)
        many_s = time.perf_counter() - began
    finally:
        await conn.close()
    return [
        Result("peer: COPY into a bare copy of the table", copy_s, "s"),
        Result("peer: one INSERT a row (executemany) into one table", many_s, "s"),
        Result("Ringside to COPY", took_s / copy_s, "times"),
        Result("Ringside to one INSERT a row", took_s / many_s, "times"),
    ]


async def _floor(ground: Ground, tenant_id: UUID, run: Import) -> list[Result]:
    """The contacts that were made, by COPY into copies of their tables with all indexes: what Postgres needs, whoever asks.

    Nothing is read, looked up, checked against other tables, kept for the undo or told; there is no row-level security.
    """
    conn = await asyncpg.connect(ground.admin_url)
    try:
        cpu = took = 0.0
        for table, columns in _TABLES.items():
            await conn.execute(f"CREATE TABLE floor_{table} (LIKE {table} INCLUDING ALL)")
            rows = io.BytesIO()
            query = f"SELECT {columns} FROM {table} WHERE tenant_id = $1"  # noqa: S608
            await conn.copy_from_query(query, tenant_id, output=rows, format="binary")
            rows.seek(0)
            before, began = _with_children(ground.postgres_pid), time.perf_counter()
            await conn.copy_to_table(f"floor_{table}", source=rows, columns=columns.split(", "), format="binary")
            took += time.perf_counter() - began
            cpu += _with_children(ground.postgres_pid) - before
    finally:
        await conn.close()
    return [
        Result("floor: COPY into the same tables with their indexes", took, "s"),
        Result("floor: CPU of Postgres for it", cpu, "s"),
        Result("CPU of Postgres to the floor", run.postgres_cpu_s / cpu if cpu else float("nan"), "times"),
    ]


def _rest_of(row: list[str]) -> str:
    return orjson.dumps(dict(zip(COLUMNS[5:], row[5:], strict=True))).decode()
