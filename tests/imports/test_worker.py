"""The import's jobs in a real worker, and what happens when it is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from hub.db import Database, tenant_tx
from hub.imports import actions, running, undo
from tests.conftest import Company, TestDatabase
from tests.harness import make_settings, until
from tests.imports.kit import Held, added_up, all_contacts, as_csv, put_file, seen
from tests.patience import PATIENCE_S
from workers import imports as jobs
from workers.imports import sweep_imports
from workers.job import Deps, Run
from workers.ledger import Ledger
from workers.run import run_worker

ROOT = Path(__file__).resolve().parents[2]
DATA = as_csv(("Name", "Email"), *[[f"P {n}", f"p{n}@x.com"] for n in range(3000)])
_CHILD = """
import asyncio, sys
from uuid import UUID
from hub.db import Database
from hub.imports import actions, running, undo
from tests.imports.kit import Held
real = actions.import_batch
async def halfway(tx, import_id, batch, *more, **named):
    if batch.start >= 1500:
        await asyncio.Event().wait()
    return await real(tx, import_id, batch, *more, **named)
async def main():
    running.BATCH_ROWS = 10
    actions.import_batch = halfway
    db = await Database.open(sys.argv[1])
    await running.run_import(Held(db, UUID(sys.argv[2])), UUID(sys.argv[3]))
asyncio.run(main())
"""


async def test_after_kill_minus_nine_another_process_goes_on(db: Database, database: TestDatabase, acme: Company) -> None:
    import_id = await put_file(db, acme.who(), DATA)

    async def far_enough() -> bool:
        return bool((await seen(db, acme, import_id))["processed"] >= 200)

    # It is killed wherever it is by then; were nobody to look for long, it would wait halfway.
    arguments = ["-c", _CHILD, database.app_url, str(acme.tenant_id), str(import_id)]
    child = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT, env=dict(os.environ))
    try:
        await until(far_enough)
    finally:
        child.send_signal(signal.SIGKILL)
        await child.wait()
    stopped = await seen(db, acme, import_id)
    assert stopped["state"] == "running"
    assert stopped["processed"] == stopped["created"] < 3000

    await running.run_import(Held(db, acme.tenant_id), import_id)

    done = await seen(db, acme, import_id)
    assert (done["state"], done["created"], done["updated"]) == ("done", 3000, 0)
    assert added_up(done)
    assert len(await all_contacts(db, acme)) == 3000


async def test_a_worker_imports_and_undoes(db: Database, database: TestDatabase, acme: Company, valkey_url: str) -> None:
    stop, started = asyncio.Event(), asyncio.Event()
    settings = make_settings(database.app_url, valkey_url)
    worker = asyncio.create_task(run_worker(settings, stop=stop, started=lambda *_: started.set()))
    await asyncio.wait_for(started.wait(), PATIENCE_S)
    try:
        import_id = await put_file(db, acme.who(), DATA)

        async def is_in(state: str) -> bool:
            return bool((await seen(db, acme, import_id))["state"] == state)

        await until(lambda: is_in("done"))
        assert len(await all_contacts(db, acme)) == 3000
        async with tenant_tx(db, acme.who()) as tx:
            await actions.ask_undo(tx, import_id)
        await until(lambda: is_in("undone"))
        assert await all_contacts(db, acme) == []
    finally:
        stop.set()
        await asyncio.wait_for(worker, PATIENCE_S)


async def test_the_files_of_one_company_take_turns_and_lose_no_attempt_by_that(
    db: Database, database: TestDatabase, acme: Company, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_it, under_way, most = running.run_import, 0, 0
    admin = await asyncpg.connect(database.admin_url)

    async def sent_away() -> bool:
        return bool(await admin.fetchval("SELECT count(*) > 1 FROM jobs WHERE kind = 'imports.run' AND pardoned > 0"))

    async def counted(lease: running.Lease, import_id: UUID) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await until(sent_away)
        await import_it(lease, import_id)
        under_way -= 1

    monkeypatch.setattr(running, "run_import", counted)
    ids = [await put_file(db, acme.who(), as_csv(("Name", "Email"), [f"P {n}", f"p{n}@x.com"])) for n in range(3)]
    stop = asyncio.Event()
    worker = asyncio.create_task(run_worker(make_settings(database.app_url, valkey_url), stop=stop))

    async def all_done() -> bool:
        return all([(await seen(db, acme, import_id))["state"] == "done" for import_id in ids])

    try:
        await until(all_done)
    finally:
        stop.set()
        await asyncio.wait_for(worker, PATIENCE_S)
        tries = await admin.fetch("SELECT attempts - pardoned AS tries FROM jobs WHERE kind = 'imports.run'")
        await admin.close()
    assert most == 1
    assert [row["tries"] for row in tries] == [1, 1, 1]


async def _last_attempt(db: Database, database: TestDatabase, acme: Company, import_id: UUID, kind: str) -> Run:
    async with tenant_tx(db, acme.who()) as tx:
        job_id = await tx.conn.fetchval("SELECT id FROM jobs WHERE args ->> 'import_id' = $1 AND kind = $2", str(import_id), kind)
        await tx.conn.execute("UPDATE jobs SET max_attempts = 1")
    ledger = Ledger(db, "test", {})
    job = await ledger.claim(acme.tenant_id, job_id)
    assert job is not None
    return Run(ledger, job, Deps(db, make_settings(database.app_url, "redis://127.0.0.1:1")), 20.0)


async def test_when_the_last_attempt_fails_the_import_says_so(
    db: Database, database: TestDatabase, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    import_id = await put_file(db, acme.who(), DATA)
    monkeypatch.setattr(actions, "import_batch", broken)
    with pytest.raises(ZeroDivisionError):
        await jobs.run_import.function(await _last_attempt(db, database, acme, import_id, "imports.run"))
    monkeypatch.undo()
    failed = await seen(db, acme, import_id)
    assert failed["state"] == "failed"
    assert "went wrong on our side (ZeroDivisionError)" in failed["error"]

    async with tenant_tx(db, acme.who()) as tx:
        await actions.ask_undo(tx, import_id)
    monkeypatch.setattr(undo, "undo_batch", broken)
    with pytest.raises(ZeroDivisionError):
        await jobs.undo_import.function(await _last_attempt(db, database, acme, import_id, "imports.undo"))
    monkeypatch.undo()
    assert (await seen(db, acme, import_id))["state"] == "failed"


async def test_the_sweep_forgets_unfinished_uploads_and_ends_imports_that_nobody_will_do(
    db: Database, database: TestDatabase, acme: Company
) -> None:
    stuck = await put_file(db, acme.who(), DATA)
    waiting = await put_file(db, acme.who(), DATA)
    async with tenant_tx(db, acme.who()) as tx:
        await actions.begin_upload(tx, "young.csv")
        await actions.begin_upload(tx, "old.csv")
        await tx.conn.execute("UPDATE jobs SET state = 'dead' WHERE args ->> 'import_id' = $1", str(stuck))
    admin = await asyncpg.connect(database.admin_url)
    await admin.execute("UPDATE imports SET created_at = now() - interval '3 hours' WHERE filename = 'old.csv'")

    await sweep_imports.function(Deps(db, make_settings(database.app_url, "redis://127.0.0.1:1")))

    assert await admin.fetchval("SELECT array_agg(filename) FROM imports WHERE state = 'uploading'") == ["young.csv"]
    await admin.close()
    assert (await seen(db, acme, stuck))["state"] == "failed"
    assert (await seen(db, acme, waiting))["state"] == "queued"
