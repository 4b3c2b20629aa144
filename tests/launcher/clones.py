"""Small clones for the tests of the launcher: the real ./ringside around locks without packages."""

import contextlib
import fcntl
import importlib.machinery
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from tests.launcher.servers import ROOT
from tests.patience import PATIENCE_S

# A new environment is some hundred files and programs: no time at all, unless everybody wants the disk.
RUN_S = 5 * PATIENCE_S
CLI = """
import json, os, sys
print(json.dumps({"argv": sys.argv[1:], "cwd": os.getcwd(), "prefix": sys.prefix, "path": sys.path}))
"""
BUILD = """
import fs from 'node:fs';
const place = process.argv[process.argv.indexOf('--outDir') + 1];
if (fs.readFileSync('src/main.ts', 'utf8').includes('broken')) { console.error('main.ts is broken'); process.exit(1); }
fs.mkdirSync(place, { recursive: true });
fs.copyFileSync('src/main.ts', place + '/index.html');
"""


def load_launcher() -> ModuleType:
    """The launcher as a module; it has no .py ending."""
    loader = importlib.machinery.SourceFileLoader("ringside_launcher", str(ROOT / "ringside"))
    spec = importlib.util.spec_from_loader("ringside_launcher", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


class Clone:
    """A folder that the launcher takes for a clone of Ringside."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "requirements").mkdir(parents=True)
        (root / "hub").mkdir()
        shutil.copy2(ROOT / "ringside", root / "ringside")
        (root / "hub/__init__.py").touch()
        (root / "hub/cli.py").write_text(CLI)
        for name in ("base", "dev", "tools", "node"):
            self.lock(name, "")

    @property
    def stamp(self) -> Path:
        """What the launcher writes when .venv is finished."""
        return self.root / ".venv/.ringside.json"

    def lock(self, name: str, text: str) -> None:
        """Replace a lock file by one without packages that says ``text``."""
        (self.root / f"requirements/{name}.lock").write_text(f"# {text}\n")

    @contextlib.contextmanager
    def being_prepared(self) -> Iterator[None]:
        """Somebody else prepares this clone."""
        (self.root / ".ringside").mkdir(exist_ok=True)
        with (self.root / ".ringside/setup.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def add_console(self, source: str) -> None:
        """A console that is built by copying one file."""
        console = self.root / "console"
        (console / "src").mkdir(parents=True)
        about = {"name": "console", "version": "1.0.0", "private": True, "scripts": {"build": "node build.mjs"}}
        (console / "package.json").write_text(json.dumps(about))
        locked = {"name": "console", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": {"name": "console"}}}
        (console / "package-lock.json").write_text(json.dumps(locked))
        (console / "build.mjs").write_text(BUILD)
        (console / "src/main.ts").write_text(source)

    def start(self, *arguments: str, via: Path | None = None, cwd: Path | None = None) -> subprocess.Popen[str]:
        """Run the launcher in a session of its own."""
        hidden = ("PYTHONPATH", "PYTHONSAFEPATH", "VIRTUAL_ENV")
        return subprocess.Popen(
            [sys.executable, via or self.root / "ringside", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=cwd or self.root,
            env={name: value for name, value in os.environ.items() if name not in hidden},
            start_new_session=True,
        )

    def run(self, *arguments: str, via: Path | None = None, cwd: Path | None = None) -> tuple[int, str, str]:
        """Run the launcher to its end: exit code, standard output, standard error."""
        process = self.start(*arguments, via=via, cwd=cwd)
        said, progress = process.communicate(timeout=RUN_S)
        return process.returncode, said, progress


def steps(progress: str) -> Sequence[str]:
    """The titles of the steps that were done, without their seconds."""
    lines = [line.split() for line in progress.splitlines() if line.startswith(("✓", "ok"))]
    return [" ".join(words[1:-2]) for words in lines]
