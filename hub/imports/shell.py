"""`ringside import FILE`: the same import as over HTTP, from the shell, with a progress bar."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TextIO, cast
from uuid import UUID

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from hub.config import Settings
from hub.db import Database, tenant_tx
from hub.errors import HubError, Invalid
from hub.hints import RedisHints
from hub.imports import queries
from hub.imports.failures import stream_failures
from hub.imports.merging import Duplicates
from hub.imports.upload import CHUNK_BYTES, MAX_BYTES, Upload
from hub.sqlfiles import load_sql
from hub.who import Who

# Runs a queued import in this process; False when somebody else has it.
RunHere = Callable[[Database, Settings, UUID, UUID], Awaitable[bool]]

_PATIENCE_S = 5.0
_LOOK_EVERY_S = 0.1
_SQL = load_sql("imports")


def add_options(parser: argparse.ArgumentParser) -> None:
    """FILE, --company, --duplicates, --region, --map"""
    parser.add_argument("file", type=Path, metavar="FILE", help="a CSV of contacts")
    parser.add_argument("--company", metavar="NAME", help="the company to import into (needed when there are several)")
    parser.add_argument(
        "--duplicates",
        choices=("update", "skip"),
        default="update",
        help="what happens to contacts that are there already (default: update)",
    )
    parser.add_argument(
        "--region", default="US", metavar="CC", help="the country of numbers without a country code (default: US)"
    )
    parser.add_argument(
        "--map",
        dest="maps",
        action="append",
        default=[],
        metavar="COLUMN=FIELD",
        help="what a column holds, for example 'Mail 2=email'; an empty FIELD keeps it as a custom field",
    )


def run(given: argparse.Namespace, settings: Settings, here: RunHere | None = None) -> int:
    """Do what the options ask for; the exit code."""
    mapping: dict[str, str | None] = {}
    for text in given.maps:
        column, equals, field = text.rpartition("=")
        if not equals:
            print(f"--map {text!r} should be COLUMN=FIELD.", file=sys.stderr)
            return 2
        mapping[column] = field or None
    work = import_file(
        settings,
        given.file,
        tenant=given.company,
        duplicates=given.duplicates,
        region=given.region,
        mapping=mapping,
        progress=sys.stderr.isatty(),
        here=here,
    )
    return asyncio.run(work)


async def import_file(
    settings: Settings,
    path: Path,
    *,
    tenant: str | None = None,
    duplicates: Duplicates = "update",
    region: str = "US",
    mapping: Mapping[str, str | None] | None = None,
    progress: bool = True,
    here: RunHere | None = None,
    out: TextIO | None = None,
) -> int:
    """Import a file into a company and wait for its end; 0 when it is done, 1 when it could not be imported.

    tenant: the company's name; may be left out when there is only one. progress: show a bar on standard error.
    here: does the import in this process when no worker has begun within five seconds. out: where the result is printed.
    """
    out = out or sys.stdout
    hints = RedisHints(settings.redis_url, process="import")
    try:
        await hints.start()
        db = await Database.open(settings.database_url, notifier=hints, max_size=4, name="ringside import")
        try:
            who = await _company(db, tenant)
            import_id = await _upload(db, who, path, duplicates, region, mapping or {})
            result = await _follow(db, settings, who, import_id, progress, here)
            return await _report(db, who, result, path, out)
        finally:
            await db.close()
    except HubError as problem:
        print(problem.message, file=sys.stderr)
        return 1
    except OSError as problem:
        print(f"{path}: {problem.strerror or problem}", file=sys.stderr)
        return 1
    finally:
        await hints.stop()


async def _company(db: Database, name: str | None) -> Who:
    found = await db.system_fetch(_SQL["companies"], name=name)
    if len(found) == 1:
        return Who.system(found[0]["tenant_id"], "ringside import")
    if name is None:
        every = ", ".join(row["name"] for row in found[:20]) or "none yet"
        raise Invalid(f"Which company? Name it with --company. There are: {every}.")
    raise Invalid(f"There {'is no company' if not found else 'are several companies'} called {name!r}.")


async def _upload(
    db: Database, who: Who, path: Path, duplicates: Duplicates, region: str, mapping: Mapping[str, str | None]
) -> UUID:
    if path.stat().st_size > MAX_BYTES:
        raise Invalid(f"The file is larger than {MAX_BYTES // 1_000_000} MB. Split it and import the parts one after the other.")
    texts = {"duplicates": duplicates, "default_region": region, "mapping": orjson.dumps(mapping).decode()}
    async with Upload(db, who) as upload:
        with path.open("rb") as file:
            while piece := await asyncio.to_thread(file.read, CHUNK_BYTES):
                await upload.add(piece, path.name)
        return await upload.queue(texts)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=Console(stderr=True)
    )


async def _follow(
    db: Database, settings: Settings, who: Who, import_id: UUID, progress: bool, here: RunHere | None
) -> dict[str, Any]:
    """Wait for the import's end. Nobody began within the patience: do it here."""
    begun, mine = time.monotonic(), None
    bar = _bar() if progress else None
    task: TaskID | None = bar.add_task("waiting for a worker", total=None) if bar else None
    with bar or nullcontext():
        try:
            while True:
                async with tenant_tx(db, who) as tx:
                    now = cast(dict[str, Any], orjson.loads(await queries.get_import(tx, import_id) or "{}"))
                if bar and task is not None and now["state"] != "queued":
                    bar.update(task, description="importing", total=now["rows"], completed=now["processed"])
                if now["state"] not in ("queued", "running"):
                    return now
                if mine is not None and mine.done() and mine.exception() is not None:
                    await mine
                if mine is None and here and now["state"] == "queued" and time.monotonic() - begun > _PATIENCE_S:
                    mine = asyncio.ensure_future(here(db, settings, who.tenant_id, import_id))
                await asyncio.sleep(_LOOK_EVERY_S)
        finally:
            if mine is not None:
                await asyncio.gather(mine, return_exceptions=True)


async def _report(db: Database, who: Who, result: dict[str, Any], path: Path, out: TextIO) -> int:
    counts = ", ".join(f"{result[name]:,} {name}" for name in ("created", "updated", "skipped", "failed"))
    print(f"{path.name}: {result['processed']:,} rows: {counts}.", file=out)
    if result["warnings"]:
        print(f"{result['warnings']:,} of the imported rows have something in them that was kept as a custom field.", file=out)
    if result["failed"]:
        bad = path.with_name(path.name + ".failures.csv")
        async with tenant_tx(db, who) as tx:
            found = await queries.get_columns(tx, UUID(result["id"]))
        with bad.open("wb") as file:
            async for piece in stream_failures(db, who, UUID(result["id"]), found[1] if found else []):
                await asyncio.to_thread(file.write, piece)
        print(f"The rows that failed are in {bad}, each with its reason. Put them right and import that file.", file=out)
    if result["state"] != "done":
        print(result["error"] or f"The import is {result['state']}.", file=sys.stderr)
        return 1
    return 0
