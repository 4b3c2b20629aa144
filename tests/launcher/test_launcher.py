"""./ringside: prepares a clone once, notices what changed or was left half-made, and hands over."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.launcher.clones import RUN_S, Clone, load_launcher, steps
from tests.launcher.servers import eventually

needs_node = pytest.mark.skipif(
    shutil.which("npm") is None
    or int(subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.lstrip("v").split(".")[0])
    < 20,
    reason="Node.js 20 or newer and npm are not on the PATH: the console could not be built",
)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A clone in a path with a space."""
    return Clone(tmp_path / "a clone")


def test_the_first_run_prepares_and_the_second_has_nothing_to_do(clone: Clone, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(clone.root / "ringside")
    code, said, progress = clone.run("doctor", "--data", "x y", via=link, cwd=tmp_path)
    told = json.loads(said)
    assert (code, told["argv"], told["cwd"]) == (0, ["doctor", "--data", "x y"], str(tmp_path))
    assert told["prefix"] == str(clone.root / ".venv")
    assert told["path"][0] == str(clone.root), "the clone's own packages come first, not the working folder's"
    assert steps(progress) == ["Dependencies"]
    code, said, progress = clone.run("doctor")
    assert (code, progress) == (0, "")


def test_a_changed_lock_is_installed_and_dev_includes_base(clone: Clone) -> None:
    clone.run("doctor")
    made = (clone.root / ".venv/pyvenv.cfg").stat().st_mtime_ns
    clone.lock("base", "newer")
    assert steps(clone.run("doctor")[2]) == ["Dependencies"]
    assert (clone.root / ".venv/pyvenv.cfg").stat().st_mtime_ns == made, "the environment itself was kept"
    clone.run("test", "--co")  # there is no pytest in these locks; only what it prepares counts
    assert json.loads(clone.stamp.read_text())["level"] == "dev"
    assert steps(clone.run("doctor")[2]) == []
    clone.lock("base", "newest")
    clone.run("doctor")
    assert json.loads(clone.stamp.read_text())["level"] == "dev", "what the tests need is not taken away"


def test_a_half_made_environment_is_made_again(clone: Clone) -> None:
    (clone.root / ".venv/bin").mkdir(parents=True)
    (clone.root / ".venv/half").touch()
    assert steps(clone.run("doctor")[2]) == ["Dependencies"]
    assert not (clone.root / ".venv/half").exists()
    (clone.root / ".venv/bin/python").unlink()
    (clone.root / ".venv/bin/python").symlink_to("/nonexistent/python")
    code, said, _ = clone.run("doctor")
    assert (code, json.loads(said)["argv"]) == (0, ["doctor"])


def test_an_environment_that_somebody_else_made_is_filled_and_kept(clone: Clone) -> None:
    subprocess.run([sys.executable, "-m", "venv", clone.root / ".venv"], check=True)
    (clone.root / ".venv/mine").touch()
    assert steps(clone.run("doctor")[2]) == ["Dependencies"]
    assert (clone.root / ".venv/mine").exists()


def test_after_kill_9_in_the_middle_the_next_run_succeeds(clone: Clone) -> None:
    first = clone.start("doctor")
    eventually(lambda: (clone.root / ".venv/bin/python").exists(), "it has begun to make .venv")
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    assert not clone.stamp.exists()
    code, said, _ = clone.run("doctor")
    assert (code, json.loads(said)["argv"]) == (0, ["doctor"])


def test_two_at_once_do_not_fight(clone: Clone) -> None:
    with clone.being_prepared():
        # until both are there: else one may be done before the other begins
        both = [clone.start("doctor"), clone.start("doctor")]
        assert all("Waiting for another" in process.stderr.readline() for process in both if process.stderr)
    answers = [process.communicate(timeout=RUN_S) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(len(steps(progress)) for _, progress in answers) == [0, 1]


def test_a_failed_step_shows_the_tools_words(clone: Clone) -> None:
    clone.lock("base", "")
    (clone.root / "requirements/base.lock").write_text("no such thing at all\n")
    code, _, progress = clone.run("doctor")
    assert code == 1
    assert "Invalid requirement" in progress
    assert "setup.log" in progress
    assert not clone.stamp.exists()


@needs_node
def test_the_console_is_built_once_for_its_sources(clone: Clone) -> None:
    clone.add_console("one")
    page = clone.root / "console/dist/index.html"
    assert steps(clone.run("up")[2]) == ["Dependencies", "Console packages", "Console"]
    assert page.read_text() == "one"
    assert steps(clone.run("serve")[2]) == []
    (clone.root / "console/src/main.ts").write_text("two")
    assert steps(clone.run("doctor")[2]) == [], "who doesn't serve it doesn't build it"
    assert steps(clone.run("up")[2]) == ["Console"]
    assert page.read_text() == "two"
    assert [path.name for path in (clone.root / "console").glob(".dist*")] == []


@needs_node
def test_a_console_that_does_not_build_leaves_the_old_one(clone: Clone) -> None:
    clone.add_console("one")
    clone.run("up")
    (clone.root / "console/src/main.ts").write_text("broken")
    code, _, progress = clone.run("up")
    assert code == 1
    assert "main.ts is broken" in progress
    assert (clone.root / "console/dist/index.html").read_text() == "one"


def test_without_a_command_it_says_what_there_is(clone: Clone) -> None:
    code, said, _ = clone.run()
    assert code == 2
    assert "up " in said and "doctor" in said
    assert not (clone.root / ".venv").exists()


def test_an_old_python_gets_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    launcher = load_launcher()
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer; this is Python 3"):
        launcher.find_newer_python()


def test_without_ensurepip_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, clone: Clone) -> None:
    launcher = load_launcher()
    monkeypatch.setattr(launcher.importlib.util, "find_spec", lambda name: object() if name == "venv" else None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    workshop = launcher.Workshop(clone.root, launcher.Progress())
    with pytest.raises(launcher.Failure, match=rf"apt install python3.{sys.version_info[1]}-venv"):
        workshop.ensure_python("base")
