"""A worker as a process of its own, to be killed: python -m tests.workers.process"""

from __future__ import annotations

import asyncio
import os
import sys

from hub.config import Settings
from tests.workers.kit import note
from workers.job import Registry, Run, job
from workers.run import Crew, run_worker


@job("test.mortal", timeout_s=600.0)
async def mortal(run: Run) -> None:
    await die_once(run)


@job("test.patient", timeout_s=600.0, beats=True)
async def patient(run: Run) -> None:
    await die_once(run)


async def die_once(run: Run) -> None:
    """Hangs in its first attempt, in the middle of its effects or before them; does its work in the second."""
    async with run.tx() as tx:
        await note(tx, run.job, f"begun {run.job.attempts}")
    if run.job.attempts == 1 and run.job.args["die"] == "before":
        await asyncio.Event().wait()
    async with run.finish() as tx:
        await note(tx, run.job, "effect")
        if run.job.attempts == 1:
            print("inside", flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(
        run_worker(
            Settings.from_env(os.environ),
            crew=Crew(Registry([mortal, patient]), ()),
            started=lambda name, _port: print(f"started {name}", flush=True),
        )
    )
    sys.exit(0)
