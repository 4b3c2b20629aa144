"""One worker whose only job is the measured one: python -m benchmarks.job_worker [--beside-all]

It is the product's worker in everything but its registry, which knows two kinds that the product does not have; with --beside-all
it knows those of the product, too, and does its duties.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

import uvloop

from hub.config import Settings
from hub.sqlfiles import Statement
from workers.job import Registry, Run, job
from workers.run import CREW, Crew, run_worker

KIND = "bench.effect"
LONG_KIND = "bench.long"
BESIDE_ALL = "--beside-all"
SCHEMA = (
    "CREATE TABLE bench_effects (job_id uuid PRIMARY KEY, started_s double precision NOT NULL);"
    "GRANT SELECT, INSERT ON bench_effects TO ringside_app;"
)
_EFFECT = Statement("effect", "INSERT INTO bench_effects (job_id, started_s) VALUES (:job_id, :started_s)")


@job(KIND)
async def effect(run: Run) -> None:
    """Say when it began, in the transaction that finishes it."""
    started_s = time.time()
    async with run.finish() as tx:
        await tx.execute(_EFFECT, job_id=run.job.id, started_s=started_s)


@job(LONG_KIND)
async def long(run: Run) -> None:
    """Hold a slot for a while, as a provider that takes its time does."""
    await asyncio.sleep(float(run.job.args["seconds"]))


if __name__ == "__main__":
    beside_all = BESIDE_ALL in sys.argv
    uvloop.run(
        run_worker(
            Settings.from_env(os.environ),
            crew=Crew(Registry([*CREW.jobs.values(), effect, long]), CREW.duties)
            if beside_all
            else Crew(Registry([effect, long]), ()),
            started=lambda _name, _port: print("started", flush=True),
        )
    )
