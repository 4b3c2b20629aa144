"""Bare arq as the peer of the ledger: python -m benchmarks.peers.jobs_arq. Nothing survives Redis here; that is its lead."""

from __future__ import annotations

import os
import time
from typing import Any
from uuid import UUID

import asyncpg
import uvloop
from arq import func
from arq.connections import RedisSettings
from arq.worker import Worker

from hub.queue import deserialize, serialize

QUEUE = "peer:jobs"
FUNCTION = "effect"


async def effect(ctx: dict[str, Any], job_id: str) -> None:
    """The same row as the measured job writes, in a transaction of its own."""
    started_s = time.time()
    async with ctx["pool"].acquire() as conn, conn.transaction():
        await conn.execute("INSERT INTO bench_effects (job_id, started_s) VALUES ($1, $2)", UUID(job_id), started_s)


async def work(database_url: str, redis_url: str, slots: int, poll_delay_s: float) -> None:
    """Work until killed."""
    pool = await asyncpg.create_pool(database_url, min_size=slots, max_size=slots)
    worker = Worker(
        functions=[func(effect, name=FUNCTION)],
        redis_settings=RedisSettings.from_dsn(redis_url),
        queue_name=QUEUE,
        ctx={"pool": pool},
        max_jobs=slots,
        poll_delay=poll_delay_s,
        keep_result=0,
        job_serializer=serialize,
        job_deserializer=deserialize,
        handle_signals=False,
        log_results=False,
    )
    print("started", flush=True)
    await worker.async_run()


if __name__ == "__main__":
    env = os.environ
    uvloop.run(work(env["DATABASE_URL"], env["REDIS_URL"], int(env["PEER_SLOTS"]), float(env["PEER_POLL_DELAY_S"])))
