"""A worker with one job more, whose work is a row. Twice done shows as two rows."""

from __future__ import annotations

import asyncio
import os

import uvloop

from hub.config import Settings
from hub.sqlfiles import Statement
from workers.job import Registry, Run, job
from workers.run import Crew, run_worker
from workers.settings import DUTIES, JOBS

EFFECT_JOB = "faults.effect"
# Loaded as `ringside worker` loads its own.
COMMAND = ("-c", "from hub.cli import load_part; load_part('benchmarks.faults.worker').run()")
# Under row-level security like any other: the canary in the workers tries this one, too.
TABLE = """
CREATE TABLE faults_effects (
    tenant_id uuid NOT NULL, id uuid NOT NULL DEFAULT gen_random_uuid(), job_id uuid, attempt int, PRIMARY KEY (tenant_id, id)
);
SELECT protect_table('faults_effects');
GRANT SELECT, INSERT ON faults_effects TO ringside_app;
"""
_EFFECT = Statement(
    "faults_effect", "INSERT INTO faults_effects (tenant_id, job_id, attempt) VALUES (:tenant_id, :job_id, :attempt)"
)


@job(EFFECT_JOB, timeout_s=1.0, backoff_s=0.2, max_attempts=60)
async def effect(run: Run) -> None:
    """Take a moment, then leave a row."""
    await asyncio.sleep(float(run.job.args["takes_s"]))
    async with run.finish() as tx:
        await tx.execute(_EFFECT, job_id=run.job.id, attempt=run.job.attempts)


def run() -> None:
    """Work until told to stop."""
    uvloop.run(run_worker(Settings.from_env(os.environ), crew=Crew(Registry([*JOBS.values(), effect]), DUTIES)))
