"""Child processes on a leash, locks on folders, and processes that an earlier run left behind."""

import contextlib
import fcntl
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from hub.embedded.errors import AlreadyRunning

LEASH = Path(__file__).with_name("leash.py")
POLL_S = 0.02
LONGEST_LOG = 10_000_000


@dataclass(frozen=True, slots=True)
class Account:
    """An account of this machine that servers run under when we are root."""

    name: str
    uid: int
    gid: int


def leashed(command: Sequence[str | Path], *, death_signal: signal.Signals, account: Account | None = None) -> list[str]:
    """The command that runs ``command`` so that the kernel sends ``death_signal`` to it when our thread ends."""
    uid, gid = (account.uid, account.gid) if account else (-1, -1)
    return [
        *(sys.executable, "-I", "-S", str(LEASH)),
        *(str(int(death_signal)), str(os.getpid()), str(uid), str(gid)),
        *(str(part) for part in command),
    ]


class _Spawner:
    """Starts children from one thread that lives as long as the process: the leash is tied to that thread."""

    def __init__(self) -> None:
        self._orders: queue.SimpleQueue[tuple[dict[str, Any], queue.SimpleQueue[Any]]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def popen(self, **options: Any) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="ringside-spawner", daemon=True)
                self._thread.start()
        answer: queue.SimpleQueue[subprocess.Popen[bytes] | Exception] = queue.SimpleQueue()
        self._orders.put((options, answer))
        result = answer.get()
        if isinstance(result, Exception):
            raise result
        return result

    def _work(self) -> None:
        while True:
            options, answer = self._orders.get()
            try:
                answer.put(subprocess.Popen(**options))
            except Exception as problem:  # it belongs to the one who ordered
                answer.put(problem)


_spawner = _Spawner()


def spawn(
    command: Sequence[str | Path],
    *,
    death_signal: signal.Signals,
    log_path: Path,
    account: Account | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start ``command`` in a session of its own, on a leash, with both outputs added to ``log_path``."""
    with open_log(log_path) as log:
        return _spawner.popen(
            args=leashed(command, death_signal=death_signal, account=account),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=cwd or "/",
            env=dict(env) if env is not None else None,
            start_new_session=True,
            umask=0o077,
        )


def open_log(path: Path) -> BinaryIO:
    """Open a log for adding to it, readable by us only; a long one is put aside first."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > LONGEST_LOG:
            path.replace(path.with_name(f"{path.name}.1"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600), "ab")


def is_alive(pid: int) -> bool:
    """Whether process ``pid`` exists and is not a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return not Path("/proc/self").exists()
    return stat.rpartition(")")[2].split()[:1] != ["Z"]


def servers_of(folder: Path, names: Sequence[str]) -> list[int]:
    """The processes called one of ``names`` that work in ``folder``: what a killed run may have left behind."""
    found, home = [], folder.resolve()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended meanwhile, or it is somebody else's
            if (process / "comm").read_text().strip() in names and (process / "cwd").readlink() == home:
                found.append(int(process.name))
    return sorted(found)


def end_process(pid: int, steps: Sequence[tuple[signal.Signals, float]]) -> bool:
    """Send each signal in turn and give it its seconds; true when the process has gone."""
    for number, patience in steps:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + patience
        while is_alive(pid):
            if time.monotonic() > deadline:
                break
            time.sleep(POLL_S)
        else:
            return True
    return not is_alive(pid)


def end_child(child: subprocess.Popen[bytes], steps: Sequence[tuple[signal.Signals, float]]) -> int | None:
    """Send each signal in turn to our own child and give it its seconds; its exit code."""
    for number, patience in steps:
        if child.poll() is not None:
            break
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(patience)
    return child.poll()


class FolderLock:
    """A lock file that belongs to one process at a time and that the kernel frees when the process dies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self, busy: str) -> None:
        """Take the lock or raise AlreadyRunning(``busy`` plus the pid of the holder)."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            os.close(descriptor)
            suffix = f" (pid {holder})" if holder.isdigit() else ""
            raise AlreadyRunning(busy + suffix, int(holder) if holder.isdigit() else 0) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; harmless when it isn't held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_held(path: Path) -> bool:
    """Whether some process holds the FolderLock at ``path``."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@contextlib.contextmanager
def short_lock(path: Path) -> Iterator[None]:
    """Wait for the lock at ``path`` and hold it for a few moments."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_private(path: Path, content: dict[str, Any]) -> None:
    """Write ``content`` as JSON, readable by us only, so that a reader sees the old file or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def read_private(path: Path) -> dict[str, Any]:
    """The JSON object in ``path``, or an empty one when it is missing or half written."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
