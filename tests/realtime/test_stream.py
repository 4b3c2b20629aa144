"""The stream: every event once and in order, to whom it is for."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hub.db import Database
from hub.events import MANAGERS, only_user
from hub.who import Role
from tests.conftest import Company, TestDatabase
from tests.realtime.kit import Client, HubProcess, clients, head_of, hub_process, note, token_for


@pytest.fixture
async def hub(database: TestDatabase, valkey_url: str) -> AsyncIterator[HubProcess]:
    """One hub."""
    async with hub_process(database.app_url, valkey_url) as running:
        yield running


async def test_a_client_without_cursor_starts_at_the_present_and_hears_what_follows(hub: HubProcess, acme: Company) -> None:
    await note(hub.db, acme, "before")
    async with clients(Client.connect(hub.url, token_for(acme))) as (client,):
        assert client.ready["tenant_id"] == str(acme.tenant_id)
        assert client.ready["user_id"] == str(acme.members["rep"])
        for n in range(50):
            await note(hub.db, acme, n)
        await client.until(lambda: len(client.notes) == 50, "50 events")
        assert client.notes == list(range(50))
        assert client.seqs == list(range(client.ready["seq"] + 1, client.ready["seq"] + 1 + len(client.seqs)))


async def test_an_event_has_the_promised_shape(hub: HubProcess, acme: Company) -> None:
    async with clients(Client.connect(hub.url, token_for(acme))) as (client,):
        await note(hub.db, acme, 'é — 日本 \u2028 "quoted"', who=acme.who("manager"))
        await client.until(lambda: client.notes, "the event")
        event = next(e for e in client.events if e["type"] == "test.noted")
        assert set(event) == {"seq", "id", "type", "at", "actor", "subject", "data"}
        assert event["actor"] == {"kind": "user", "id": str(acme.members["manager"]), "name": "Manager of Acme"}
        assert event["data"] == {"n": 'é — 日本 \u2028 "quoted"'}


async def test_a_client_with_a_cursor_gets_exactly_what_it_missed(hub: HubProcess, acme: Company, db: Database) -> None:
    await note(db, acme, 0)
    cursor = await head_of(db, acme)
    for n in range(1, 1200):
        await note(db, acme, n)
    async with clients(Client.connect(hub.url, token_for(acme), cursor)) as (client,):
        await note(db, acme, 1200)
        await client.until(lambda: len(client.notes) == 1200, "all that was missed")
        assert client.notes == list(range(1, 1201))
        assert client.ready["seq"] == cursor["seq"]
        assert not client.of("resync")


async def test_audiences_decide_live_and_at_replay(hub: HubProcess, acme: Company) -> None:
    cursor = await head_of(hub.db, acme)
    rep, manager = acme.members["rep"], acme.members["manager"]
    said = [("all", "tenant"), ("boss", MANAGERS), ("rep", only_user(rep)), ("manager", only_user(manager))]
    expected = {"rep": ["all", "rep"], "manager": ["all", "boss", "manager"], "admin": ["all", "boss"], "owner": ["all", "boss"]}
    roles: tuple[Role, ...] = ("rep", "manager", "admin", "owner")
    async with clients(*(Client.connect(hub.url, token_for(acme, role)) for role in roles)) as live:
        for n, audience in said:
            await note(hub.db, acme, n, audience=audience)
        await note(hub.db, acme, "end")
        for role, client in zip(roles, live, strict=True):
            await client.until_noted("end")
            assert client.notes == [*expected[role], "end"]
    async with clients(*(Client.connect(hub.url, token_for(acme, role), cursor) for role in roles)) as replayed:
        for role, client in zip(roles, replayed, strict=True):
            await client.until_noted("end")
            assert client.notes == [*expected[role], "end"]


async def test_no_other_company_hears_anything(hub: HubProcess, acme: Company, globex: Company) -> None:
    async with clients(Client.connect(hub.url, token_for(acme)), Client.connect(hub.url, token_for(globex))) as (ours, theirs):
        for n in range(5):
            await note(hub.db, acme, n)
        await note(hub.db, globex, "theirs")
        await ours.until(lambda: len(ours.notes) == 5, "our events")
        await theirs.until(lambda: theirs.notes, "their event")
        assert theirs.notes == ["theirs"]
        assert ours.notes == list(range(5))
