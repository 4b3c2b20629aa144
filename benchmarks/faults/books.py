"""What the database has, read on a connection of its own that no fault touches, and that is kept: to open one costs more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from benchmarks.faults.checker import Committed, JobRow, Log
from benchmarks.faults.worker import EFFECT_JOB

_UNFINISHED = """
SELECT count(*) FROM jobs
WHERE tenant_id = ANY($1) AND (state = 'running' OR state = 'ready' AND run_at < now() + interval '30 s') AND created_at <= $2
"""
# The calls go on, and with them what the provider tells of them: of what came later only the ended is counted.
_JOBS = """
SELECT id, kind, state, coalesce(last_error, '') AS error,
    (SELECT count(*) FROM faults_effects e WHERE e.job_id = j.id) AS effects
FROM jobs j
WHERE tenant_id = ANY($1) AND (state <> 'ready' OR run_at < now() + interval '30 s')
    AND (state IN ('done', 'dead') OR created_at <= $2)
"""
_STANDING = """
SELECT state, attempts, leased_by, lease_until - now() AS lease, run_at - now() AS due, last_error FROM jobs WHERE id = $1
"""


class Books:
    """The rows of some companies. `connect` opens a connection; it is asked again when that breaks."""

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection[Any]]]) -> None:
        self._connect = connect
        self._conn: asyncpg.Connection[Any] | None = None

    async def close(self) -> None:
        """Let go of the connection."""
        if self._conn is not None:
            self._conn.terminate()

    async def _opened(self) -> asyncpg.Connection[Any]:
        if self._conn is None or self._conn.is_closed():
            self._conn = await self._connect()
        return self._conn

    async def time(self) -> datetime:
        """The database's clock."""
        found: datetime = await (await self._opened()).fetchval("SELECT now()")
        return found

    async def effects(self, job_id: str) -> int:
        """How often a job was done."""
        conn = await self._opened()
        return int(await conn.fetchval("SELECT count(*) FROM faults_effects WHERE job_id = $1", UUID(job_id)))

    async def standing(self, job_id: str) -> str:
        """How a job stands, in words."""
        conn = await self._opened()
        row = await conn.fetchrow(_STANDING, UUID(job_id))
        due = await conn.fetchval("SELECT count(*) FROM jobs WHERE state IN ('ready', 'running') AND run_at <= now()")
        return f"the job: {dict(row) if row else None}; {due} due"

    async def unfinished(self, tenant_ids: Sequence[UUID], until: datetime | None) -> int:
        """How many jobs of before then are under way, or will be soon."""
        return int(await (await self._opened()).fetchval(_UNFINISHED, tenant_ids, until))

    async def logs(self, tenant_ids: Sequence[UUID]) -> dict[UUID, Log]:
        """Every committed event."""
        conn = await self._opened()
        logs = {}
        for tenant_id in tenant_ids:
            epoch = str(await conn.fetchval("SELECT epoch FROM tenant_counters WHERE tenant_id = $1", tenant_id))
            rows = await conn.fetch("SELECT seq, id, audience, frame FROM events WHERE tenant_id = $1", tenant_id)
            events = [Committed(row["seq"], str(row["id"]), row["audience"], row["frame"]) for row in rows]
            logs[tenant_id] = Log(tenant_id, epoch, events)
        return logs

    async def marks(self, marks: Sequence[str]) -> dict[str, list[UUID]]:
        """Whose rows have these marks, a company for each row."""
        conn = await self._opened()
        found: dict[str, list[UUID]] = defaultdict(list)
        for sql in (
            "SELECT tenant_id, body AS mark FROM activities WHERE body = ANY($1)",
            "SELECT tenant_id, last_name AS mark FROM contacts WHERE last_name = ANY($1)",
        ):
            for row in await conn.fetch(sql, marks):
                found[row["mark"]].append(row["tenant_id"])
        return found

    async def jobs(self, tenant_ids: Sequence[UUID], until: datetime) -> list[JobRow]:
        """How the jobs of before then stand, and those that ended since."""
        rows = await (await self._opened()).fetch(_JOBS, tenant_ids, until)
        return [
            JobRow(str(j["id"]), j["kind"], j["state"], j["effects"] if j["kind"] == EFFECT_JOB else None, j["error"])
            for j in rows
        ]

    async def calls(self, tenant_ids: Sequence[UUID]) -> dict[str, str]:
        """The states of the calls, by the number called."""
        rows = await (await self._opened()).fetch("SELECT to_number, state FROM calls WHERE tenant_id = ANY($1)", tenant_ids)
        return {row["to_number"]: row["state"] for row in rows}

    async def numbers(self, tenant_ids: Sequence[UUID]) -> set[str]:
        """The contacts' telephone numbers."""
        rows = await (await self._opened()).fetch("SELECT e164 FROM contact_phones WHERE tenant_id = ANY($1)", tenant_ids)
        return {row["e164"] for row in rows}
