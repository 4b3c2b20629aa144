"""Migrations: each once, in order, all or nothing, by one process at a time, on every Postgres we promise."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from hub import migrate as migrating
from hub.canary.pair import open_pair
from hub.canary.tables import try_sql
from hub.db import Database, tenant_tx
from hub.embedded import PostgresServer
from hub.embedded import postgres as embedded
from hub.embedded.programs import Programs, find_postgres
from hub.migrate import MigrationError, create_roles, migrate, migrations, pending_versions
from hub.sqlfiles import SQL_DIR, Statement
from tests.conftest import make_company

_numbers = itertools.count(1)
VERSIONS = [m.version for m in migrations()]


@dataclass(frozen=True, slots=True)
class Empty:
    """A database in which nothing was done yet."""

    owner_url: str
    admin_url: str
    app_url: str

    async def value(self, sql: str) -> object:
        conn = await asyncpg.connect(self.admin_url)
        try:
            return await conn.fetchval(sql)
        finally:
            await conn.close()


@pytest.fixture
async def empty(postgres: PostgresServer) -> AsyncIterator[Empty]:
    async for made in _empty_database(postgres):
        yield made


async def _empty_database(server: PostgresServer) -> AsyncIterator[Empty]:
    name = f"empty_{next(_numbers)}"
    admin = await asyncpg.connect(server.url_for("postgres", "postgres"))
    await admin.execute(f"CREATE DATABASE {name}")
    yield Empty(server.url_for("ringside_owner", name), server.url_for("postgres", name), server.url_for("ringside_app", name))
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of migrations of the test's own, in the place of ours."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_first.sql").write_text("CREATE TABLE one (id int PRIMARY KEY)")
    (folder / "0002_second.sql").write_text("CREATE TABLE two (id int PRIMARY KEY)")
    monkeypatch.setattr(migrating, "migrations", lambda: migrations(folder))
    return folder


async def run(empty: Empty) -> list[str]:
    return await migrate(empty.owner_url, empty.admin_url)


async def test_everything_is_applied_once(empty: Empty) -> None:
    assert await run(empty) == VERSIONS
    assert await run(empty) == []
    assert await migrate(empty.owner_url) == []
    assert await empty.value("SELECT array_agg(version ORDER BY version) FROM schema_migrations") == VERSIONS


async def test_the_app_can_tell_what_is_missing_before_and_after(empty: Empty) -> None:
    await create_roles(empty.admin_url)
    assert await pending_versions(empty.app_url) == VERSIONS
    await run(empty)
    assert await pending_versions(empty.app_url) == []


async def test_several_at_once_take_turns(empty: Empty) -> None:
    done = await asyncio.gather(*(run(empty) for _ in range(4)))
    assert sorted(done, key=len) == [[], [], [], VERSIONS]


async def test_a_file_that_was_changed_after_it_was_applied_is_named(empty: Empty, files: Path) -> None:
    await run(empty)
    (files / "0001_first.sql").write_text("CREATE TABLE one (id bigint PRIMARY KEY)")
    with pytest.raises(MigrationError, match="0001_first was changed after it was applied"):
        await run(empty)
    with pytest.raises(MigrationError, match="0001_first was changed"):
        await pending_versions(empty.app_url)


async def test_a_database_that_is_ahead_of_the_files_is_left_alone(empty: Empty, files: Path) -> None:
    await run(empty)
    (files / "0002_second.sql").unlink()
    with pytest.raises(MigrationError, match="0002_second, which this version of Ringside does not know"):
        await run(empty)


async def test_a_number_below_the_last_one_is_refused(empty: Empty, files: Path) -> None:
    await run(empty)
    (files / "0001_late.sql").write_text("CREATE TABLE late (id int PRIMARY KEY)")
    with pytest.raises(MigrationError, match="0001_late is numbered below 0002_second"):
        await run(empty)
    assert await empty.value("SELECT to_regclass('late')") is None


async def test_a_migration_that_fails_leaves_nothing_and_may_be_mended(empty: Empty, files: Path) -> None:
    third = files / "0003_third.sql"
    third.write_text("CREATE TABLE three (id int PRIMARY KEY); INSERT INTO three VALUES (1), (1)")
    with pytest.raises(asyncpg.UniqueViolationError):
        await run(empty)
    assert await empty.value("SELECT to_regclass('three')") is None
    assert await empty.value("SELECT max(version) FROM schema_migrations") == "0002_second"
    third.write_text("CREATE TABLE three (id int PRIMARY KEY)")
    assert await run(empty) == ["0003_third"]


async def test_only_numbered_files_are_migrations_and_each_number_is_there_once(files: Path) -> None:
    (files / "notes.sql").write_text("DROP TABLE one")
    (files / "0003_third.txt").write_text("DROP TABLE one")
    assert [m.version for m in migrations(files)] == ["0001_first", "0002_second"]
    numbers = [version.split("_")[0] for version in VERSIONS]
    assert numbers == [f"{n:04}" for n in range(1, len(numbers) + 1)]


async def test_the_roles_are_made_once_and_have_no_more_than_they_need(empty: Empty) -> None:
    for _ in range(2):
        await create_roles(empty.admin_url)
    roles = "SELECT array_agg(rolname::text ORDER BY rolname) FROM pg_roles WHERE rolname LIKE 'ringside%'"
    assert await empty.value(roles) == ["ringside_app", "ringside_owner", "ringside_search", "ringside_system"]
    power = (
        "SELECT bool_or(rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls) FROM pg_roles WHERE rolname LIKE 'ringside%'"
    )
    assert await empty.value(power) is False
    assert (
        await empty.value("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()")
        == "ringside_owner"
    )
    assert await empty.value("SELECT has_database_privilege('ringside_app', current_database(), 'TEMP')") is False


OTHERS = [programs for programs in find_postgres() if programs.origin == "system"]


@pytest.fixture(params=sorted({15} | {programs.major for programs in OTHERS}))
def other_postgres(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresServer]:
    """A server of another major version, as the system's packages install it."""
    found: Programs | None = next((p for p in OTHERS if p.major == request.param), None)
    if found is None:
        pytest.skip(f"Postgres {request.param} is not installed under /usr/lib/postgresql")
    monkeypatch.setattr(embedded, "find_postgres", lambda: iter([found]))
    with ExitStack() as stack:
        yield stack.enter_context(embedded.start_postgres(tmp_path / "postgres", durable=False))
    shutil.rmtree(tmp_path / "postgres", ignore_errors=True)


async def test_the_schema_works_on_other_versions_of_postgres(other_postgres: PostgresServer) -> None:
    async for empty in _empty_database(other_postgres):
        assert await run(empty) == VERSIONS
        assert await empty.value("SELECT current_setting('server_version_num')::int / 10000") == other_postgres.programs.major
        conn = await asyncpg.connect(empty.owner_url)
        assert [tuple(row) for row in await conn.fetch((SQL_DIR / "lint.sql").read_text())] == []
        await conn.close()
        db = await Database.open(empty.app_url, max_size=2)
        acme = await make_company(db, "Acme")
        given = Statement("t", "INSERT INTO contacts (tenant_id, first_name) VALUES (:tenant_id, :name) RETURNING id")
        async with tenant_tx(db, acme.who()) as tx:
            ids = [await tx.fetchval(given, name=f"N{n}") for n in range(5)]
        assert [i.version for i in ids] == [7] * 5
        assert all(i.variant == "specified in RFC 4122" for i in ids)
        assert {one.verdict for one in await try_sql(db, *await open_pair(db, None))} == {"closed"}
        await db.close()
