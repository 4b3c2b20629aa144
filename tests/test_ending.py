"""Background tasks end, also those that swallow the first cancellation."""

from __future__ import annotations

import asyncio

from hub.ending import end_task, end_tasks
from tests.patience import PATIENCE_S


async def test_a_task_that_swallows_a_cancellation_is_ended_all_the_same() -> None:
    swallowed = asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)

    await asyncio.wait_for(end_task(task), PATIENCE_S)

    assert swallowed.is_set() and task.cancelled()


async def test_whoever_ends_several_is_cancelled_only_afterwards() -> None:
    release = asyncio.Event()
    cancels: asyncio.Queue[None] = asyncio.Queue()

    async def slow_to_go() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                cancels.put_nowait(None)

    tasks = [asyncio.create_task(slow_to_go()) for _ in range(2)]
    await asyncio.sleep(0)
    ending = asyncio.create_task(end_tasks(*tasks))
    await cancels.get()
    await cancels.get()
    ending.cancel()
    # They are asked again, so it waits for them still.
    await cancels.get()
    assert not ending.done()
    release.set()

    await asyncio.wait((ending,))

    assert ending.cancelled() and all(task.done() for task in tasks)


async def test_a_task_that_failed_meanwhile_raises_nothing_here() -> None:
    async def failing() -> None:
        raise RuntimeError("gone wrong")

    task = asyncio.create_task(failing())
    await asyncio.wait((task,))

    await end_task(task)
    await end_task(None)
