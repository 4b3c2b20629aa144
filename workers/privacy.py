"""The jobs of privacy: exports, erasures, and each night's retention."""

from __future__ import annotations

import asyncio
import tempfile
import zipfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from hub.billing.mirroring import forget_customer
from hub.db import tenant_tx
from hub.privacy import actions, erasing, exporting, retaining
from hub.who import Who
from integrations.errors import Rejected
from integrations.ports import ObjectStore
from workers.cron import duty
from workers.job import Deps, NotNow, Permanent, Run, is_permanent, job
from workers.ledger import LostLease

_TIMEOUT_S = 300.0
_AGAIN_S = 15.0
_PIECE = 256 * 1024
_NIGHT_S = 86_400.0


def _store(run: Run) -> ObjectStore:
    if run.deps.objects is None:
        raise Permanent("No store for files is set up. Set RINGSIDE_OBJECTS.")
    return run.deps.objects


@asynccontextmanager
async def _or_failed(run: Run, request_id: UUID) -> AsyncIterator[None]:
    """Says of a request that it failed, once nobody tries any more."""
    try:
        yield
    except (NotNow, LostLease):
        raise
    except Exception as exc:
        if is_permanent(exc) or run.job.attempts >= run.job.max_attempts:
            async with run.tx() as tx:
                await actions.settle(tx, request_id, "failed", error=f"It could not be done: {str(exc) or repr(exc)}"[:500])
                await actions.tell(tx, request_id)
        raise


@job(actions.EXPORT, timeout_s=_TIMEOUT_S, backoff_s=5.0, beats=True)
async def export(run: Run) -> None:
    """Put somebody's or the company's data together as a zip, and keep it for a week."""
    request_id = UUID(run.job.args["request_id"])
    async with _or_failed(run, request_id):
        await _export(run, request_id, _store(run))


async def _export(run: Run, request_id: UUID, store: ObjectStore) -> None:
    async with run.tx() as tx:
        row = await actions.begin(tx, request_id)
        if row is None:
            return
        tables = await exporting.tables_of(tx, row["subject_kind"])
        files = await exporting.files_of(tx, row["subject_kind"], row["subject_id"])
    counts: dict[str, int] = {}
    key = exporting.export_key(run.job.tenant_id, request_id)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
            await _put_rows(run, bundle, row, tables, counts, len(tables) + len(files))
            for at, (name, object_key) in enumerate(files):
                if at % 20 == 0:
                    await _say(run, request_id, "Copying recordings and mail", len(tables) + at, len(tables) + len(files))
                if await _put_file(store, bundle, name, object_key):
                    counts["files"] = counts.get("files", 0) + 1
        size = await store.put(key, _pieces(path), "application/zip")
    async with run.finish() as tx:
        await actions.settle(tx, request_id, "done", counts=counts, object_key=key, size=size)
        await actions.tell(tx, request_id)


async def _put_rows(
    run: Run, bundle: zipfile.ZipFile, row: asyncpg.Record, tables: Sequence[exporting.Table], counts: dict[str, int], total: int
) -> None:
    async with run.tx() as tx:
        accounts = [line async for line in exporting.people(tx, row["subject_kind"], row["subject_id"])]
        company = await exporting.company_name(tx)
    made_at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    bundle.writestr("README.txt", exporting.read_me(row["subject_kind"], row["label"], company, made_at))
    if accounts:
        bundle.writestr("data/people.jsonl", "".join(f"{line}\n" for line in accounts))
        counts["people"] = len(accounts)
    for at, table in enumerate(tables):
        await _say(run, row["id"], f"Reading {table.name.replace('_', ' ')}", at, total)
        after: tuple[Any, ...] | None = None
        with tempfile.TemporaryFile() as lines:
            while True:
                async with run.tx() as tx:
                    text, read, after = await exporting.rows_of(tx, table, row["subject_id"], after)
                lines.write(text)
                counts[table.name] = counts.get(table.name, 0) + read
                if after is None:
                    break
            if not counts[table.name]:
                del counts[table.name]
                continue
            lines.seek(0)
            with bundle.open(f"data/{table.name}.jsonl", "w", force_zip64=True) as entry:
                while piece := lines.read(_PIECE):
                    await asyncio.to_thread(entry.write, piece)


async def _put_file(store: ObjectStore, bundle: zipfile.ZipFile, name: str, key: str) -> bool:
    try:
        await store.size(key)
    except Rejected as gone:
        if gone.status == 404:
            return False
        raise
    with bundle.open(name, "w", force_zip64=True) as entry:
        async for piece in store.read(key):
            await asyncio.to_thread(entry.write, piece)
    return True


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece


async def _say(run: Run, request_id: UUID, step: str, done: int, total: int) -> None:
    async with run.tx() as tx:
        await run.extend(tx)
        await actions.progress(tx, request_id, step, done, total)


@job(actions.ERASE, timeout_s=_TIMEOUT_S, backoff_s=5.0, beats=True)
async def erase(run: Run) -> None:
    """Erase a contact, a former member or the company from the tables, the store and the event log."""
    request_id = UUID(run.job.args["request_id"])
    async with _or_failed(run, request_id):
        await _erase(run, request_id, _store(run))


async def _erase(run: Run, request_id: UUID, store: ObjectStore) -> None:
    async with run.tx() as tx:
        row = await actions.begin(tx, request_id)
        if row is None:
            return
        if await erasing.is_in_use(tx, row["subject_kind"], row["subject_id"]):
            raise NotNow(_AGAIN_S)
    entry = erasing.manifest_entry(run.job.tenant_id, request_id, row["subject_kind"], row["subject_id"])
    await store.put(erasing.manifest_key(run.job.tenant_id, request_id), _whole(entry), "application/json")
    if row["subject_kind"] == "company":
        await _erase_company(run, request_id, store)
        return
    async with run.tx() as tx:
        if row["subject_kind"] == "contact" and not await erasing.silence(tx, row["subject_id"]):
            raise NotNow(_AGAIN_S)
        await actions.progress(tx, request_id, "Erasing", 0, 1)
    async with run.tx() as tx:
        await erasing.erase_subject(tx, request_id, row["subject_kind"], row["subject_id"])
    async with run.tx() as tx:
        left = await actions.begin(tx, request_id)
        ranges = await erasing.log_ranges(tx)
    assert left is not None
    for at, (after, upto) in enumerate(ranges):
        async with run.tx() as tx:
            await erasing.erase_from_events(tx, left["needles"], after, upto)
            await run.extend(tx)
            await actions.progress(tx, request_id, "Searching the event log", at + 1, len(ranges))
    last: UUID | None = UUID(int=0)
    while last is not None:
        async with run.tx() as tx:
            last = await erasing.erase_from_answers(tx, left["needles"], last)
            await run.extend(tx)
    for key in left["files"]:
        await store.delete(key)
    async with run.finish() as tx:
        await actions.settle(tx, request_id, "done")
        await actions.tell_erased(tx, request_id)


async def _erase_company(run: Run, request_id: UUID, store: ObjectStore) -> None:
    await forget_customer(run.deps.db, run.deps.payments, run.job.tenant_id)
    await _say(run, request_id, "Deleting files", 0, 0)
    async with run.tx() as tx:
        keys = await erasing.company_files(tx)
    for at, key in enumerate(keys):
        if at % 100 == 0:
            await _say(run, request_id, "Deleting files", at, len(keys))
        await store.delete(key)
    gone = 0
    while True:
        async with run.tx() as tx:
            erased = await erasing.erase_company(tx, request_id)
            gone += erased
            await run.extend(tx)
        if erased == 0:
            break
    async with run.finish() as tx:
        await erasing.erase_company(tx, request_id, last=True)
    run.deps.db.notifier.access_changed()


async def _whole(data: bytes) -> AsyncIterator[bytes]:
    yield data


@job("privacy.retain", timeout_s=_TIMEOUT_S, backoff_s=30.0, beats=True)
async def retain(run: Run) -> None:
    """Take what is older than the company keeps, kind by kind, some at a time."""
    counts: dict[str, int] = {}
    for kind in retaining.KINDS:
        while True:
            async with run.tx() as tx:
                purged, files = await retaining.purge(tx, kind)
                await run.extend(tx)
            for key in files:
                await _store(run).delete(key)
            if not purged:
                break
            counts[kind] = counts.get(kind, 0) + purged
    async with run.finish() as tx:
        if counts:
            await retaining.report(tx, counts)


@duty(every_s=_NIGHT_S / 24, jitter_s=600.0)
async def retain_each_night(deps: Deps) -> None:
    """Let each company that keeps things for a time only have its nightly job: one a day, whoever asks first."""
    today = datetime.now(UTC).date().isoformat()
    for tenant_id in await retaining.companies(deps.db):
        async with tenant_tx(deps.db, Who.system(tenant_id)) as tx:
            await tx.defer("privacy.retain", {}, key=f"privacy.retain:{today}")


@duty(every_s=3600.0, jitter_s=300.0)
async def delete_expired_exports(deps: Deps) -> None:
    """Delete exports that lay for a week."""
    if deps.objects is None:
        return
    for tenant_id, request_id, key in await retaining.expired_exports(deps.db):
        await deps.objects.delete(key)
        async with tenant_tx(deps.db, Who.system(tenant_id)) as tx:
            await retaining.forget_file(tx, request_id)
