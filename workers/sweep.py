"""Finds what the queue forgot: hints that were lost, jobs whose worker died, and everything while Redis is down.

Postgres is asked every second which jobs are overdue. While the queue is heard they are put back into it, all of them under
an id that makes duplicates collapse. While it is not, and for jobs that wait although there is room, they are run from here.
"""

from __future__ import annotations

import asyncio
import contextlib
import random

import structlog
from redis.exceptions import RedisError

from workers import metrics
from workers.doorbell import Doorbell
from workers.ledger import DueJob, Ledger
from workers.runner import Runner

SWEEP_S = 1.0
# Without the queue, this is how long a job waits for its start.
SWEEP_ALONE_S = 0.2
# A job that is overdue by this much while there is room here has been forgotten even by the reminder.
FORGOTTEN_S = 5.0
_AT_ONCE = 200

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
                await self._look()
                failing = False
            except Exception as exc:
                metrics.LOOP_FAILURES.labels("sweep").inc()
                if not failing:
                    _log.warning("the sweep could not look for jobs", error=str(exc) or repr(exc))
                failing = True
            alone = self._doorbell.redis is None and not failing
            with contextlib.suppress(TimeoutError):
                # Losing the queue is no reason to wait for the next round.
                await asyncio.wait_for(self._doorbell.changed(), SWEEP_ALONE_S if alone else SWEEP_S)

    async def _look(self) -> None:
        if self._doorbell.redis is not None:
            try:
                await self._doorbell.remind(await self._ledger.due(overdue_s=SWEEP_S, limit=_AT_ONCE))
            except (RedisError, OSError, TimeoutError):
                await self._take(0.0)
            else:
                await self._take(FORGOTTEN_S)
        else:
            await self._take(0.0)

    async def _take(self, overdue_s: float) -> None:
        # A few more than there is room for, in any order: the other workers look at the same jobs.
        if self._runner.free < 1:
            return
        due = await self._ledger.due(overdue_s=overdue_s, limit=max(2 * self._runner.free, 20))
        for job in _shuffled(due):
            if self._runner.free < 1:
                return
            await self._runner.take(job.tenant_id, job.id, "sweep")


def _shuffled(jobs: list[DueJob]) -> list[DueJob]:
    return random.sample(jobs, len(jobs))
