"""GET /events: the same events, under the same rules."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import aiohttp
import asyncpg
import pytest

from hub.events import MANAGERS, only_user
from hub.realtime.models import EventPage
from hub.who import Role
from tests.conftest import Company, TestDatabase
from tests.realtime.kit import NOWHERE, Client, HubProcess, clients, head_of, hub_process, note, token_for


@pytest.fixture
async def hub(database: TestDatabase) -> AsyncIterator[HubProcess]:
    """One hub."""
    async with hub_process(database.app_url, NOWHERE) as running:
        yield running


async def get(hub: HubProcess, company: Company, role: Role = "rep", **query: Any) -> tuple[int, Any]:
    """The status and body of GET /events."""
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {token_for(company, role)}"}) as http,
        http.get(f"{hub.url}/api/v1/events", params={k: str(v) for k, v in query.items()}) as answer,
    ):
        body = await answer.json() if answer.content_type == "application/json" else await answer.text()
        if answer.status == 200:
            EventPage.model_validate(body)
        return answer.status, body


async def walk(hub: HubProcess, company: Company, role: Role, after: int, limit: int) -> list[Any]:
    """Everything after a place, page by page."""
    found: list[Any] = []
    place: Any = after
    while place is not None:
        status, page = await get(hub, company, role, after=place, limit=limit)
        assert status == 200
        assert len(page["data"]) <= limit
        found += page["data"]
        place = page["next_cursor"]
    return found


async def test_the_same_events_as_over_the_socket_page_by_page(hub: HubProcess, acme: Company, globex: Company) -> None:
    cursor = await head_of(hub.db, acme)
    audiences = ["tenant", MANAGERS, only_user(acme.members["rep"]), only_user(acme.members["owner"])]
    for n in range(20):
        await note(hub.db, acme, n, audience=audiences[n % 4])
        await note(hub.db, globex, "theirs")
    await note(hub.db, acme, "end")
    roles: tuple[Role, ...] = ("rep", "manager", "owner")
    for role in roles:
        async with clients(Client.connect(hub.url, token_for(acme, role), cursor)) as (client,):
            await client.until_noted("end")
            heard = [event for event in client.events if event["type"] == "test.noted"]
        for limit in (1, 7, 500):
            fetched = await walk(hub, acme, role, cursor["seq"], limit)
            assert [event for event in fetched if event["type"] == "test.noted"] == heard


async def test_a_page_says_where_the_log_stands(hub: HubProcess, acme: Company) -> None:
    for n in range(3):
        await note(hub.db, acme, n)
    head = await head_of(hub.db, acme)
    status, page = await get(hub, acme, after=head["seq"], epoch=head["epoch"])
    assert (status, page) == (200, {"data": [], "next_cursor": None, **head})
    assert [event["seq"] for event in (await get(hub, acme))[1]["data"]] == list(range(1, head["seq"] + 1))


async def test_what_the_log_cannot_give_is_said(hub: HubProcess, acme: Company, database: TestDatabase) -> None:
    for n in range(10):
        await note(hub.db, acme, n)
    admin = await asyncpg.connect(database.admin_url)
    await admin.execute("DELETE FROM events WHERE seq <= 5")
    await admin.close()
    head = await head_of(hub.db, acme)
    asked: list[tuple[dict[str, Any], str]] = [
        ({"after": 2}, "too_old"),
        ({"after": 99}, "ahead_of_log"),
        ({"after": 7, "epoch": uuid4()}, "unknown_epoch"),
    ]
    for query, reason in asked:
        status, body = await get(hub, acme, **query)
        assert (status, body["error"], body["details"]) == (409, "resync", {"reason": reason, **head})
    assert [event["seq"] for event in (await get(hub, acme))[1]["data"]] == [6, 7, 8, 9, 10]
    assert (await get(hub, acme, after=5))[0] == 200
