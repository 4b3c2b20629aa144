"""Plain SQL migrations: under an advisory lock, each once, each in its own transaction, checksummed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from hub.sqlfiles import SQL_DIR

_LOCK = 7246002
_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version     text PRIMARY KEY,
    checksum    text NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now()
);
REVOKE ALL ON schema_migrations FROM PUBLIC;
GRANT SELECT ON schema_migrations TO ringside_app;
"""


class MigrationError(RuntimeError):
    """The database and the files disagree; the message says which migration and what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of sql/migrations."""

    version: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file's text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations(folder: Path = SQL_DIR / "migrations") -> list[Migration]:
    """The migrations in order of their numbers."""
    return [Migration(path.stem, path.read_text(encoding="utf-8")) for path in sorted(folder.glob("[0-9]*.sql"))]


async def create_roles(admin_url: str) -> None:
    """Create the cluster roles and give the database to its owner. Needs a superuser, or CREATEROLE and the database."""
    conn = await asyncpg.connect(admin_url)
    try:
        name = await conn.fetchval("SELECT quote_ident(current_database())")
        # In one transaction, so that the lock of roles.sql is held to the end: two at once would trip over each other.
        async with conn.transaction():
            await conn.execute((SQL_DIR / "roles.sql").read_text(encoding="utf-8"))
            await conn.execute(
                f"ALTER DATABASE {name} OWNER TO ringside_owner; REVOKE ALL ON DATABASE {name} FROM PUBLIC;"
                f"GRANT CONNECT ON DATABASE {name} TO ringside_app; ALTER SCHEMA public OWNER TO ringside_owner"
            )
    finally:
        await conn.close()


async def migrate(owner_url: str, admin_url: str | None = None) -> list[str]:
    """Bring the database up to date and return the versions applied now.

    With `admin_url` the roles are made first. Raises MigrationError when an applied migration was edited
    or when the database is ahead of these files.
    """
    if admin_url:
        await create_roles(admin_url)
    conn = await asyncpg.connect(owner_url, server_settings={"TimeZone": "UTC", "client_min_messages": "warning"})
    try:
        await conn.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await conn.execute(_TABLE)
        applied = await _applied(conn)
        todo = pending(applied, migrations())
        for migration in todo:
            async with conn.transaction():
                await conn.execute(migration.sql)
                await conn.execute(
                    "INSERT INTO schema_migrations (version, checksum) VALUES ($1, $2)", migration.version, migration.checksum
                )
        return [m.version for m in todo]
    finally:
        await conn.close()


async def _applied(conn: asyncpg.Connection) -> dict[str, str]:
    return {r["version"]: r["checksum"] for r in await conn.fetch("SELECT version, checksum FROM schema_migrations")}


async def pending_versions(url: str) -> list[str]:
    """The versions this database still lacks, read as any role that may connect."""
    conn = await asyncpg.connect(url, statement_cache_size=0)  # there may be a pooler between
    try:
        if await conn.fetchval("SELECT to_regclass('public.schema_migrations')") is None:
            return [m.version for m in migrations()]
        return [m.version for m in pending(await _applied(conn), migrations())]
    finally:
        await conn.close()


def pending(applied: dict[str, str], files: list[Migration]) -> list[Migration]:
    """What is still to be applied, after checking that what was applied is what the files say."""
    known = {m.version: m for m in files}
    for version, checksum in applied.items():
        if version not in known:
            raise MigrationError(
                f"The database has migration {version}, which this version of Ringside does not know. Run the newer one."
            )
        if known[version].checksum != checksum:
            raise MigrationError(
                f"Migration {version} was changed after it was applied. Restore the file and add a new migration instead."
            )
    todo = [m for m in files if m.version not in applied]
    last = max(applied, default="")
    for migration in todo:
        if migration.version < last:
            raise MigrationError(
                f"Migration {migration.version} is numbered below {last}, which is already applied. Give it a higher number."
            )
    return todo
