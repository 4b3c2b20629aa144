"""Shared fixtures: real Postgres and Valkey of our own, a database cloned from a migrated template for each test."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from hub.db import Database
from hub.embedded import PostgresServer, ValkeyServer, start_postgres, start_valkey
from hub.listening import allow_files
from hub.migrate import migrate
from hub.who import Role, Who

TEMPLATE = "ringside_template"
MEMORY = Path("/dev/shm")
MEMORY_NEEDED = 2_000_000_000
SHARED = Path(__file__).resolve().parents[2] / "shared"

_numbers = itertools.count(1)

# How long it takes to invent an example and to try it depends on what else the machine has to do.
settings.register_profile("ringside", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ringside")

# Many systems give a process 1,024: the hub of a test, its clients, its database's files and a flood of sockets are more.
allow_files(16_384)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """One Postgres for this test process, with a migrated template database in it."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(folder_in_memory()) if has_memory_for_files() else tmp_path_factory.mktemp("postgres")
        server = stack.enter_context(start_postgres(folder, durable=False))
        asyncio.run(_make_template(server))
        yield server


def has_memory_for_files() -> bool:
    """Is there a file system in memory, with room for the tests' databases?

    A third of the tests' time went to ext4 otherwise: it looks long for inodes where many files were deleted just before.
    """
    return MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED


@contextlib.contextmanager
def folder_in_memory() -> Iterator[Path]:
    """A folder in memory as long as the block lasts. Those that killed test runs have left behind go as well."""
    for left in MEMORY.glob("ringside-tests-*"):
        if not Path(f"/proc/{left.name.rpartition('-')[2]}").exists():
            shutil.rmtree(left, ignore_errors=True)
    folder = MEMORY / f"ringside-tests-{os.getpid()}"
    # A killed test run had this process's number before.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    folder.chmod(0o711)  # as root Postgres runs under another account, which must get in
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _make_template(server: PostgresServer) -> None:
    admin = await asyncpg.connect(server.url_for("postgres", "postgres"))
    await admin.execute(f"CREATE DATABASE {TEMPLATE}")
    await admin.close()
    await migrate(server.url_for("ringside_owner", TEMPLATE), server.url_for("postgres", TEMPLATE))


@dataclass(frozen=True, slots=True)
class TestDatabase:
    """A database of one test, by role."""

    __test__ = False

    name: str
    app_url: str
    owner_url: str
    admin_url: str


@asynccontextmanager
async def cloned_database(postgres: PostgresServer) -> AsyncIterator[TestDatabase]:
    """A fresh copy of the migrated database, as long as the block lasts."""
    name = f"test_{next(_numbers)}"
    admin = await asyncpg.connect(postgres.url_for("postgres", "postgres"))
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
    await admin.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC; GRANT CONNECT ON DATABASE {name} TO ringside_app")
    await admin.execute(f"ALTER DATABASE {name} OWNER TO ringside_owner")
    try:
        yield TestDatabase(
            name,
            postgres.url_for("ringside_app", name),
            postgres.url_for("ringside_owner", name),
            postgres.url_for("postgres", name),
        )
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


@pytest.fixture
async def database(postgres: PostgresServer) -> AsyncIterator[TestDatabase]:
    """A fresh copy of the migrated database."""
    async with cloned_database(postgres) as cloned:
        yield cloned


@pytest.fixture
async def db(database: TestDatabase) -> AsyncIterator[Database]:
    """The pool as the app role, with nobody to hint to."""
    opened = await Database.open(database.app_url, max_size=5)
    yield opened
    await opened.close()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    """A Valkey of one test; it may be killed and restarted."""
    with start_valkey(tmp_path / "valkey", durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Valkey for tests that leave it running and keep to their own keys."""
    with start_valkey(tmp_path_factory.mktemp("valkey"), durable=False) as server:
        yield server.url


@dataclass(frozen=True, slots=True)
class Company:
    """A tenant with one member of each role."""

    tenant_id: UUID
    name: str
    members: dict[str, UUID]

    def who(self, role: Role = "rep") -> Who:
        """The member of a role, acting."""
        return Who(self.tenant_id, self.members[role], role, name=f"{role.title()} of {self.name}")


async def make_company(db: Database, name: str, password_hash: str = "!", *, practice: bool = True) -> Company:
    """A company with an owner, an admin, a manager and a rep, whose addresses are role@name.test.

    It practises, so that its calls are allowed at whatever time of day the tests run, unless `practice` is False.
    """
    async with db.acquire() as conn:
        tenant_id = await conn.fetchval("SELECT create_company($1)", name)
        members = {
            role: await conn.fetchval(
                "SELECT create_member($1, $2, $3, $4, $5)",
                tenant_id,
                f"{role}@{name.lower()}.test",
                f"{role.title()} of {name}",
                password_hash,
                role,
            )
            for role in ("owner", "admin", "manager", "rep")
        }
        async with conn.transaction():
            await conn.execute("SELECT set_config('ringside.tenant_id', $1, true)", str(tenant_id))
            await conn.execute("INSERT INTO permit_settings (tenant_id, practice) VALUES ($1, $2)", tenant_id, practice)
    return Company(tenant_id, name, members)


@pytest.fixture
async def acme(db: Database) -> Company:
    """The company most tests happen in."""
    return await make_company(db, "Acme")


@pytest.fixture
async def globex(db: Database) -> Company:
    """The other company, which must never notice."""
    return await make_company(db, "Globex")


def pytest_collection_finish() -> None:
    """What was imported and collected stays: the garbage collector need not walk through it again and again."""
    gc.collect()
    gc.freeze()
