"""A worker as a process of its own, to be killed: python -m tests.sequences.process

It doubts for less long than one in production: what a killed worker had on its way arrives within milliseconds on one machine.
"""

from __future__ import annotations

import asyncio
import os

from hub.config import Settings
from hub.mail import delivering
from workers.run import run_worker

if __name__ == "__main__":
    delivering.DOUBT_S = 2.0
    asyncio.run(
        run_worker(Settings.from_env(os.environ), started=lambda name, _port: print(f"started {name}", flush=True)),
    )
