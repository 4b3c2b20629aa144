"""Nothing of one company's transaction is left for the next one that PgBouncer gives the same connection to."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from hub.config import Prepared
from hub.db import Database, tenant_tx
from hub.embedded import PostgresServer
from hub.errors import Unavailable
from hub.sqlfiles import Statement
from hub.who import Who
from tests.conftest import TestDatabase, make_company
from tests.harness import until
from tests.topology.house import House, is_open, pgbouncer_version, skip_without, wait

CONTEXT = Statement("context", "SELECT current_setting('ringside.tenant_id', true)")
OUTSIDE = Statement("outside", "SELECT coalesce(current_setting('ringside.tenant_id', true), '') AS tenant")
ADD = Statement("add", "INSERT INTO contacts (tenant_id, first_name) VALUES (:tenant_id, :name)")
SEEN = Statement("seen", "SELECT DISTINCT tenant_id FROM contacts")
SLEEP = Statement("sleep", "SELECT pg_sleep(5)")
SESSION = Statement(
    "session",
    "SELECT "
    + ", ".join(
        f"current_setting('{name}') AS {name}"
        for name in (
            *("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "jit"),
            *("timezone", "search_path", "default_transaction_isolation", "synchronous_commit", "client_encoding", "role"),
        )
    ),
)
TURNS, AT_ONCE = 40, 6


class Broken(Exception):
    """Something in the middle of a transaction."""


@pytest.fixture
def narrow(postgres: PostgresServer, database: TestDatabase) -> Iterator[House]:
    """deploy/pgbouncer.ini with two connections to Postgres for everybody."""
    skip_without("pgbouncer")
    folder = Path(tempfile.mkdtemp(prefix="ringside-pgbouncer-"))
    folder.chmod(0o755)
    house = House(folder, postgres, database.name)
    try:
        house.make_secrets()
        house.start_pgbouncer(default_pool_size="2", min_pool_size="0", reserve_pool_size="0")
        wait(lambda: is_open(house.port("pgbouncer")), "PgBouncer listens")
        yield house
    finally:
        house.stop()
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def pools(house: House, prepared: Prepared) -> AsyncIterator[list[Database]]:
    """Two processes' pools before the same PgBouncer."""
    url = house.secret("database_url").read_text().strip()
    opened = [await Database.open(url, min_size=2, max_size=AT_ONCE, prepared=prepared) for _ in range(2)]
    try:
        yield opened
    finally:
        await asyncio.gather(*(db.close() for db in opened))


def prepared_modes() -> list[Prepared]:
    """By itself, and with prepared statements where the installed PgBouncer can carry them."""
    try:
        return ["auto", "yes"] if pgbouncer_version() >= (1, 21) else ["auto"]
    except OSError:
        return ["auto"]


@pytest.mark.parametrize("prepared", prepared_modes())
async def test_no_context_leaks_between_two_companies_that_share_two_connections(narrow: House, prepared: Prepared) -> None:
    async with pools(narrow, prepared) as (first, second):
        acme, globex = await make_company(first, "Acme"), await make_company(second, "Globex")
        backends: set[int] = set()

        async def hammer(db: Database, tenant_id: UUID, seed: int) -> None:
            dice, who = random.Random(seed), Who.system(tenant_id)
            for turn in range(TURNS):
                with contextlib.suppress(Broken, TimeoutError, Unavailable):
                    async with tenant_tx(db, who) as tx:
                        assert await tx.fetchval(CONTEXT) == str(tenant_id)
                        backends.add(await tx.conn.fetchval("SELECT pg_backend_pid()"))
                        await tx.execute(ADD, name=f"{seed} {turn}")
                        assert {row["tenant_id"] for row in await tx.fetch(SEEN)} == {tenant_id}
                        match dice.randrange(8):
                            case 0:
                                raise Broken
                            case 1:
                                async with asyncio.timeout(0.01):
                                    await tx.fetch(SLEEP)
                            case 2:
                                with contextlib.suppress(asyncpg.PostgresError):
                                    await tx.conn.execute("SELECT 1 / 0")
                                raise Broken
                assert [row["tenant"] for row in await db.system_fetch(OUTSIDE)] == [""]

        companies = [(db, company.tenant_id) for db in (first, second) for company in (acme, globex)]
        await asyncio.gather(*(hammer(db, tenant, n) for n in range(AT_ONCE // 2) for db, tenant in companies))

        # Cancelled statements may have cost a connection or two; more than two at once there never were.
        assert len(backends) >= 2
        for company in (acme, globex):
            async with tenant_tx(first, Who.system(company.tenant_id)) as tx:
                assert {row["tenant_id"] for row in await tx.fetch(SEEN)} == {company.tenant_id}


async def test_a_client_that_dies_in_a_transaction_leaves_nothing_of_it(narrow: House) -> None:
    async with pools(narrow, "auto") as (first, second):
        acme = await make_company(first, "Acme")
        for _ in range(6):
            with contextlib.suppress(Unavailable, asyncpg.InterfaceError, OSError):
                async with tenant_tx(first, Who.system(acme.tenant_id)) as tx:
                    await tx.execute(ADD, name="Never")
                    tx.conn.terminate()

        async def clean() -> bool:
            return [row["tenant"] for row in await second.system_fetch(OUTSIDE)] == [""]

        await until(clean)
        async with tenant_tx(second, Who.system(acme.tenant_id)) as tx:
            assert await tx.fetch(SEEN) == []


async def test_sessions_are_bound_as_they_are_without_a_pooler(narrow: House, database: TestDatabase) -> None:
    direct = await Database.open(database.app_url, max_size=1)
    async with pools(narrow, "auto") as (pooled, _):
        found = [dict((await db.system_fetch(SESSION))[0]) for db in (direct, pooled)]
    await direct.close()

    assert found[0] == found[1]
    assert found[0]["statement_timeout"] == "15s"


async def test_a_pooler_is_noticed_and_statements_are_not_prepared(narrow: House, database: TestDatabase) -> None:
    async def prepared(db: Database) -> bool:
        async with db.acquire() as conn:
            await conn.fetchval("SELECT 40 + 2")
            # A statement that is kept has a name on the server; asyncpg says so nowhere else.
            return bool(await conn.fetchval("SELECT count(*) FROM pg_prepared_statements"))

    async with pools(narrow, "auto") as (pooled, _):
        assert not await prepared(pooled)
    direct = await Database.open(database.app_url, max_size=2)
    assert await prepared(direct)
    await direct.close()


async def test_a_pooler_that_refuses_settings_is_asked_without_them(narrow: House) -> None:
    narrow.start_pgbouncer("strict", ignore_startup_parameters="extra_float_digits")
    wait(lambda: is_open(narrow.port("strict")), "PgBouncer listens")
    url = narrow.secret("database_url").read_text().strip()
    url = url.replace(f":{narrow.port('pgbouncer')}/", f":{narrow.port('strict')}/")

    db = await Database.open(url, max_size=2)

    assert [row["tenant"] for row in await db.system_fetch(OUTSIDE)] == [""]
    await db.close()
