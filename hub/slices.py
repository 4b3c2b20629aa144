"""To look at every socket without keeping any of them waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

T = TypeVar("T")

# To look at so many takes less time than to write one event to them.
SLICE = 100


async def slices(items: Sequence[T]) -> AsyncIterator[Sequence[T]]:
    """The items, some at a time; in between whatever else waits has its turn."""
    for start in range(0, len(items), SLICE):
        if start:
            await asyncio.sleep(0)
        yield items[start : start + SLICE]
