"""Leases that nobody holds any more are taken away."""

from __future__ import annotations

import structlog

from hub.leases.actions import free_lost
from workers.cron import duty
from workers.job import Deps

_log = structlog.get_logger(__name__)


@duty(every_s=2)
async def free_lost_leases(deps: Deps) -> None:
    """Free the contacts whose leases were not renewed, within seconds, so that everybody sees it."""
    freed = await free_lost(deps.db)
    if freed:
        _log.info("leases were freed", leases=freed)
