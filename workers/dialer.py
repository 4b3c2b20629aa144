"""The jobs and duties of the dialer: filling queues, and the safe path of every session."""

from __future__ import annotations

from uuid import UUID

import structlog

from hub.db import tenant_tx
from hub.dialer import looking, queries, queues
from hub.dialer.sessions import LOOK
from hub.errors import HubError, TooMany, Unavailable
from hub.who import Who
from workers.cron import duty
from workers.job import Deps, Run, is_permanent, job
from workers.ledger import LostLease

# Sessions and queues that one round looks at.
_AT_ONCE = 500
# A transaction that wrote a time may commit this much later.
_LATE_COMMIT_S = 15.0

_log = structlog.get_logger("workers.dialer")


@job(queues.FILL, timeout_s=30.0, backoff_s=0.5)
async def fill(run: Run) -> None:
    """Turn a saved filter into items, batch after batch; goes on where a killed worker stopped."""
    queue_id = UUID(run.job.args["queue_id"])
    try:
        more = True
        while more:
            async with run.tx() as tx:
                await run.extend(tx)
                more = await queues.fill_batch(tx, queue_id)
    except LostLease:
        raise
    except Exception as exc:
        if is_permanent(exc) or run.job.attempts >= run.job.max_attempts:
            said = exc.message if isinstance(exc, HubError) else f"Something went wrong on our side ({type(exc).__name__})."
            async with run.tx() as tx:
                await queues.give_up_fill(tx, queue_id, said)
        raise
    async with run.finish():
        pass


@job(LOOK, timeout_s=10.0, backoff_s=0.2, max_attempts=3, beats=True)
async def look(run: Run) -> None:
    """Make the moves that are due in a session."""
    try:
        async with run.finish() as tx:
            await looking.look(tx, UUID(run.job.args["session_id"]))
    except (Unavailable, TooMany):
        raise
    except HubError as exc:
        # The duty looks again; a dead letter would help nobody.
        _log.info("a session could not be looked at", session=run.job.args["session_id"], error=exc.message)
        async with run.finish():
            pass


@duty(every_s=0.5)
async def look_at_sessions(deps: Deps) -> None:
    """Make the moves that are due in any session, whatever was lost."""
    for tenant_id, session_id in await queries.sessions_due(deps.db, looking.GONE_S, _AT_ONCE):
        try:
            async with tenant_tx(deps.db, Who.system(tenant_id)) as tx:
                await looking.look(tx, session_id)
        except HubError as exc:
            # Somebody else was quicker, or the database is busy: the next round sees.
            _log.info("a session could not be looked at", session=str(session_id), error=exc.message)


@duty(every_s=2.0)
async def count_queues(deps: Deps) -> None:
    """Count the items of queues in which something happened, and tell everybody."""
    for tenant_id, queue_id in await queries.queues_moved(deps.db, _LATE_COMMIT_S, _AT_ONCE):
        async with tenant_tx(deps.db, Who.system(tenant_id)) as tx:
            await queues.recount(tx, queue_id)
