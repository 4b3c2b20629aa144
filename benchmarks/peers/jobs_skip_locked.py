"""A queue in Postgres alone as the peer of the ledger: python -m benchmarks.peers.jobs_skip_locked

What procrastinate, Oban and River do at heart: so many loops, each taking the oldest row by FOR UPDATE SKIP LOCKED, working,
and marking it done; NOTIFY wakes those that found nothing. No tenants, no fence, no row-level security.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time

import asyncpg
import uvloop

CHANNEL = "peer_jobs"
POLL_S = 5.0
SCHEMA = """
CREATE TABLE peer_jobs (
    id uuid PRIMARY KEY, state text NOT NULL DEFAULT 'todo', at timestamptz NOT NULL DEFAULT now(),
    attempts int NOT NULL DEFAULT 0
);
CREATE INDEX peer_jobs_todo ON peer_jobs (at) WHERE state = 'todo';
GRANT SELECT, INSERT, UPDATE ON peer_jobs TO ringside_app;
"""
_FETCH = """
UPDATE peer_jobs SET state = 'doing', attempts = attempts + 1
WHERE id = (SELECT id FROM peer_jobs WHERE state = 'todo' ORDER BY at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id
"""


async def work(database_url: str, slots: int) -> None:
    """Work until killed."""
    pool = await asyncpg.create_pool(database_url, min_size=slots + 1, max_size=slots + 1)
    listening = await asyncpg.connect(database_url)
    waiting: set[asyncio.Event] = set()

    def wake(*_: object) -> None:
        if waiting:
            waiting.pop().set()

    await listening.add_listener(CHANNEL, wake)
    print("started", flush=True)

    async def loop() -> None:
        while True:
            job_id = await pool.fetchval(_FETCH)
            if job_id is None:
                called = asyncio.Event()
                waiting.add(called)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(called.wait(), POLL_S)
                waiting.discard(called)
                continue
            started_s = time.time()
            async with pool.acquire() as conn, conn.transaction():
                await conn.execute("INSERT INTO bench_effects (job_id, started_s) VALUES ($1, $2)", job_id, started_s)
            await pool.execute("UPDATE peer_jobs SET state = 'done' WHERE id = $1", job_id)

    await asyncio.gather(*[loop() for _ in range(slots)])


if __name__ == "__main__":
    uvloop.run(work(os.environ["DATABASE_URL"], int(os.environ["PEER_SLOTS"])))
