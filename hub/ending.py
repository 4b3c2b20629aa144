"""Ending background tasks for certain."""

from __future__ import annotations

import asyncio
from typing import Any

_PATIENCE_S = 0.5


async def end_task(task: asyncio.Task[Any] | None) -> None:
    """Cancel a task until it has ended, and let its result go.

    Once is not enough: the Redis client swallows a cancellation that falls into its connecting.
    """
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait((task,), timeout=_PATIENCE_S)
    if task is not None and not task.cancelled():
        task.exception()


async def end_tasks(*tasks: asyncio.Task[Any]) -> None:
    """End all of them. Whoever is cancelled while waiting for it goes on waiting, and is cancelled afterwards."""
    ending = asyncio.gather(*(end_task(task) for task in tasks))
    held: asyncio.CancelledError | None = None
    while not ending.done():
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError as cancelled:
            held = cancelled
    if held is not None:
        raise held
