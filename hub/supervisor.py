"""Child processes of `ringside up`: started on a leash, watched, brought back when they die, stopped in order."""

import asyncio
import contextlib
import logging
import logging.handlers
import queue
import re
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from hub.embedded.processes import leashed

ANSI = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]")
LONGEST_LINE = 1 << 20
FIRST_PAUSE_S = 0.3
LONGEST_PAUSE_S = 10.0
STEADY_S = 30.0  # who ran this long starts over with the shortest pause
LOG_BYTES = 10_000_000


class Terminal:
    """Standard error, written by a thread: a reader that doesn't read must not stop the supervisor."""

    def __init__(self) -> None:
        self.shows_logs = False
        self._lines: queue.Queue[str] = queue.Queue(maxsize=2000)
        self._dropped = 0
        threading.Thread(target=self._write, name="ringside-terminal", daemon=True).start()

    def say(self, text: str) -> None:
        """Write a line, or drop it when nobody has read the last 2,000 (the log files have them all)."""
        try:
            self._lines.put_nowait(text)
        except queue.Full:
            self._dropped += 1

    def log(self, name: str, line: str) -> None:
        """A line of a child's log, once logs are shown."""
        if self.shows_logs:
            self.say(f"{name:<9} {line}")

    def flush(self, patience_s: float = 0.5) -> None:
        """Wait until everything is written, within reason."""
        deadline = time.monotonic() + patience_s
        while self._lines.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.005)

    def _write(self) -> None:
        while True:
            text = self._lines.get()
            dropped, self._dropped = self._dropped, 0
            with contextlib.suppress(OSError, ValueError):  # the terminal has gone: go on without it
                if dropped:
                    sys.stderr.write(f"({dropped} lines not shown; the log files have them)\n")
                sys.stderr.write(f"{text}\n")
                sys.stderr.flush()
            self._lines.task_done()


class Service:
    """One child that should always run."""

    def __init__(
        self, name: str, command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, log_path: Path, terminal: Terminal
    ) -> None:
        self.name, self.log_path = name, log_path
        self.starts = 0
        self._command, self._env, self._cwd, self._terminal = command, env, cwd, terminal
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._log = logging.handlers.RotatingFileHandler(log_path, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8")

    @property
    def pid(self) -> int:
        """The child's pid, 0 while it doesn't run."""
        return self._process.pid if self._process is not None and self._process.returncode is None else 0

    async def start(self) -> None:
        """Start the child and keep it running until stop()."""
        await self._spawn()
        self._task = asyncio.create_task(self._keep_running(), name=f"keep {self.name} running")

    async def stop(self, patience_s: float) -> None:
        """Ask the child to end, and end it after ``patience_s``."""
        self._stopping = True
        if self._process is not None and self._process.returncode is None:
            self._send(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._process.wait(), patience_s)
            except TimeoutError:
                self._terminal.say(f"{self.name} did not end within {patience_s:.0f} s; killed")
                self._send(signal.SIGKILL)
                await self._process.wait()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._log.close()

    def kill(self) -> None:
        """End the child at once, and for good."""
        self._stopping = True
        self._send(signal.SIGKILL)

    def last_words(self, lines: int = 30) -> str:
        """The end of the child's log."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
        return ""

    def _send(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _spawn(self) -> None:
        # from the main thread: the leash is tied to the thread that spawns. A supervisor that dies can't tell
        # anybody to be quick, so its children go at once; whatever matters is in the database.
        self._process = await asyncio.create_subprocess_exec(
            *leashed(self._command, death_signal=signal.SIGKILL),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=dict(self._env),
            cwd=self._cwd,
            start_new_session=True,
            limit=LONGEST_LINE,
        )
        self.starts += 1

    async def _keep_running(self) -> None:
        pause = FIRST_PAUSE_S
        while self._process is not None:
            began = time.monotonic()
            await self._pump(self._process)
            code = await self._process.wait()
            if self._stopping:
                return
            if time.monotonic() - began > STEADY_S:
                pause = FIRST_PAUSE_S
            self._terminal.log(self.name, f"ended with {describe_exit(code)}; starting again in {pause:.1f} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)
            await self._spawn()

    async def _pump(self, process: asyncio.subprocess.Process) -> None:
        """Copy what the child says to its log and the terminal until it closes its output."""
        output = process.stdout
        while output is not None:
            try:
                line = await output.readline()
            except ValueError:  # longer than LONGEST_LINE: asyncio has thrown it away
                continue
            if not line:
                return
            text = line.rstrip().decode(errors="replace")
            plain = ANSI.sub(b"", line.rstrip()).decode(errors="replace")
            self._log.emit(logging.makeLogRecord({"msg": plain}))
            self._terminal.log(self.name, text if sys.stderr.isatty() else plain)


def describe_exit(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return f"signal {signal.Signals(-code).name}"
    return f"signal {-code}"
