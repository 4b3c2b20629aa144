"""The scheduler: finds moments for steps, takes steps that are due, and looks what became of them."""

from __future__ import annotations

from hub.clock import Clock
from hub.db import Database


async def tick(db: Database, clock: Clock, limit: int) -> int:
    """Do what is due by now in every company, at most `limit` of each kind; how much that was. May run in several workers."""
    raise NotImplementedError
