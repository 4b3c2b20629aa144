"""What an admin may do with a job."""

from __future__ import annotations

from uuid import UUID

from hub.db import DeferredJob, Tx
from hub.errors import Conflict, NotFound
from hub.jobs import queries
from hub.jobs.events import JobDropped, JobRetried

_STANDING = {
    "ready": "This job is waiting for its turn already.",
    "running": "This job is running right now. Wait for it to end.",
    "done": "This job is done.",
    "dead": "This job has failed for good.",
    "dropped": "This job was dropped.",
}


async def retry_job(tx: Tx, job_id: UUID) -> str:
    """Put a dead letter back to work with all its attempts; its JSON. Raises NotFound, Conflict."""
    job = await _find(tx, job_id)
    if job.state != "dead":
        raise Conflict(f"{_STANDING[job.state]} Only a job that has failed for good can be retried.", code="job_not_dead")
    json = await queries.retry_dead_job(tx, job_id)
    tx.emit(JobRetried.of(job_id, json))
    tx.hurry(DeferredJob(job_id, job.kind, None))
    return json


async def drop_job(tx: Tx, job_id: UUID) -> str:
    """Give up a job that waits or has failed for good; its JSON. Raises NotFound, Conflict."""
    job = await _find(tx, job_id)
    if job.state not in ("dead", "ready"):
        raise Conflict(f"{_STANDING[job.state]} It can't be dropped.", code="job_not_droppable")
    json = await queries.drop_job(tx, job_id)
    tx.emit(JobDropped.of(job_id, json))
    return json


async def _find(tx: Tx, job_id: UUID) -> queries.LockedJob:
    job = await queries.lock_job(tx, job_id)
    if job is None:
        raise NotFound("There is no job with this id.")
    return job
