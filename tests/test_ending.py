"""Background tasks end, also those that swallow the first cancellation."""

from __future__ import annotations

import asyncio

from hub.ending import end_task


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

    await asyncio.wait_for(end_task(task), 10)

    assert swallowed.is_set() and task.cancelled()


async def test_a_task_that_failed_meanwhile_raises_nothing_here() -> None:
    async def failing() -> None:
        raise RuntimeError("gone wrong")

    task = asyncio.create_task(failing())
    await asyncio.wait((task,))

    await end_task(task)
    await end_task(None)
