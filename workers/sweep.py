"""Finds what the queue forgot: hints that were lost, jobs whose worker died, and everything while Redis is down.

Postgres is asked every second which jobs are overdue, company by company. While the queue is heard they are put back into it,
where a company has nothing there any more. While it is not, and for jobs that wait although there is room, they are run from
here.
"""

from __future__ import annotations

import asyncio
import contextlib

import structlog
from redis.exceptions import RedisError

from workers import metrics
from workers.doorbell import Doorbell
from workers.ledger import Ledger
from workers.runner import Runner
from workers.slots import choose

SWEEP_S = 1.0
# Without the queue, this is how long a job waits for its start.
SWEEP_ALONE_S = 0.2
# And while there is something to do, this is how long a free slot waits for the next job.
SWEEP_BUSY_S = 0.05
# After much was put back. The ring of a company with more due jobs than it holds does not stay empty for longer.
SWEEP_AGAIN_S = 0.25
# A job that is overdue by this much while there is room here has been forgotten even by the reminder.
FORGOTTEN_S = 5.0
_AT_ONCE = 2000

_log = structlog.get_logger(__name__)


class Sweep:
    """One worker's look at the ledger."""

    def __init__(self, ledger: Ledger, runner: Runner, doorbell: Doorbell) -> None:
        self._ledger = ledger
        self._runner = runner
        self._doorbell = doorbell

    async def run(self) -> None:
        """Look again and again until cancelled, whatever becomes of Postgres and Redis."""
        failing = False
        while True:
            try:
                pause_s = await self._look()
                failing = False
            except Exception as exc:
                metrics.LOOP_FAILURES.labels("sweep").inc()
                if not failing:
                    _log.warning("the sweep could not look for jobs", error=str(exc) or repr(exc))
                pause_s, failing = SWEEP_S, True
            with contextlib.suppress(TimeoutError):
                # Losing the queue is no reason to wait for the next round.
                await asyncio.wait_for(self._doorbell.changed(), pause_s)

    async def _look(self) -> float:
        """One round; seconds until the next."""
        if self._doorbell.redis is None:
            return SWEEP_BUSY_S if await self._take(0.0) else SWEEP_ALONE_S
        try:
            reminded = await self._doorbell.remind(await self._ledger.due(overdue_s=SWEEP_S, limit=_AT_ONCE))
        except (RedisError, OSError, TimeoutError):
            await self._take(0.0)
            return SWEEP_ALONE_S
        await self._take(FORGOTTEN_S)
        return SWEEP_AGAIN_S if reminded >= _AT_ONCE // 2 else SWEEP_S

    async def _take(self, overdue_s: float) -> int:
        """Start what is overdue by this much and has room; how many."""
        room = self._runner.room
        if not room:
            return 0
        # A few more than there is room for: the other workers look at the same jobs.
        due = await self._ledger.due(overdue_s=overdue_s, limit=max(2 * (room.free + room.spare), 20))
        chosen = choose(due, self._runner.room)
        for job in chosen:
            self._runner.start(job.tenant_id, [job.id], "sweep")
        return len(chosen)
