"""A whole import or undo, batch after batch, as its worker does it. The file is read in a thread, beside the worker's loop."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from itertools import islice
from typing import BinaryIO, Protocol
from uuid import UUID

from hub.db import Tx
from hub.imports import actions, queries, undo
from hub.imports.actions import Batch, Standing
from hub.imports.reading import NotCsv, Shape, records, survey
from hub.imports.rows import BadRow, Plan, Row, choose_fields, make_plan, read_row

MAX_ROWS = 1_000_000
BATCH_ROWS = 1000
_PROGRESS_EVERY_S = 0.25


class Lease(Protocol):
    """The hold on a job: its transactions, and how to keep it while there is work."""

    def tx(self) -> AbstractAsyncContextManager[Tx]:
        """An ordinary transaction."""

    def finish(self) -> AbstractAsyncContextManager[Tx]:
        """The last transaction, which also ends the job."""

    async def extend(self, tx: Tx) -> None:
        """Hold the job longer, once `tx` commits. Raises when it was lost."""


class _Clock:
    """Says when it is time to tell of the progress again."""

    def __init__(self) -> None:
        self._told = 0.0

    def is_time(self) -> bool:
        now = time.monotonic()
        if now - self._told < _PROGRESS_EVERY_S:
            return False
        self._told = now
        return True


async def run_import(lease: Lease, import_id: UUID) -> None:
    """Import what is left of a file: from its beginning, or from where another worker was stopped."""
    async with lease.tx() as tx:
        standing = await actions.lock_import(tx, import_id)
        owners = await queries.owners_by_name(tx)
    if standing.state not in ("queued", "running") or standing.undo_asked_at is not None:
        async with lease.finish():
            return
    with tempfile.TemporaryFile() as file, ThreadPoolExecutor(1, "import") as reader:
        loop = asyncio.get_running_loop()
        await _fetch_file(lease, import_id, file)
        try:
            standing = await _surveyed(lease, import_id, standing, file, reader)
        except NotCsv as exc:
            async with lease.finish() as tx:
                await actions.fail(tx, import_id, str(exc))
            return
        assert standing.shape is not None
        fields = choose_fields(standing.columns, standing.mapping)
        plan = make_plan(standing.columns, fields, standing.region, owners)
        batches = read_batches(file, standing.shape, plan, standing.processed)
        clock = _Clock()
        coming = loop.run_in_executor(reader, _next, batches)
        try:
            while (batch := await coming) is not None:
                # The next rows are read while Postgres takes these.
                coming = loop.run_in_executor(reader, _next, batches)
                async with lease.tx() as tx:
                    await lease.extend(tx)
                    await actions.import_batch(tx, import_id, batch, standing.duplicates, tell=clock.is_time())
        finally:
            await asyncio.gather(coming, return_exceptions=True)
            batches.close()
    async with lease.tx() as tx:
        await lease.extend(tx)
        await actions.refresh_statistics(tx, import_id)
    async with lease.finish() as tx:
        await actions.complete(tx, import_id)


async def _fetch_file(lease: Lease, import_id: UUID, file: BinaryIO) -> None:
    """The uploaded pieces, put together on this machine."""
    position = 0
    while True:
        async with lease.tx() as tx:
            await lease.extend(tx)
            for _ in range(8):
                data = await queries.get_chunk(tx, import_id, position)
                if data is None:
                    return
                await asyncio.to_thread(file.write, data)
                position += 1


async def _surveyed(lease: Lease, import_id: UUID, standing: Standing, file: BinaryIO, reader: ThreadPoolExecutor) -> Standing:
    """The import with its shape and columns known. Raises NotCsv when the file as a whole can't be imported."""
    if standing.shape is not None:
        return standing
    found = await asyncio.get_running_loop().run_in_executor(reader, survey, file, MAX_ROWS)
    async with lease.tx() as tx:
        await lease.extend(tx)
        await actions.begin_run(tx, import_id, found)
        return await actions.lock_import(tx, import_id)


def read_batches(file: BinaryIO, shape: Shape, plan: Plan, skip: int) -> Generator[Batch]:
    """The rows after the first `skip`, read and checked, in batches."""
    file.seek(0)
    rows = records(file, shape)
    start = skip
    # The header is a record too.
    rest = islice(rows, 1 + skip, None)
    try:
        while several := list(islice(rest, BATCH_ROWS)):
            read = [read_row(plan, line, cells, problem) for line, cells, problem in several]
            good = [row for row in read if isinstance(row, Row)]
            yield Batch(start, good, [row for row in read if isinstance(row, BadRow)])
            start += len(several)
    finally:
        rows.close()


def _next(batches: Generator[Batch]) -> Batch | None:
    return next(batches, None)


async def run_undo(lease: Lease, import_id: UUID) -> None:
    """Take back what is left to be taken back of an import."""
    async with lease.tx() as tx:
        standing = await actions.lock_import(tx, import_id)
    clock = _Clock()
    if standing.state == "running" and standing.undo_asked_at is not None:
        more = True
        while more:
            async with lease.tx() as tx:
                await lease.extend(tx)
                more = await undo.undo_batch(tx, import_id, BATCH_ROWS, tell=clock.is_time())
    async with lease.finish() as tx:
        await undo.finish_undo(tx, import_id)


async def give_up(tx: Tx, import_id: UUID, why: str) -> None:
    """The last attempt at an import or its undo failed: say so where people look."""
    standing = await actions.lock_import(tx, import_id)
    if standing.undo_asked_at is not None:
        await undo.give_up_undo(tx, import_id, why)
    else:
        await actions.fail(tx, import_id, why)
