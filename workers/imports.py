"""The jobs of imports: hub.imports.running does the work, batch after batch."""

from __future__ import annotations

import random
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from hub.config import Settings
from hub.db import Database, tenant_tx
from hub.errors import HubError
from hub.imports import running
from hub.imports.actions import RUN, UNDO
from hub.imports.running import Lease
from hub.sqlfiles import load_sql
from hub.who import Who
from workers.cron import duty
from workers.job import Deps, NotNow, Run, is_permanent, job
from workers.ledger import Ledger, LostLease

# An upload that has not ended after this long never will.
_UNSENT = timedelta(hours=2)
_WORN_OUT = "The workers stopped again and again over this file. What was imported until then is there and can be undone."
_LONGEST_WAIT_S = 60.0
_SQL = load_sql("imports")


class _Turns:
    """One import of a company at a time in a worker, and the others' turn later.

    Side by side they only wait for each other, for the company's rows; and meanwhile the other companies wait for the processors.
    """

    def __init__(self) -> None:
        self._busy: dict[UUID, set[UUID]] = {}

    @contextmanager
    def of(self, tenant_id: UUID, import_id: UUID) -> Iterator[None]:
        """Raises NotNow while another import of the company is under way here."""
        later = self._busy.get(tenant_id)
        if later is not None:
            later.add(import_id)
            # So that all that wait ask about twice a second together, however many they are.
            raise NotNow(min(len(later) * random.uniform(0.3, 0.6), _LONGEST_WAIT_S))  # noqa: S311 - spreads load, guards nothing
        self._busy[tenant_id] = set()
        try:
            yield
        finally:
            del self._busy[tenant_id]


_turns = _Turns()


@job(RUN, timeout_s=20.0, backoff_s=0.5)
async def run_import(run: Run) -> None:
    """Import an uploaded file; goes on where a killed worker stopped."""
    await _do(run, running.run_import)


@job(UNDO, timeout_s=20.0, backoff_s=0.5)
async def undo_import(run: Run) -> None:
    """Take an import back; goes on where a killed worker stopped."""
    await _do(run, running.run_undo)


async def _do(run: Run, work: Callable[[Lease, UUID], Awaitable[None]]) -> None:
    import_id = UUID(run.job.args["import_id"])
    try:
        with _turns.of(run.job.tenant_id, import_id):
            await work(run, import_id)
    except NotNow:
        raise
    except LostLease:
        raise
    except Exception as exc:
        if is_permanent(exc) or run.job.attempts >= run.job.max_attempts:
            said = exc.message if isinstance(exc, HubError) else f"Something went wrong on our side ({type(exc).__name__})."
            async with run.tx() as tx:
                await running.give_up(tx, import_id, f"{said} What was imported until then is there and can be undone.")
        raise


@duty(every_s=60.0)
async def sweep_imports(deps: Deps) -> None:
    """Delete uploads that never ended and files of imports that are over; end imports whose job is dead."""
    db = deps.db
    await db.system_fetch(_SQL["sweep_uploads"], unsent=_UNSENT)
    for row in await db.system_fetch(_SQL["stuck_imports"]):
        async with tenant_tx(db, Who.system(row["tenant_id"])) as tx:
            await running.give_up(tx, row["id"], _WORN_OUT)


async def run_here(db: Database, settings: Settings, tenant_id: UUID, import_id: UUID) -> bool:
    """Do a queued import in this process, as a worker would; False when a worker has it."""
    ledger = Ledger(db, f"ringside import {secrets.token_hex(4)}", {RUN: run_import.lease_s})
    async with tenant_tx(db, Who.system(tenant_id)) as tx:
        job_id = await tx.fetchval(_SQL["import_job"], key=str(import_id))
    claimed = await ledger.claim(tenant_id, job_id) if job_id else None
    if claimed is None:
        return False
    attempt = Run(ledger, claimed, Deps(db, settings), run_import.timeout_s)
    async with attempt.limited():
        await run_import.function(attempt)
    return True
