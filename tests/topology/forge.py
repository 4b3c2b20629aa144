"""Hubs and workers forked from one process that has loaded their code: each costs milliseconds instead of seconds.

Reads orders from standard input, a line of JSON each: {"name", "command", "env", "log"}, and answers with the child's pid. When
its input ends, which it does with the process that ordered, it kills what it has made.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]


class Forged:
    """A child of the forge, as far as a test needs one."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def poll(self) -> int | None:
        """None while it runs; the forge keeps its exit code to itself."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return 0
        return None

    def send_signal(self, number: signal.Signals) -> None:
        """As Popen does."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """As Popen does."""
        self.send_signal(signal.SIGKILL)


class Forge:
    """The test's side: starts the forge, orders from it."""

    def __init__(self, log: Path) -> None:
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.topology.forge"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=out,
                env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(ROOT)},
            )

    def make(self, name: str, command: str, env: Mapping[str, str], log: Path) -> Forged:
        """A child that runs `ringside COMMAND` with this environment and nothing else in it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"name": name, "command": command, "env": dict(env), "log": str(log)}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        return Forged(int(self._process.stdout.readline()))

    def close(self) -> None:
        """End it and everything it has made."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(timeout=PATIENCE_S)
        if self._process.stdout is not None:
            self._process.stdout.close()


def run_child(order: Mapping[str, Any]) -> None:
    """In the child: become the process that was ordered. Does not return."""
    code = 1
    try:
        os.setsid()
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        null = os.open(os.devnull, os.O_RDONLY)
        for number, file in ((0, null), (1, log), (2, log)):
            os.dup2(file, number)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.environ.clear()
        os.environ.update(order["env"])
        code = sys.modules["hub.cli"].main([order["command"]])
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """The forge itself."""
    from hub import app, cli  # noqa: F401, PLC0415 - only here: whoever imports this module wants the other side
    from workers import run  # noqa: F401, PLC0415

    assert threading.active_count() == 1, "what has threads must not be forked"
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    made: list[int] = []
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            run_child(json.loads(line))
        made.append(pid)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
    for pid in made:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


if __name__ == "__main__":
    main()
