"""Several hub processes: what one commits the others show, with Redis, without it, and while it comes and goes."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

from hub.db import Database
from hub.embedded import ValkeyServer
from hub.realtime.limits import Limits
from tests.beats import within_a_second
from tests.conftest import Company, TestDatabase
from tests.ports import free_ports
from tests.realtime.kit import NOWHERE, Client, HubProcess, clients, eventually, head_of, hub_process, note, token_for


async def write_until(stop: asyncio.Event, hub: HubProcess, acme: Company, name: str, written: list[str]) -> None:
    """Commit one event after another."""
    n = 0
    while not stop.is_set():
        said = f"{name}{n}"
        await note(hub.db, acme, said)
        written.append(said)
        n += 1


async def test_every_event_once_and_in_order_on_two_hubs_while_redis_is_killed_and_restarted(
    database: TestDatabase, valkey: ValkeyServer, acme: Company
) -> None:
    url = database.app_url
    async with hub_process(url, valkey.url) as one, hub_process(url, valkey.url) as two:
        connecting = [Client.connect(hub.url, token_for(acme)) for hub in (one, two) for _ in range(3)]
        async with clients(*connecting) as everybody:
            stop = asyncio.Event()
            written: dict[str, list[str]] = {"a": [], "b": [], "c": []}
            writers = [
                asyncio.create_task(write_until(stop, hub, acme, name, written[name]))
                for name, hub in (("a", one), ("b", two), ("c", two))
            ]

            async def more(count: int) -> None:
                goal = {name: len(said) + count for name, said in written.items()}
                await eventually(lambda: all(len(written[name]) >= goal[name] for name in goal), f"{count} more")

            await more(40)
            for _ in range(2):
                await asyncio.to_thread(valkey.kill)
                await more(60)
                await asyncio.to_thread(valkey.restart)
                await more(60)
            stop.set()
            await asyncio.gather(*writers)
            await note(one.db, acme, "end")
            total = sum(map(len, written.values())) + 1
            for client in everybody:
                await client.until_noted("end")
                last = (await head_of(one.db, acme))["seq"]
                assert client.seqs == list(range(client.ready["seq"] + 1, last + 1))
                assert len(client.notes) == total
                for name, said in written.items():
                    assert [n for n in client.notes if n[0] == name and n != "end"] == said
                assert not client.of("resync")


async def noted(hub: HubProcess, client: Client, n: int) -> None:
    """Wait a second for an event, as the hub of this client counts it."""
    await within_a_second(hub.realtime.heads, lambda: n in client.notes)


async def test_without_redis_the_other_hub_shows_an_event_within_a_second(database: TestDatabase, acme: Company) -> None:
    async with (
        hub_process(database.app_url, NOWHERE) as one,
        hub_process(database.app_url, NOWHERE) as two,
        clients(Client.connect(one.url, token_for(acme)), Client.connect(two.url, token_for(acme))) as (here, there),
    ):
        for n in range(3):
            await note(one.db, acme, n)
            await noted(one, here, n)
            await noted(two, there, n)


async def test_a_redis_that_hangs_delays_nothing_beyond_a_tick(
    database: TestDatabase, valkey: ValkeyServer, acme: Company
) -> None:
    async with (
        hub_process(database.app_url, valkey.url) as one,
        hub_process(database.app_url, valkey.url) as two,
        clients(Client.connect(one.url, token_for(acme)), Client.connect(two.url, token_for(acme))) as (here, there),
    ):
        os.kill(valkey.pid, signal.SIGSTOP)
        try:
            for n in range(3):
                await note(one.db, acme, n)
                await noted(one, here, n)
                await noted(two, there, n)
        finally:
            os.kill(valkey.pid, signal.SIGCONT)


async def test_with_redis_the_other_hub_does_not_wait_for_its_tick(
    database: TestDatabase, valkey_url: str, acme: Company
) -> None:
    slow = Limits(tick_s=3600)
    async with (
        hub_process(database.app_url, valkey_url, limits=slow) as one,
        hub_process(database.app_url, valkey_url, limits=slow) as two,
        clients(Client.connect(two.url, token_for(acme))) as (client,),
    ):
        # Until the subscription stands, hints are missed; its first tick makes up for them.
        await note(one.db, acme, "first")
        await client.until_noted("first")
        await note(one.db, acme, "second")
        await client.until_noted("second")


async def test_an_event_too_large_for_a_hint_arrives_all_the_same(database: TestDatabase, valkey_url: str, acme: Company) -> None:
    slow = Limits(tick_s=3600)
    async with (
        hub_process(database.app_url, valkey_url, limits=slow) as one,
        hub_process(database.app_url, valkey_url, limits=slow) as two,
        clients(Client.connect(two.url, token_for(acme))) as (client,),
    ):
        await note(one.db, acme, "first")
        await client.until_noted("first")
        await note(one.db, acme, "large", text="x" * 400_000)
        await client.until_noted("large")


async def test_a_client_goes_on_where_it_was_after_its_hub_was_restarted(
    database: TestDatabase, valkey_url: str, acme: Company, db: Database
) -> None:
    heard: list[int] = []
    cursor = None
    # One that no other program is given while nobody listens there.
    [port] = free_ports(1)
    for round_ in range(4):
        async with (
            hub_process(database.app_url, valkey_url, port=port) as hub,
            clients(Client.connect(hub.url, token_for(acme), cursor)) as (client,),
        ):
            for n in range(20):
                await note(hub.db if n % 2 else db, acme, round_ * 100 + n)
            await client.until_noted(round_ * 100 + 19)
            heard += client.notes
            cursor = client.cursor
            await hub.stop()
            await client.until_gone()
            assert not client.of("bye")
        await note(db, acme, round_ * 100 + 50)
    assert heard == sorted(heard)
    assert len(heard) == 4 * 20 + 3


async def test_a_client_that_loses_its_connection_again_and_again_under_load_hears_everything_once(
    database: TestDatabase, valkey_url: str, acme: Company
) -> None:
    async with hub_process(database.app_url, valkey_url) as one, hub_process(database.app_url, valkey_url) as two:
        stop = asyncio.Event()
        written: list[list[str]] = [[], []]
        writers = [
            asyncio.create_task(write_until(stop, hub, acme, name, said))
            for hub, name, said in ((one, "a", written[0]), (two, "b", written[1]))
        ]
        cursor: dict[str, Any] = await head_of(one.db, acme)
        heard: list[int] = []
        first = cursor["seq"] + 1
        for round_ in range(30):
            hub = (one, two)[round_ % 2]
            async with clients(Client.connect(hub.url, token_for(acme), cursor)) as (client,):
                await client.until_heard(1 + round_ % 7)
                # What arrives while hanging up may be heard or not; the cursor says what was.
                heard += client.seqs
                cursor = {"epoch": client.ready["epoch"], "seq": heard[-1]}
                assert not client.of("resync")
        stop.set()
        await asyncio.gather(*writers)
        assert heard == list(range(first, first + len(heard)))
        assert len(heard) > 100


async def test_a_client_that_moves_to_a_hub_that_is_behind_misses_nothing_and_is_not_told_to_resync(
    database: TestDatabase, acme: Company
) -> None:
    async with (
        hub_process(database.app_url, NOWHERE) as quick,
        hub_process(database.app_url, NOWHERE, limits=Limits(tick_s=60)) as behind,
        clients(Client.connect(behind.url, token_for(acme)), Client.connect(quick.url, token_for(acme))) as (_, client),
    ):
        for n in range(5):
            await note(quick.db, acme, n)
        await client.until_noted(4)
        async with clients(Client.connect(behind.url, token_for(acme), client.cursor)) as (moved,):
            await note(behind.db, acme, "after")
            await moved.until_noted("after")
            assert moved.notes == ["after"]
            assert not moved.of("resync")
