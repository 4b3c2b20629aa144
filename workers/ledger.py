"""The ledger: a job is claimed, worked on and recorded in Postgres. Nothing here knows of Redis.

Each claim raises the job's attempt number. Whoever records something must still hold that very attempt; a worker that
was too slow, and whose job another has taken over, gets LostLease and its transaction rolls back.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from hub.db import Database, Tx, tenant_tx
from hub.jobs.events import JobDead
from hub.sqlfiles import load_sql
from hub.who import Who

# A lease outlives its job's time limit by this much, so that a job that is stopped at its limit can still record it.
LEASE_MARGIN_S = 2.0
DEFAULT_LEASE_S = 30.0
MAX_BACKOFF_S = 300.0
_MAX_ERROR_LENGTH = 2000

_SQL = load_sql("jobs")


class LostLease(Exception):
    """Another worker has taken this job over (or an earlier answer was lost): nothing of this attempt may count."""


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed attempt. `attempts` is the try this is, from 1; `fence` is the number that only this claim has."""

    tenant_id: UUID
    id: UUID
    kind: str
    args: Mapping[str, Any]
    attempts: int
    max_attempts: int
    fence: int
    request_id: str
    trace: str
    created_by: UUID | None
    created_at: datetime
    waited_s: float


@dataclass(frozen=True, slots=True)
class DueJob:
    """A job that nobody holds although it is due."""

    tenant_id: UUID
    id: UUID
    fence: int


class Ledger:
    """The ledger as one worker uses it. `leases` are the lease lengths by kind, in seconds."""

    def __init__(self, db: Database, worker: str, leases: Mapping[str, float]) -> None:
        self._db = db
        self._worker = worker
        self._leases = orjson.dumps(dict(leases)).decode()

    async def claim(self, tenant_id: UUID, job_id: UUID) -> Job | None:
        """Take a job; None when it is done, not due yet, or somebody else's."""
        return (await self.claim_all(tenant_id, [job_id])).get(job_id)

    async def claim_all(self, tenant_id: UUID, job_ids: Sequence[UUID]) -> dict[UUID, Job]:
        """Take those of a company's jobs that are to be had."""
        rows = await self._db.system_fetch(
            _SQL["claim_jobs"],
            tenant_id=tenant_id,
            job_ids=job_ids,
            worker=self._worker,
            leases=self._leases,
            default_lease_s=DEFAULT_LEASE_S,
        )
        return {row["id"]: _job(tenant_id, row) for row in rows}

    @asynccontextmanager
    async def finish(self, job: Job, who: Who) -> AsyncIterator[Tx]:
        """A transaction that marks the job done together with what happens in it. Raises LostLease at its beginning."""
        async with tenant_tx(self._db, who) as tx:
            # First, not last: the row stays locked, so nobody can take the job over while its effects are written.
            if await tx.fetchval(_SQL["finish_job"], **self._held(job)) is None:
                raise LostLease(job.id)
            yield tx

    async def extend(self, tx: Tx, job: Job, lease_s: float) -> None:
        """Hold the job for another `lease_s` seconds from now, once `tx` commits. Raises LostLease."""
        if await tx.fetchval(_SQL["extend_job"], lease_s=lease_s, **self._held(job)) is None:
            raise LostLease(job.id)

    async def retry(self, job: Job, error: str, *, delay_s: float, max_attempts: int) -> datetime:
        """Put the job back for `delay_s` seconds; when it will be due. Raises LostLease."""
        async with tenant_tx(self._db, _who(job)) as tx:
            run_at: datetime | None = await tx.fetchval(
                _SQL["retry_job_later"], error=_short(error), delay_s=delay_s, max_attempts=max_attempts, **self._held(job)
            )
        if run_at is None:
            raise LostLease(job.id)
        return run_at

    async def bury(self, job: Job, error: str, *, max_attempts: int, started: bool = True) -> None:
        """Make a dead letter and tell the managers. `started` is False when this attempt was not made. Raises LostLease."""
        async with tenant_tx(self._db, _who(job)) as tx:
            json: str | None = await tx.fetchval(
                _SQL["bury_job"], error=_short(error), max_attempts=max_attempts, pardon=0 if started else 1, **self._held(job)
            )
            if json is None:
                raise LostLease(job.id)
            tx.emit(JobDead.of(job.id, json))

    async def release(self, job: Job, delay_s: float = 0.0) -> datetime:
        """Give the job back untouched, for so many seconds; the attempt does not count. When it is due. Raises LostLease."""
        async with tenant_tx(self._db, _who(job)) as tx:
            run_at: datetime | None = await tx.fetchval(_SQL["release_job"], delay_s=delay_s, **self._held(job))
        if run_at is None:
            raise LostLease(job.id)
        return run_at

    async def due(self, *, overdue_s: float, limit: int) -> list[DueJob]:
        """Jobs of any tenant that are overdue by this much and that nobody holds."""
        rows = await self._db.system_fetch(_SQL["jobs_due"], overdue_s=overdue_s, limit=limit)
        return [DueJob(row["tenant_id"], row["id"], row["attempts"]) for row in rows]

    async def census(self) -> dict[str, tuple[int, float]]:
        """How many jobs stand in each state, and the age of the oldest in seconds."""
        rows = await self._db.system_fetch(_SQL["jobs_census"])
        return {row["state"]: (row["jobs"], row["oldest_s"]) for row in rows}

    def _held(self, job: Job) -> dict[str, Any]:
        return {"job_id": job.id, "attempt": job.fence, "worker": self._worker}


def backoff_s(attempt: int, first_s: float, at_least_s: float | None = None) -> float:
    """Seconds to wait after a failed attempt (from 1): doubled each time, between half and all of it at random.

    `at_least_s` is what a provider asked for; it is never undercut.
    """
    whole = min(first_s * 2.0 ** min(attempt - 1, 30), MAX_BACKOFF_S)
    wait = whole * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
    if at_least_s is None or at_least_s <= wait:
        return wait
    return at_least_s + whole * random.uniform(0.0, 0.1)  # noqa: S311


def _job(tenant_id: UUID, row: asyncpg.Record) -> Job:
    return Job(
        tenant_id=tenant_id,
        id=row["id"],
        kind=row["kind"],
        args=orjson.loads(row["args"]),
        attempts=row["tries"],
        max_attempts=row["max_attempts"],
        fence=row["attempts"],
        request_id=row["request_id"],
        trace=row["trace"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        waited_s=row["waited_s"],
    )


def _who(job: Job) -> Who:
    return Who.system(job.tenant_id, job.request_id)


def _short(error: str) -> str:
    # Postgres' text takes no NUL.
    return error.replace("\x00", "")[:_MAX_ERROR_LENGTH]
