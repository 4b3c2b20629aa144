"""What people leave to others changes hands, and sign-ups that led to nothing are forgotten."""

from __future__ import annotations

from uuid import UUID

from hub.handovers import actions as handovers
from hub.joining.accepting import forget_old
from workers.cron import duty
from workers.job import Deps, Run, job


@job("handovers.run", max_attempts=10, timeout_s=60)
async def run_handover(run: Run) -> None:
    """Hand everything over, batch after batch."""
    handover_id = UUID(str(run.job.args["handover_id"]))
    more = True
    while more:
        async with run.tx() as tx:
            more = await handovers.step(tx, handover_id)
            await run.extend(tx)
    async with run.finish() as tx:
        await handovers.complete(tx, handover_id)


@duty(every_s=3600.0)
async def forget_old_sign_ups(deps: Deps) -> None:
    """Delete sign-ups that nobody finished."""
    await forget_old(deps.db)
