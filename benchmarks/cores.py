"""Which core does what: the server on one, the load on another, so that neither measures the other."""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

SERVER = 0
LOAD = 1
# As this process found them, before it kept itself to one.
_CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
_TICKS = os.sysconf("SC_CLK_TCK")


def usable() -> list[int]:
    """The cores this process might be put on when it began."""
    return list(_CORES)


def pinned(command: Sequence[str], core: int) -> list[str]:
    """The command, kept to one core (the n-th usable one); as it is where there are no two or no taskset."""
    if len(_CORES) < 2 or shutil.which("taskset") is None:
        return list(command)
    return ["taskset", "-c", str(_CORES[core % len(_CORES)]), *command]


def pin_self(core: int) -> bool:
    """Keep this process and what it starts to one core; False where there are no two."""
    return pin(0, core)


def pin(pid: int, core: int) -> bool:
    """Move a running process with all its threads to one core; False where there are no two."""
    if len(_CORES) < 2:
        return False
    for thread in (int(one.name) for one in Path(f"/proc/{pid or os.getpid()}/task").iterdir()):
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(thread, {_CORES[core % len(_CORES)]})
    return True


def release(pid: int) -> None:
    """Let a process, its children and what they start run on all cores again."""
    for each in (pid, *_children(pid)) if len(_CORES) > 1 else ():
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(each, _CORES)


def _children(pid: int) -> list[int]:
    # Any thread may have started some, as hub.embedded's does.
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (thread / "children").read_text().split())
    return found


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has used, its own and the system's for it (proc(5)). Raises OSError when it is gone."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def family_cpu_s(pid: int) -> float:
    """`cpu_s` of a process and of its children that live; the children that have ended are not counted."""
    used = cpu_s(pid)
    for child in _children(pid):
        with contextlib.suppress(OSError):
            used += cpu_s(child)
    return used


def waited_s(pid: int) -> float:
    """Seconds that a process's threads were ready and had no core (schedstat, proc(5)). Raises OSError when it is gone, or when
    the kernel does not count that."""
    return sum(int((thread / "schedstat").read_text().split()[1]) for thread in Path(f"/proc/{pid}/task").iterdir()) / 1e9


def before_others(pid: int) -> bool:
    """Let a process, what it has started and what they will start run before all else that runs here (sched(7), SCHED_RR).

    False where that is not allowed. Only for what needs little: nothing else would run meanwhile.
    """
    try:
        for thread in [int(one.name) for one in Path(f"/proc/{pid}/task").iterdir()]:
            os.sched_setscheduler(thread, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        return False
    except (OSError, AttributeError):
        return hasattr(os, "SCHED_RR")  # it has just ended, or this is no Linux
    return False not in [before_others(child) for child in _children(pid)]


def resident_mb(pid: int) -> float:
    """What a process holds in memory, in MB of 10^6 bytes. Raises OSError when it is gone."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Share:
    """How much of a core a process uses, with `family` its living children, too, from the moment this is made."""

    def __init__(self, pid: int, *, family: bool = False) -> None:
        self._pid = pid
        self._read = family_cpu_s if family else cpu_s
        self._cpu, self._waited = self._read(pid), self._waited_s()
        self._began = time.monotonic()

    def _waited_s(self) -> float:
        try:
            return waited_s(self._pid)
        except OSError:
            return math.nan

    @property
    def used_s(self) -> float:
        """Seconds of CPU so far."""
        return self._read(self._pid) - self._cpu

    @property
    def share(self) -> float:
        """Of one core, 0 to 1 (more with threads)."""
        return self.used_s / max(time.monotonic() - self._began, 1e-9)

    @property
    def waited(self) -> float:
        """How much of the time it was ready and had no core; NaN where nobody knows. The machine's doing, not the program's."""
        return (self._waited_s() - self._waited) / max(time.monotonic() - self._began, 1e-9)
