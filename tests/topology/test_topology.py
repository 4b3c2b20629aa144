"""The topology of docker-compose.yml at work: what people notice when parts of it come and go."""

from __future__ import annotations

import asyncio
import re
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import ClientError, ClientSession, ClientTimeout

from hub.auth.tokens import Tokens
from hub.db import Database
from tests.conftest import Company, make_company
from tests.harness import until
from tests.realtime.kit import Client, clients
from tests.topology.house import House

LOADERS = 6


def token_of(house: House, company: Company) -> str:
    """A rep's access token."""
    tokens = Tokens(house.settings.key("access-token"))
    return tokens.issue(
        user_id=company.members["rep"], tenant_id=company.tenant_id, role="rep", session_id=uuid4(), name="Rep", lifetime_s=600
    )


@asynccontextmanager
async def company_of(house: House, name: str) -> AsyncIterator[tuple[Company, Database]]:
    """A new company, and a pool through PgBouncer."""
    db = await Database.open(house.settings.database_url, max_size=4)
    try:
        yield await make_company(db, name), db
    finally:
        await db.close()


@dataclass
class Load:
    """People who read and write through nginx all the time, and what they were answered."""

    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    made: set[str] = field(default_factory=set)

    def failures(self, method: str) -> dict[str, int]:
        """What was neither 200 nor 201."""
        return {what: count for (verb, what), count in self.answers.items() if verb == method and what not in ("200", "201")}

    def count(self, method: str) -> int:
        """How many requests of a method there were."""
        return sum(count for (verb, _), count in self.answers.items() if verb == method)


@asynccontextmanager
async def load(house: House, token: str) -> AsyncIterator[Load]:
    """Requests by a few at once as long as the block lasts."""
    seen, stop = Load(), asyncio.Event()

    async def work(session: ClientSession, number: int) -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            if turn % 3:
                await ask(session, "GET", "/api/v1/contacts?limit=5", None)
            else:
                made = await ask(session, "POST", "/api/v1/contacts", {"first_name": f"Contact {number} {turn}"})
                seen.made |= {made["id"]} if made else set()

    async def ask(session: ClientSession, method: str, path: str, body: Any) -> Any:
        try:
            async with session.request(method, house.url + path, json=body) as response:
                seen.answers[method, str(response.status)] += 1
                answer = await response.read()
                return await response.json() if response.status == 201 and answer else None
        except (ClientError, TimeoutError) as problem:
            seen.answers[method, type(problem).__name__] += 1
            return None

    headers = {"Authorization": f"Bearer {token}"}
    async with ClientSession(headers=headers, timeout=ClientTimeout(total=20)) as session:
        tasks = [asyncio.create_task(work(session, number)) for number in range(LOADERS)]
        try:
            yield seen
        finally:
            stop.set()
            await asyncio.gather(*tasks)


class Watcher:
    """Somebody who watches the floor through nginx and comes back when the line breaks, as the console does."""

    def __init__(self, house: House, token: str) -> None:
        self._house, self._token = house, token
        self.seqs: list[int] = []
        self.resyncs = 0
        self.comings = 0
        self._client: Client | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Watcher:
        self._client = await self._come(None)
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self._client is not None:
            await self._client.close()

    async def _come(self, cursor: dict[str, Any] | None) -> Client:
        client = await Client.connect(self._house.url, self._token, cursor)
        assert client.refused is None, client.refused
        self.comings += 1
        return client

    async def _watch(self) -> None:
        assert self._client is not None
        while True:
            client = self._client
            await client.until_gone(within_s=600)
            self._take(client)
            while True:
                try:
                    self._client = await self._come(client.cursor)
                    break
                except Exception:  # nobody is there yet: the console tries again, too
                    await asyncio.sleep(0.1)

    def _take(self, client: Client) -> None:
        self.seqs += client.seqs
        self.resyncs += len(client.of("resync"))
        client.heard = [one for one in client.heard if one[0] == "ready"] if not client.disconnected else client.heard

    def all_seqs(self) -> list[int]:
        """Every sequence number that was shown, in order."""
        now = [] if self._client is None or self._client.disconnected else self._client.seqs
        return self.seqs + now


async def head_of(db: Database, company: Company) -> int:
    """The last sequence number of a company's log."""
    async with db.acquire() as conn, conn.transaction():
        await conn.execute(f"SELECT set_config('ringside.tenant_id', '{company.tenant_id}', true)")
        return int(await conn.fetchval("SELECT seq FROM tenant_counters WHERE tenant_id = $1", company.tenant_id))


async def nothing_missed(watcher: Watcher, db: Database, company: Company) -> None:
    """The watcher was shown every event once and in order."""

    async def is_there() -> bool:
        # Somebody who comes back a moment later is told of, too: the log may be longer than at the last look.
        return watcher.all_seqs()[-1:] == [await head_of(db, company)]

    await until(is_there)
    seqs = watcher.all_seqs()
    assert seqs == list(range(seqs[0], seqs[-1] + 1))
    assert watcher.resyncs == 0


async def test_requests_and_sockets_pass_through_nginx_and_pgbouncer(house: House) -> None:
    async with company_of(house, "Door") as (company, _), ClientSession() as session:
        token = token_of(house, company)
        async with clients(Client.connect(house.url, token), Client.connect(house.url, token)) as watching:
            made = await session.post(
                f"{house.url}/api/v1/contacts", json={"first_name": "Ada"}, headers={"Authorization": f"Bearer {token}"}
            )
            assert made.status == 201, await made.text()
            for client in watching:
                await client.until(partial(has_heard, client, "contact.created"), "the contact")
        large = await session.post(f"{house.url}/api/v1/contacts", data=b"x" * 1_100_000)
        assert large.status == 413
        assert (await session.get(f"{house.url}/metrics")).headers["Content-Type"].startswith("text/html")


async def test_a_killed_hub_costs_only_what_it_was_working_on(house: House) -> None:
    async with company_of(house, "Killed") as (company, db):
        token = token_of(house, company)
        async with Watcher(house, token) as one, Watcher(house, token) as two:
            watched = await until(partial(watched_hub, house, 2))
            async with load(house, token) as seen:
                await until(partial(enough, seen, 60))
                house.end(watched, signal.SIGKILL)
                before = seen.count("GET")
                await until(partial(enough, seen, before + 60))
                house.start_program(watched)
                await asyncio.to_thread(house.wait_for_hub, watched)
            for watcher in (one, two):
                await nothing_missed(watcher, db, company)
            assert one.comings + two.comings > 2
        assert seen.failures("GET") == {}
        # What the dead hub may have begun is not repeated; those who sent it are told.
        assert sum(seen.failures("POST").values()) <= LOADERS


async def test_a_rolling_restart_shows_no_error_and_no_gap(house: House) -> None:
    async with company_of(house, "Rolling") as (company, db):
        token = token_of(house, company)
        async with Watcher(house, token) as one, Watcher(house, token) as two:
            async with load(house, token) as seen:
                for name in ("hub-1", "hub-2"):
                    before = seen.count("GET")
                    await until(partial(enough, seen, before + 30))
                    await asyncio.to_thread(house.end, name)
                    house.start_program(name)
                    await asyncio.to_thread(house.wait_for_hub, name)
                    await until(partial(is_used, house, name))
            for watcher in (one, two):
                await nothing_missed(watcher, db, company)
        assert (seen.failures("GET"), seen.failures("POST")) == ({}, {}), house.said_by_nginx()
        async with db.acquire() as conn, conn.transaction():
            await conn.execute(f"SELECT set_config('ringside.tenant_id', '{company.tenant_id}', true)")
            assert {str(row["id"]) for row in await conn.fetch("SELECT id FROM contacts")} == seen.made


def has_heard(client: Client, kind: str) -> bool:
    """Whether an event of this type came."""
    return any(event["type"] == kind for event in client.events)


async def watched_hub(house: House, sockets: int) -> str | None:
    """A hub that somebody watches at, once there are so many sockets at both together: those of an earlier test have gone."""
    found: dict[str, int] = {}
    async with ClientSession() as session:
        for name in ("hub-1", "hub-2"):
            async with session.get(house.metrics(name)) as response:
                shown = re.search(r"^ringside_sockets (\d+)", await response.text(), re.MULTILINE)
                assert shown, name
                found[name] = int(shown[1])
    return max(found, key=lambda name: found[name]) if sum(found.values()) == sockets else None


async def is_used(house: House, name: str) -> bool:
    """Whether nginx passes requests to this hub."""
    async with ClientSession() as session, session.get(house.metrics(name)) as response:
        return 'ringside_http_requests_total{method="GET",route="/api/v1/contacts",status="200"}' in await response.text()


async def enough(seen: Load, gets: int) -> bool:
    """Whether so many lists were answered."""
    return seen.count("GET") >= gets


async def test_prometheus_reaches_everybody_and_the_rules_load(house: House) -> None:
    base = house.address("prometheus")
    async with ClientSession() as session:

        async def api(path: str) -> Any:
            async with session.get(f"{base}/api/v1/{path}") as response:
                return (await response.json())["data"]

        async def all_up() -> bool:
            try:
                targets = (await api("targets"))["activeTargets"]
            except ClientError:
                return False
            return len(targets) == 7 and all(target["health"] == "up" for target in targets)

        await until(all_up)

        async def evaluated() -> bool:
            groups = (await api("rules"))["groups"]
            rules = [rule for group in groups for rule in group["rules"]]
            bad = [rule["name"] for rule in rules if rule["health"] == "err"]
            assert not bad
            return bool(rules) and all(rule["health"] == "ok" for rule in rules)

        await until(evaluated)

        async def has_alertmanager() -> bool:
            return len((await api("alertmanagers"))["activeAlertmanagers"]) == 1

        await until(has_alertmanager)


@pytest.fixture(autouse=True)
def stands(house: House) -> None:
    """Every part is still there."""
    for name, child in house.children.items():
        assert child.poll() is None, f"{name} has ended: {house.log(name)[-2000:]}"
