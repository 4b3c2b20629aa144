"""A hub with a Gmail sandbox that pushes to it; workers are the test's to start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest
from aiohttp import ClientSession

from hub.config import GoogleSettings, Settings
from hub.db import Database, tenant_tx
from hub.listening import free_port
from integrations.sandbox.gmail import GmailSandbox, GmailSettings, PushSettings
from tests import members
from tests.conftest import Company, TestDatabase
from tests.harness import Api, RunningHub, make_settings, running_hub, until
from tests.mailboxes.kit import letter
from tests.patience import PATIENCE_S
from workers.run import run_worker

acme, globex, rep = members.acme, members.globex, members.rep


ADA = "ada@example.com"
# Hundreds of messages are fetched, read and stored meanwhile: that is work, which a busy machine may take longer for than for
# any wait.
TAKING_IN_S = 3 * PATIENCE_S


@dataclass
class House:
    """A running hub and its Gmail."""

    server: RunningHub
    gmail: GmailSandbox
    settings: Settings

    @asynccontextmanager
    async def worker(self, **changes: Any) -> AsyncIterator[None]:
        """One more worker, as long as the block lasts."""
        stop = asyncio.Event()
        running = asyncio.get_running_loop().create_future()
        settings = replace(self.settings, **changes)
        task = asyncio.create_task(run_worker(settings, stop=stop, started=lambda *_: running.set_result(None)))
        try:
            await asyncio.wait({task, running}, return_when=asyncio.FIRST_COMPLETED)
            yield
        finally:
            stop.set()
            await task

    async def consent(self, api: Api, url: str, **more: str) -> dict[str, str]:
        """The person clicks through Google's page in this browser; what the landing page is told."""
        async with ClientSession() as google, google.get(url + "&auto=1", allow_redirects=False) as answer:
            back = urlsplit(answer.headers["Location"])
        query = dict(parse_qsl(back.query)) | more
        landed = await api.call("GET", back.path, params=query, allow_redirects=False)
        assert landed.status == 303, landed.body
        place = urlsplit(landed.headers["Location"])
        assert place.path == "/settings/mailboxes"
        return dict(parse_qsl(place.query))

    async def connect(self, api: Api, address: str = ADA, **given: Any) -> str:
        """Connect a Gmail mailbox as a person does; its id."""
        begun = await api.post("/mailboxes/google", {"login_hint": address, **given})
        assert begun.status == 200, begun.body
        landed = await self.consent(api, begun.body["url"])
        return landed["connected"]

    def deliver(self, subject: str, *, to: str = ADA, sender: str = "bob@client.test", **more: Any) -> str:
        """Let a message arrive at Gmail; its id there."""
        return self.gmail.deliver(to, letter(subject, sender=sender, to=to), **more).id

    async def rows(self, company: Company, sql: str, *args: Any) -> list[Any]:
        """Rows of the company, by a statement of the test's whose $1 is the tenant."""
        async with tenant_tx(self.server.hub.db, company.who("owner")) as tx:
            return list(await tx.conn.fetch(sql, company.tenant_id, *args))

    async def is_idle(self, company: Company) -> bool:
        """Is there nothing to be done for the company's mailboxes, and nothing under way?"""
        jobs = "SELECT 1 FROM jobs WHERE tenant_id = $1 AND kind LIKE 'mailboxes.%' AND state IN ('ready', 'running')"
        return not await self.rows(company, jobs)

    async def subjects(self, company: Company) -> list[str]:
        """The subjects of all stored messages."""
        rows = await self.rows(company, "SELECT subject FROM mail_messages WHERE tenant_id = $1 ORDER BY received_at, id")
        return [row["subject"] for row in rows]


async def nobodys_turn(db: Database) -> int:
    """Instead of `syncing.poll_due`: nothing is asked but what somebody has asked for."""
    return 0


def settled(api: Api, mailbox_id: str, *states: str) -> Any:
    """Waits until the meter is in one of these states; the mailbox."""

    async def look() -> dict[str, Any] | None:
        found: dict[str, Any] = (await api.get(f"/mailboxes/{mailbox_id}")).body
        return found if found["meter"]["state"] in states else None

    return until(look, seconds=TAKING_IN_S)


@asynccontextmanager
async def open_house(database: TestDatabase, valkey_url: str, folder: Path, **settings: Any) -> AsyncIterator[House]:
    """A hub and a Gmail that pushes to it."""
    port = free_port()
    pushed_to = f"http://127.0.0.1:{port}/webhooks/google/push"
    async with GmailSandbox(GmailSettings(push=PushSettings(url=pushed_to, gather_s=0.02))) as gmail:
        google = GoogleSettings(
            client_id=gmail.settings.client_id,
            client_secret=gmail.settings.client_secret,
            api_url=gmail.url,
            oauth_url=gmail.url,
            topic=gmail.settings.push.topic,
            push_account=gmail.settings.push.account,
            push_audience=pushed_to,
        )
        given = {"port": port, "public_url": f"http://127.0.0.1:{port}", "google": google, "objects": str(folder), "twilio": None}
        made = make_settings(database.app_url, valkey_url, **(given | settings))
        async with running_hub(made, port=port) as server:
            yield House(server, gmail, made)


@pytest.fixture
async def house(database: TestDatabase, valkey_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """A hub and a Gmail that pushes to it."""
    async with open_house(database, valkey_url, tmp_path / "objects") as opened:
        yield opened


@pytest.fixture
async def server(house: House) -> RunningHub:
    """The house's hub."""
    return house.server


async def team_of(server: RunningHub, company: Company, *roles: str) -> UUID:
    """A team with these members."""
    people = [str(company.members[role]) for role in roles]
    answer = await server.as_member(company, "owner").post("/teams", {"name": f"Team of {len(people)}", "member_ids": people})
    assert answer.status == 201, answer.body
    return UUID(answer.body["id"])
