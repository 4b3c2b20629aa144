"""A process of the measured Ringside: started on a leash, brought back when it dies, killed and stopped on request."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from hub.embedded.processes import spawn

ROOT = Path(__file__).resolve().parents[2]
_LOOK_S = 0.02
# What a supervisor waits before it starts again what died.
_AGAIN_S = 0.2
# Longer than a process needs to finish what it has begun.
END_S = 20.0


class Part:
    """One process under a supervisor of its own, as in production."""

    def __init__(self, name: str, arguments: Sequence[str], env: Mapping[str, str], log_path: Path) -> None:
        self.name = name
        self.log_path = log_path
        self.deaths = 0
        """How often it ended although nobody had asked it to."""
        self.env = dict(env)
        self._arguments = list(arguments)
        self._child: subprocess.Popen[bytes] | None = None
        self._wanted = False
        self._ending = False
        self._watch: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """Its process id, 0 when there is none."""
        return self._child.pid if self._child is not None and self._child.poll() is None else 0

    async def start(self) -> None:
        """Start it, and again whenever it ends. What is started already, or about to be brought back, is left alone."""
        if not self._wanted:
            self._launch()
            # Only now: the supervisor would bring back at once what has not been started yet.
            self._wanted = True
        if self._watch is None:
            self._watch = asyncio.create_task(self._supervise(), name=f"supervisor of {self.name}")

    def _launch(self) -> None:
        # It may have been ended and started again while the supervisor paused: a second process would be nobody's.
        if self.pid:
            return
        # Not in a thread: who is cancelled meanwhile would leave a child that nobody knows of.
        self._child = spawn(
            [sys.executable, *self._arguments],
            death_signal=signal.SIGKILL,
            log_path=self.log_path,
            cwd=ROOT,
            env=self.env,
        )

    async def _supervise(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            if self._wanted and self.pid == 0:
                # A killed process is brought back like one that died; only the latter is counted.
                if not self._ending:
                    self.deaths += 1
                self._ending = False
                await asyncio.sleep(_AGAIN_S)
                if self._wanted:
                    self._launch()

    def kill(self) -> None:
        """kill -9; the supervisor brings it back."""
        self._ending = self.pid != 0
        self._signal(signal.SIGKILL)

    def pause(self) -> None:
        """SIGSTOP: it lives, and does nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    async def end(self, within_s: float = END_S) -> int | None:
        """SIGTERM, and no new start; its exit code, or None when it did not end in time and was killed."""
        self._wanted = False
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGTERM)
        child = self._child
        if child is None:
            return 0
        try:
            async with asyncio.timeout(within_s):
                while child.poll() is None:  # noqa: ASYNC110 - a child of another thread tells nobody
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            child.kill()
            await asyncio.to_thread(child.wait)
            return None
        return child.returncode

    async def close(self) -> None:
        """Kill it for good."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        self._wanted = False
        self._signal(signal.SIGKILL)
        if self._child is not None:
            await asyncio.to_thread(self._child.wait)

    def _signal(self, number: signal.Signals) -> None:
        if pid := self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def family(pid: int) -> list[int]:
    """A process and its children, the process first."""
    children = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if entry.read_text().rpartition(")")[2].split()[1] == str(pid):
                children.append(int(entry.parent.name))
    return [pid, *children]


def signal_family(pid: int, number: signal.Signals) -> None:
    """Send a signal to a server of several processes (Postgres has one for each connection)."""
    if not pid:
        return
    for one in family(pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, number)
