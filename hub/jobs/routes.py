"""The job ledger for owners and admins."""

from __future__ import annotations

from hub.db import Tx
from hub.http.endpoint import Reply, Req, Routes
from hub.http.paging import page, read_cursor
from hub.jobs import actions, queries
from hub.jobs.models import JobFilter, JobOut, JobPage

_SORT = "jobs"

routes = Routes("jobs")


@routes.get("/admin/jobs", query=JobFilter, returns=JobPage, allow="jobs:read")
async def list_jobs(tx: Tx, req: Req[JobFilter, None]) -> Reply:
    """List background jobs, newest first."""
    wanted = req.query
    after = read_cursor(wanted.cursor, _SORT)
    rows = await queries.list_jobs(
        tx,
        state=wanted.state,
        kind=wanted.kind,
        after_at=after.moment() if after else None,
        after_id=after.id if after else None,
        limit=wanted.limit + 1,
    )
    return Reply(page(rows, wanted.limit, _SORT))


@routes.post("/admin/jobs/{id}/retry", returns=JobOut, allow="jobs:write", errors=(409,))
async def retry_job(tx: Tx, req: Req[None, None]) -> Reply:
    """Retry a job that has failed for good."""
    return Reply(await actions.retry_job(tx, req.id()))


@routes.post("/admin/jobs/{id}/drop", returns=JobOut, allow="jobs:write", errors=(409,))
async def drop_job(tx: Tx, req: Req[None, None]) -> Reply:
    """Give up a job that waits or has failed for good."""
    return Reply(await actions.drop_job(tx, req.id()))
