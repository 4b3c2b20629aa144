"""Threads that were put off and come back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from hub.db import Database, tenant_tx
from hub.mail.telling import tell
from hub.sqlfiles import load_sql
from hub.who import Who

_SQL = load_sql("mail")


async def wake(db: Database, now: datetime, limit: int = 500) -> int:
    """Bring back the threads of any tenant that were put off until `now` (of the schedules' clock); how many."""
    woken = 0
    found: dict[UUID, list[UUID]] = {}
    for row in await db.system_fetch(_SQL["threads_waking"], now=now, limit=limit):
        found.setdefault(row["tenant_id"], []).append(row["id"])
    for tenant_id, ids in found.items():
        async with tenant_tx(db, Who.system(tenant_id)) as tx:
            for thread_id in ids:
                if await tx.fetchval(_SQL["wake_thread"], id=thread_id, now=now) is not None:
                    await tell(tx, thread_id)
                    woken += 1
    return woken
