"""The processes of a benchmark: on a leash, and asked to end before they are made to."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
from asyncio.subprocess import Process
from collections.abc import Sequence

from hub.embedded.processes import leashed


def on_leash(command: Sequence[str]) -> list[str]:
    """The command, so that it ends with this process however that ends: a load that is killed leaves nothing running."""
    program = shutil.which(command[0])
    if program is None:
        raise FileNotFoundError(command[0])
    return leashed([program, *command[1:]], death_signal=signal.SIGKILL)


async def end(process: Process, within_s: float = 20.0) -> None:
    """SIGTERM, and SIGKILL for one that takes longer."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), within_s)
    except TimeoutError:
        process.kill()
        await process.wait()
