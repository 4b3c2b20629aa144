"""The statements about jobs that admins cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.db import Tx
from hub.sqlfiles import load_sql

_SQL = load_sql("jobs")


@dataclass(frozen=True, slots=True)
class LockedJob:
    """A job whose row this transaction holds."""

    kind: str
    state: str


async def list_jobs(
    tx: Tx, *, state: str | None, kind: str | None, after_at: datetime | None, after_id: UUID | None, limit: int
) -> Sequence[Any]:
    """Jobs, newest first: rows of json, key, id."""
    return await tx.fetch(_SQL["list_jobs"], state=state, kind=kind, after_at=after_at, after_id=after_id, limit=limit)


async def lock_job(tx: Tx, job_id: UUID) -> LockedJob | None:
    """A job, locked until the transaction ends, or None."""
    row = await tx.fetchrow(_SQL["lock_job"], job_id=job_id)
    return LockedJob(row["kind"], row["state"]) if row else None


async def retry_dead_job(tx: Tx, job_id: UUID) -> str:
    """Make a job ready again; its JSON."""
    json: str = await tx.fetchval(_SQL["retry_dead_job"], job_id=job_id)
    return json


async def drop_job(tx: Tx, job_id: UUID) -> str:
    """Drop a job; its JSON."""
    json: str = await tx.fetchval(_SQL["drop_job"], job_id=job_id)
    return json
