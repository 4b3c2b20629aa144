"""A whole import or undo, batch after batch, as its worker does it. The file is read beside the worker's loop."""

from __future__ import annotations

import asyncio
import gc
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, aclosing
from typing import BinaryIO, Protocol
from uuid import UUID

from hub.db import Tx
from hub.imports import actions, queries, undo
from hub.imports.actions import Standing
from hub.imports.reader import GARBAGE, Order, follow
from hub.imports.reading import NotCsv, survey
from hub.imports.rows import choose_fields, make_plan
from hub.imports.writing import Findable

MAX_ROWS = 1_000_000
BATCH_ROWS = 2000
# Beside other companies' jobs an import goes gently: one thing at a time, in smaller pieces, and after each of them it rests so
# many times as long as the piece took. Two processors have nothing left for others while one import reads, writes and indexes.
GENTLE_BATCH_ROWS = 500
_REST = 2.0
_LONGEST_REST_S = 1.0
_PROGRESS_EVERY_S = 0.25
# A thread that reads or merges never lets go of the interpreter by itself. With Python's 5 ms the loop waits that long after each
# answer of Postgres, the larger part of an import; so do the other jobs of this worker.
_TURN_S = 0.0005


class Lease(Protocol):
    """The hold on a job: its transactions, and how to keep it while there is work."""

    @property
    def is_beside_others(self) -> bool:
        """Are other companies' jobs about in this worker?"""

    def tx(self) -> AbstractAsyncContextManager[Tx]:
        """An ordinary transaction."""

    def finish(self) -> AbstractAsyncContextManager[Tx]:
        """The last transaction, which also ends the job."""

    async def extend(self, tx: Tx) -> None:
        """Hold the job longer, once `tx` commits. Raises when it was lost."""


class _Clock:
    """Says when it is time to tell of the progress again."""

    def __init__(self) -> None:
        self._told = float("-inf")  # a machine that has just started counts from nought

    def is_time(self) -> bool:
        now = time.monotonic()
        if now - self._told < _PROGRESS_EVERY_S:
            return False
        self._told = now
        return True


class _Quickly:
    """The interpreter, set for reading much in a thread beside a loop while any import of this process is under way."""

    def __init__(self) -> None:
        self._running = 0
        self._before: tuple[float, tuple[int, int, int]] = (0.005, (700, 10, 10))

    def __enter__(self) -> None:
        if not self._running:
            self._before = sys.getswitchinterval(), gc.get_threshold()
            sys.setswitchinterval(_TURN_S)
            gc.set_threshold(*GARBAGE)
        self._running += 1

    def __exit__(self, *_: object) -> None:
        self._running -= 1
        if not self._running:
            sys.setswitchinterval(self._before[0])
            gc.set_threshold(*self._before[1])


_quickly = _Quickly()


async def run_import(lease: Lease, import_id: UUID) -> None:
    """Import what is left of a file: from its beginning, or from where another worker was stopped."""
    async with lease.tx() as tx:
        standing = await actions.lock_import(tx, import_id)
        owners = await queries.owners_by_name(tx)
    if standing.state not in ("queued", "running") or standing.undo_asked_at is not None:
        async with lease.finish():
            return
    await _catch_up(lease, import_id)
    with _quickly, tempfile.TemporaryFile() as file, ThreadPoolExecutor(1, "import") as reader:
        await _fetch_file(lease, import_id, file)
        # The process that reads it has no share in what Python holds back.
        file.flush()
        size = file.tell()
        try:
            standing = await _surveyed(lease, import_id, standing, file, reader)
        except NotCsv as exc:
            async with lease.finish() as tx:
                await actions.fail(tx, import_id, str(exc))
            return
        assert standing.shape is not None
        fields = choose_fields(standing.columns, standing.mapping)
        plan = make_plan(standing.columns, fields, standing.region, owners)
        batch_rows = min(BATCH_ROWS, GENTLE_BATCH_ROWS) if lease.is_beside_others else BATCH_ROWS
        order = Order(standing.shape, plan, standing.processed, batch_rows)
        clock = _Clock()
        search = _Search(lease, import_id)
        try:
            # The next rows are read while Postgres takes these.
            async with aclosing(follow(file, size, order, reader)) as batches:
                async for batch in batches:
                    began = time.monotonic()
                    async with lease.tx() as tx:
                        await lease.extend(tx)
                        tell = clock.is_time()
                        new = await actions.import_batch(
                            tx, import_id, batch, standing.duplicates, tell=tell, settled=search.settled
                        )
                    await search.add(batch.start, new)
                    if lease.is_beside_others:
                        await search.settled()
                        await _rest(time.monotonic() - began)
            await search.settled()
        finally:
            await asyncio.gather(search.settled(), return_exceptions=True)
    async with lease.tx() as tx:
        await lease.extend(tx)
        await actions.refresh_statistics(tx, import_id)
    async with lease.finish() as tx:
        await actions.complete(tx, import_id)


async def _rest(took_s: float) -> None:
    await asyncio.sleep(min(_REST * took_s, _LONGEST_REST_S))


class _Search:
    """Makes the new contacts of a batch to be found, on a connection of its own while the next batch goes in.

    A third of what Postgres does for a contact is the index of its words. What is left undone by a stop, `_catch_up` does.
    """

    def __init__(self, lease: Lease, import_id: UUID) -> None:
        self._lease = lease
        self._import_id = import_id
        self._task: asyncio.Task[None] | None = None

    async def add(self, start: int, new: Findable) -> None:
        """Begin with the contacts of a committed batch, once those of the one before are done. Raises what that one raised."""
        await self.settled()
        if new.ids:
            self._task = asyncio.create_task(self._write(start, new))

    async def settled(self) -> None:
        """Wait until nothing is under way. Raises what went wrong."""
        if self._task is not None:
            await self._task

    async def _write(self, start: int, new: Findable) -> None:
        async with self._lease.tx() as tx:
            await actions.make_findable(tx, self._import_id, start, new)


async def _catch_up(lease: Lease, import_id: UUID) -> None:
    """The search words of contacts that a stopped worker had no time for."""
    async with lease.tx() as tx:
        await lease.extend(tx)
        await actions.make_rest_findable(tx, import_id)


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
    await actions.make_rest_findable(tx, import_id)
    if standing.undo_asked_at is not None:
        await undo.give_up_undo(tx, import_id, why)
    else:
        await actions.fail(tx, import_id, why)
