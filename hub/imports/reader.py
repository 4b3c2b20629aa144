"""The rows of a file, batch after batch, read beside the worker's loop: small files in a thread, large ones in a process.

A thread shares the interpreter with the loop, which then waits for it after each answer of Postgres. A process costs 0.3 s of its
own at the start. It knows the file and how to read it, and nothing else: neither settings nor secrets reach it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import pickle
import sys
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from hub.imports.people import Batch, make_batch
from hub.imports.reading import Shape, records
from hub.imports.rows import Plan, read_row

LARGE_BYTES = 2_000_000
# What may wait for the worker; a batch has about half a megabyte.
_WAITING_BYTES = 2_000_000
# Rows are made of small objects that hold each other in no circles: looking for circles among them took a fourth of the time. So
# many more objects than were freed are looked through (Python: 700), which a few batches in memory are not.
GARBAGE = (200_000, 10, 10)
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be read: the rows after the first `skip`, so many a batch."""

    shape: Shape
    plan: Plan
    skip: int
    batch_rows: int


async def follow(file: BinaryIO, size: int, order: Order, thread: ThreadPoolExecutor) -> AsyncGenerator[Batch]:
    """The batches, in order. The next is read while the one before is dealt with. Raises RuntimeError when the reader stopped."""
    source = _by_process(file, order) if size >= LARGE_BYTES else _by_thread(file, order, thread)
    async with aclosing(source):
        async for batch in source:
            yield batch


async def _by_thread(file: BinaryIO, order: Order, thread: ThreadPoolExecutor) -> AsyncGenerator[Batch]:
    loop = asyncio.get_running_loop()
    batches = read_batches(file, order)
    coming = loop.run_in_executor(thread, _next, batches)
    try:
        while (batch := await coming) is not None:
            coming = loop.run_in_executor(thread, _next, batches)
            yield batch
    finally:
        await asyncio.gather(coming, return_exceptions=True)
        batches.close()


def _next(batches: Generator[Batch]) -> Batch | None:
    return next(batches, None)


async def _by_process(file: BinaryIO, order: Order) -> AsyncGenerator[Batch]:
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, "-m", "hub.imports.reader", str(file.fileno())]
    env = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(_ROOT)}
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, limit=_WAITING_BYTES, pass_fds=[file.fileno()], env=env, cwd="/"
    )
    assert process.stdin is not None and process.stdout is not None
    coming: asyncio.Task[Batch | None] | None = None
    try:
        process.stdin.write(pickle.dumps(order))
        process.stdin.close()
        coming = asyncio.create_task(_received(process.stdout))
        while (batch := await coming) is not None:
            coming = asyncio.create_task(_received(process.stdout))
            yield batch
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _received(stream: asyncio.StreamReader) -> Batch | None:
    try:
        size = int.from_bytes(await stream.readexactly(8))
        packed = await stream.readexactly(size) if size else b""
    except asyncio.IncompleteReadError as exc:
        raise RuntimeError("the reader of an import stopped before the end of the file") from exc
    # From the process that this one started, by a pipe that nobody else has.
    batch: Batch | None = pickle.loads(packed) if packed else None  # noqa: S301
    return batch


def read_batches(file: BinaryIO, order: Order) -> Generator[Batch]:
    """The rows after those to skip, read and checked, in batches."""
    file.seek(0)
    rows = records(file, order.shape)
    start = order.skip
    # The header is a record too.
    rest = islice(rows, 1 + order.skip, None)
    try:
        while several := list(islice(rest, order.batch_rows)):
            yield make_batch(start, (read_row(order.plan, line, cells, problem) for line, cells, problem in several))
            start += len(several)
    finally:
        rows.close()


def main() -> None:
    """Read the file that was handed over, as the order on the standard input says; batches go to the standard output."""
    gc.set_threshold(*GARBAGE)
    order: Order = pickle.load(sys.stdin.buffer)  # noqa: S301
    out = sys.stdout.buffer
    with open(int(sys.argv[1]), "rb", closefd=False) as file, contextlib.suppress(BrokenPipeError):
        for batch in read_batches(file, order):
            data = pickle.dumps(batch, pickle.HIGHEST_PROTOCOL)
            out.write(len(data).to_bytes(8) + data)
            out.flush()
        out.write(bytes(8))
        out.flush()


if __name__ == "__main__":
    # Under the name that the other side knows its classes by.
    from hub.imports import reader

    reader.main()
