"""A link does to what goes through it what it says, and no more; a dead line to Postgres is noticed and left."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import hub.db
from benchmarks.faults.proxy import Link
from hub.db import Database, tenant_tx
from hub.embedded import PostgresServer
from hub.errors import Unavailable
from hub.sqlfiles import Statement
from tests.conftest import Company, TestDatabase
from tests.patience import PATIENCE_S

_ONE = Statement("one", "SELECT 1")
_LIMIT = Statement("limit", "SELECT extract(epoch FROM current_setting('idle_in_transaction_session_timeout')::interval)")


@asynccontextmanager
async def echoing() -> AsyncIterator[Link]:
    """A link to somebody who says everything back."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1000):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    link = Link("test", ("127.0.0.1", 1), ("127.0.0.1", server.sockets[0].getsockname()[1]))
    await link.open()
    try:
        yield link
    finally:
        await link.close()
        server.close()


async def said_back(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes, within_s: float = PATIENCE_S
) -> bytes:
    writer.write(data)
    async with asyncio.timeout(within_s):
        return await reader.readexactly(len(data))


async def test_a_link_passes_everything_on_and_takes_the_first_target_that_answers() -> None:
    async with echoing() as link:
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
            assert await said_back(reader, writer, b"x" * 200_000) == b"x" * 200_000
            writer.write_eof()
            assert await reader.read() == b""
            writer.close()


async def test_a_link_that_hangs_says_nothing_and_loses_nothing() -> None:
    async with echoing() as link:
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        link.hang()
        with pytest.raises(TimeoutError):
            await said_back(reader, writer, b"abc", within_s=0.1)
        await link.heal()
        async with asyncio.timeout(PATIENCE_S):
            assert await reader.readexactly(3) == b"abc"
        writer.close()


async def test_a_link_breaks_drips_forgets_and_refuses() -> None:
    async with echoing() as link:
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        await said_back(reader, writer, b"abc")
        link.cut()
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        link.bytes_per_s = {"back": 100.0}
        began = time.monotonic()
        await said_back(reader, writer, b"x" * 20)
        assert time.monotonic() - began > 0.15
        link.bytes_per_s = {}
        link.forget()
        with pytest.raises(TimeoutError):
            await said_back(reader, writer, b"abc", within_s=0.1)
        again = await asyncio.open_connection("127.0.0.1", link.port)
        await said_back(*again, b"abc")
        link.refuse()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", link.port)
        await link.heal()
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        await said_back(reader, writer, b"abc")
        writer.close()


@asynccontextmanager
async def linked_database(postgres: PostgresServer, database: TestDatabase) -> AsyncIterator[tuple[Link, Database]]:
    """A pool of the database over a link."""
    link = Link("test", Path(postgres.socket_dir) / ".s.PGSQL.5432")
    await link.open()
    url = f"postgresql://ringside_app@127.0.0.1:{link.port}/{database.name}?sslmode=disable"
    db = await Database.open(url, min_size=3, max_size=4)
    try:
        yield link, db
    finally:
        db.pool.terminate()
        await link.close()


async def test_a_dead_line_is_noticed_at_begin_and_takes_the_others_with_it(
    postgres: PostgresServer, database: TestDatabase, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub.db, "_BEGIN_TIMEOUT_S", 3.0)
    async with linked_database(postgres, database) as (link, db):
        link.forget()
        with pytest.raises(Unavailable):
            async with tenant_tx(db, acme.who()):
                pass
        # Who is on a dead line still would wait for ever now.
        monkeypatch.setattr(hub.db, "_BEGIN_TIMEOUT_S", 2 * PATIENCE_S)
        # The second is on a line of its own again, although all were dead.
        async with asyncio.timeout(PATIENCE_S), tenant_tx(db, acme.who()) as tx:
            assert await tx.fetchval(_ONE) == 1


async def test_a_commit_whose_answer_is_lost_is_not_said_to_have_changed_nothing(
    postgres: PostgresServer, database: TestDatabase, acme: Company
) -> None:
    async with linked_database(postgres, database) as (link, db):
        with pytest.raises(Unavailable, match="may be done"):
            async with tenant_tx(db, acme.who()) as tx:
                await tx.fetchval(_ONE)
                link.hang("back")
                asyncio.get_running_loop().call_later(0.3, link.cut)


async def test_a_transaction_whose_owner_is_gone_holds_its_locks_for_seconds_only(db: Database, acme: Company) -> None:
    async with tenant_tx(db, acme.who()) as tx:
        assert await tx.fetchval(_LIMIT) <= 10
