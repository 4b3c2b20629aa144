"""The children of `up`: brought back when they die, stopped in order, heard without being waited for."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from hub.supervisor import Service, Terminal, describe_exit
from tests.launcher.servers import ROOT, eventually, is_running
from tests.patience import PATIENCE_S


def service(folder: Path, program: str) -> Service:
    """A service that runs a few lines of Python."""
    return Service(
        "child",
        [sys.executable, "-c", textwrap.dedent(program)],
        env=dict(os.environ),
        cwd=folder,
        log_path=folder / "child.log",
        terminal=Terminal(),
    )


async def until(fact: object, what: str) -> None:
    """The same as eventually(), without holding up the loop."""
    await asyncio.to_thread(eventually, fact, what)  # type: ignore[arg-type]


async def test_a_child_that_dies_is_brought_back_and_what_it_said_is_kept(tmp_path: Path) -> None:
    child = service(tmp_path, "import time; print('\\x1b[31mhere\\x1b[0m', flush=True); time.sleep(60)")
    await child.start()
    await until(lambda: child.last_words() == "here", "its words are in the log, without colours")
    first = child.pid
    os.kill(first, signal.SIGKILL)
    await until(lambda: child.last_words() == "here\nhere", "it runs again")
    assert child.pid not in (0, first)
    assert child.starts == 2
    await child.stop(5)
    assert child.pid == 0


async def test_a_child_that_will_not_end_is_killed(tmp_path: Path) -> None:
    child = service(
        tmp_path,
        """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("deaf", flush=True)
        while True: time.sleep(1)
        """,
    )
    await child.start()
    await until(lambda: child.last_words() == "deaf", "it has closed its ears")
    pid = child.pid
    await child.stop(0.2)
    assert not is_running(pid)


async def test_a_line_without_end_does_not_stop_the_log(tmp_path: Path) -> None:
    child = service(tmp_path, "import time; print('x' * 3_000_000); print('after', flush=True); time.sleep(60)")
    await child.start()
    await until(lambda: "after" in child.last_words(), "what came after the long line")
    await child.stop(5)


def test_a_reader_that_does_not_read_holds_nobody_up() -> None:
    program = "from hub.supervisor import Terminal; t = Terminal(); [t.say('x' * 1000) for _ in range(5000)]; print('done')"
    unread, end = os.pipe()
    answer = subprocess.run(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=end, cwd=ROOT, timeout=PATIENCE_S, check=True, text=True
    )
    os.close(end)
    os.close(unread)
    assert answer.stdout == "done\n"


@pytest.mark.parametrize(("code", "text"), [(3, "exit code 3"), (-9, "signal SIGKILL"), (-200, "signal 200")])
def test_an_exit_is_described(code: int, text: str) -> None:
    assert describe_exit(code) == text
