"""Many who come and go, and a Postgres that does."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import asyncpg
import pytest

from hub.app import Hub
from hub.config import Settings
from hub.db import Database
from hub.embedded import ValkeyServer, start_postgres
from hub.errors import HubError
from hub.migrate import migrate
from hub.realtime.feed import Feed
from hub.realtime.floor import Floor
from tests.beats import within_a_second
from tests.conftest import Company, TestDatabase, make_company
from tests.patience import PATIENCE_S
from tests.realtime.kit import NOWHERE, Client, clients, eventually, hub_process, note, token_for
from tests.realtime.test_slow_readers import RawClient


async def test_clients_that_vanish_while_they_connect_take_nobody_with_them(database: TestDatabase, acme: Company) -> None:
    rng = random.Random(7)
    async with hub_process(database.app_url, NOWHERE) as hub:

        async def vanish() -> None:
            try:
                async with asyncio.timeout(rng.random() * 0.08), RawClient.connect(hub.url, token_for(acme)):
                    pass
            except TimeoutError:
                pass

        await asyncio.gather(*(vanish() for _ in range(60)))
        async with clients(Client.connect(hub.url, token_for(acme))) as (client,):
            await asyncio.gather(*(vanish() for _ in range(60)))
            await eventually(lambda: len(hub.realtime.sockets.readers) == 1, "only one is left")
            for n in range(5):
                await note(hub.db, acme, n)
                await within_a_second(hub.realtime.heads, lambda n=n: n in client.notes)  # type: ignore[misc]
        await eventually(lambda: hub.realtime.floor.tenants == [], "with the last socket the feed is forgotten")


async def test_who_gives_up_while_a_feed_starts_is_counted_out_once(db: Database, acme: Company) -> None:
    floor = Floor(db, "test")
    staying = asyncio.create_task(floor.enter(acme.tenant_id))
    leaving = [asyncio.create_task(floor.enter(acme.tenant_id)) for _ in range(3)]
    await asyncio.sleep(0)
    for task in leaving:
        task.cancel()
    feed = await staying
    await asyncio.wait(leaving)
    assert floor.tenants == [acme.tenant_id]
    assert feed.started
    floor.leave(acme.tenant_id)
    assert floor.tenants == []


async def test_a_feed_that_could_not_start_is_started_once_for_all_who_come_back(
    db: Database, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor = Floor(db, "test")
    start, tried = floor._start, 0

    async def fail_first(feed: Feed) -> None:
        nonlocal tried
        tried += 1
        if tried == 1:
            raise ConnectionError
        await start(feed)

    async def insist() -> Feed:
        try:
            return await floor.enter(acme.tenant_id)
        except ConnectionError:
            return await floor.enter(acme.tenant_id)

    monkeypatch.setattr(floor, "_start", fail_first)
    one, *others = await asyncio.gather(*(insist() for _ in range(3)))
    assert others == [one, one]
    assert tried == 2


async def test_live_sockets_outlive_a_restart_of_postgres_and_miss_nothing(tmp_path: Path, valkey_url: str) -> None:
    with start_postgres(tmp_path / "postgres", durable=True) as server:
        admin = await asyncpg.connect(server.url_for("postgres", "postgres"))
        await admin.execute("CREATE DATABASE floor")
        await admin.close()
        await migrate(server.url_for("ringside_owner", "floor"), server.url_for("postgres", "floor"))
        url = server.url_for("ringside_app", "floor")
        async with hub_process(url, valkey_url) as one, hub_process(url, valkey_url) as two:
            acme = await make_company(one.db, "Acme")

            async def committed(n: int) -> bool:
                try:
                    await note(one.db, acme, n)
                except (HubError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    return False
                return True

            wanted = [Client.connect(hub.url, token_for(acme)) for hub in (one, two)]
            async with clients(*wanted) as everybody:
                for n in range(10):
                    assert await committed(n)
                await asyncio.to_thread(server.restart)
                await eventually(lambda: committed(10), "Postgres takes writes again")
                for n in range(11, 20):
                    assert await committed(n)
                for client in everybody:
                    await client.until_noted(19)
                    assert client.seqs == list(range(client.ready["seq"] + 1, client.seqs[-1] + 1))
                    assert sorted(set(client.notes)) == list(range(20))
                    assert not client.disconnected


async def test_a_hub_that_is_stopped_while_it_starts_leaves_nothing_running(database: TestDatabase, valkey: ValkeyServer) -> None:
    settings = Settings.from_env(
        {"DATABASE_URL": database.app_url, "REDIS_URL": valkey.url, "RINGSIDE_SECRET": "x" * 32, "RINGSIDE_PORT": "0"}
    )
    for early_ms in range(0, 20, 2):
        before = asyncio.all_tasks()
        async with asyncio.timeout(PATIENCE_S), Hub.open(settings):
            # At each of these moments something else is under way: connecting, greeting, subscribing.
            await asyncio.sleep(early_ms / 1000)
        assert [task for task in asyncio.all_tasks() - before if not task.done()] == []
