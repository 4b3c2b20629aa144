"""Cursors that cannot be resumed from: an explicit word, never a silent gap."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from hub.realtime.limits import Limits
from tests.conftest import Company, TestDatabase
from tests.realtime.kit import Client, HubProcess, clients, head_of, hub_process, note, token_for


@pytest.fixture
async def hub(database: TestDatabase, valkey_url: str) -> AsyncIterator[HubProcess]:
    """One hub that replays at most 50 events."""
    async with hub_process(database.app_url, valkey_url, limits=Limits(max_behind=50)) as running:
        yield running


async def expect_resync(hub: HubProcess, acme: Company, cursor: Any, reason: str) -> None:
    """Connect with a cursor, be told to resync for this reason, and go on live from there."""
    head = await head_of(hub.db, acme)
    async with clients(Client.connect(hub.url, token_for(acme), cursor)) as (client,):
        await client.until(lambda: client.of("resync"), "resync")
        assert client.of("resync") == [{"reason": reason, **head}]
        assert {"epoch": client.ready["epoch"], "seq": client.ready["seq"]} == head
        await note(hub.db, acme, reason)
        await client.until_noted(reason)
        assert client.notes == [reason]


async def test_a_cursor_of_another_epoch(hub: HubProcess, acme: Company) -> None:
    await note(hub.db, acme, 1)
    await expect_resync(hub, acme, {"epoch": str(uuid4()), "seq": 1}, "unknown_epoch")


@pytest.mark.parametrize("cursor", [{}, [], "x", {"epoch": 1, "seq": 1}, {"epoch": "e", "seq": -1}, {"epoch": "e", "seq": True}])
async def test_a_cursor_that_is_none(hub: HubProcess, acme: Company, cursor: Any) -> None:
    await expect_resync(hub, acme, cursor, "unknown_epoch")


async def test_a_cursor_ahead_of_the_log(hub: HubProcess, acme: Company) -> None:
    head = await head_of(hub.db, acme)
    await expect_resync(hub, acme, {**head, "seq": head["seq"] + 1000}, "ahead_of_log")


async def test_a_cursor_too_far_behind(hub: HubProcess, acme: Company) -> None:
    cursor = await head_of(hub.db, acme)
    for n in range(60):
        await note(hub.db, acme, n)
    await expect_resync(hub, acme, cursor, "too_far_behind")


async def test_a_cursor_older_than_what_is_kept(hub: HubProcess, acme: Company, database: TestDatabase) -> None:
    cursor = await head_of(hub.db, acme)
    for n in range(10):
        await note(hub.db, acme, n)
    admin = await asyncpg.connect(database.admin_url)
    await admin.execute("DELETE FROM events WHERE seq <= $1", cursor["seq"] + 5)
    await admin.close()
    await expect_resync(hub, acme, cursor, "too_old")


async def test_a_new_epoch_is_told_to_everybody_who_is_live(hub: HubProcess, acme: Company, database: TestDatabase) -> None:
    async with clients(Client.connect(hub.url, token_for(acme))) as (client,):
        # Their own coming is written in the background: afterwards nothing is on its way into the log any more.
        await client.until(lambda: "presence.changed" in [event["type"] for event in client.events], "their own coming")
        await note(hub.db, acme, "before")
        await client.until_noted("before")
        admin = await asyncpg.connect(database.admin_url)
        await admin.execute("UPDATE tenant_counters SET epoch = gen_random_uuid(), seq = 0 WHERE tenant_id = $1", acme.tenant_id)
        await admin.execute("DELETE FROM events WHERE tenant_id = $1", acme.tenant_id)
        await admin.close()
        await client.until(lambda: client.of("resync"), "resync")
        assert client.of("resync") == [{"reason": "unknown_epoch", **await head_of(hub.db, acme)}]
        await note(hub.db, acme, "after")
        await client.until_noted("after")
        assert client.seqs[-1] == (await head_of(hub.db, acme))["seq"]
