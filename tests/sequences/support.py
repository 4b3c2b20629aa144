"""The floor on which the tests of whole sequences stand: a company in its database, Gmail, and workers that may die."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import itertools
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from benchmarks.crashes import Carnage, carnage, connect_mailbox
from hub.clock import Clock
from hub.config import GoogleSettings, Settings
from hub.contacts.actions import create_contact
from hub.contacts.models import ContactIn
from hub.db import tenant_tx
from hub.listening import free_port
from hub.sealing import Seals
from integrations.sandbox.gmail import GmailSandbox, GmailSettings, PushSettings, SandboxClock
from tests.conftest import SHARED, Company, TestDatabase, make_company
from tests.harness import RunningHub, make_settings, running_hub
from tests.patience import PATIENCE_S


@asynccontextmanager
async def a_carnage(database: TestDatabase, *, contacts: int, answering: int = 0) -> AsyncIterator[Carnage]:
    """A sequence of four steps under way in a database of its own."""
    settings = make_settings(database.app_url, "redis://127.0.0.1:9", twilio=None)
    async with carnage(database.app_url, database.admin_url, settings, contacts=contacts, answering=answering) as opened:
        yield opened


def sample_people(count: int) -> list[dict[str, str]]:
    """The first rows of the sample file."""
    with (SHARED / "sample-data" / "customers-1000.csv").open(encoding="utf-8") as file:
        return list(itertools.islice(csv.DictReader(file), count))


@dataclass
class Floor:
    """A hub and a Gmail that go by one fast clock; workers are processes of their own, for the test to start and to kill."""

    server: RunningHub
    gmail: GmailSandbox
    settings: Settings
    company: Company
    admin: asyncpg.Connection[Any]
    clock: Clock

    async def mailboxes(self, count: int) -> list[UUID]:
        """So many mailboxes of the rep's, that may send as much as Gmail lets them."""
        seals, rep = Seals(self.settings), self.company.members["rep"]
        made = [await connect_mailbox(self.admin, seals, self.gmail, self.company.tenant_id, rep) for _ in range(count)]
        # Of so few mails each, two that come back would stop a mailbox.
        await self.admin.execute(
            "UPDATE mailboxes SET next_poll_at = now(), next_measure_at = now(), bounce_limit_permille = 1000"
        )
        return made

    async def contacts(self, people: Sequence[Mapping[str, str]]) -> list[UUID]:
        """Contacts made of rows as the sample file has them; without a name the address is all that is known."""
        made: list[UUID] = []
        async with tenant_tx(self.server.hub.db, self.company.who("rep")) as tx:
            for row in people:
                given = {
                    "first_name": row.get("First Name", ""),
                    "last_name": row.get("Last Name", ""),
                    "company": row.get("Company", ""),
                    "emails": [{"address": row["Email"]}],
                }
                made.append((await create_contact(tx, ContactIn.model_validate(given)))[0])
        return made

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[Process]:
        """One more worker process; it may be killed."""
        google = self.settings.google
        assert google is not None
        env = {
            **os.environ,
            "DATABASE_URL": self.settings.database_url,
            "REDIS_URL": self.settings.redis_url,
            "RINGSIDE_SECRET": self.settings.secret,
            "RINGSIDE_CLOCK": self.settings.clock,
            "RINGSIDE_PUBLIC_URL": self.settings.public_url,
            "RINGSIDE_OBJECTS": self.settings.objects,
            "RINGSIDE_LOG_LEVEL": "error",
            "GOOGLE_CLIENT_ID": google.client_id,
            "GOOGLE_CLIENT_SECRET": google.client_secret,
            "GOOGLE_API_URL": google.api_url,
            "GOOGLE_OAUTH_URL": google.oauth_url,
            "GOOGLE_PUSH_TOPIC": google.topic,
            "GOOGLE_PUSH_ACCOUNT": google.push_account,
            "GOOGLE_PUSH_AUDIENCE": google.push_audience,
        }
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.sequences.process", stdout=PIPE, env=env)
        assert process.stdout is not None
        try:
            started = await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)
            assert started.startswith(b"started"), "the worker ended"
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


@asynccontextmanager
async def open_floor(
    database: TestDatabase, redis_url: str, folder: Path, *, shown: datetime, speed: float
) -> AsyncIterator[Floor]:
    """A hub, a Gmail whose people answer in every way, and a company; it is `shown` now, and time flies."""
    port = free_port()
    pushed_to = f"http://127.0.0.1:{port}/webhooks/google/push"
    clock = f"{shown.isoformat()}@{datetime.now(UTC).isoformat()}*{speed}"
    given = GmailSettings(clock=SandboxClock.parse(clock), people="hash", push=PushSettings(url=pushed_to, gather_s=0.05))
    async with GmailSandbox(given) as gmail, contextlib.AsyncExitStack() as stack:
        google = GoogleSettings(
            client_id=given.client_id,
            client_secret=given.client_secret,
            api_url=gmail.url,
            oauth_url=gmail.url,
            topic=given.push.topic,
            push_account=given.push.account,
            push_audience=pushed_to,
        )
        made = make_settings(database.app_url, redis_url, port=port, public_url=f"http://127.0.0.1:{port}", google=google)
        made = replace(made, objects=str(folder), twilio=None, clock=clock)
        server = await stack.enter_async_context(running_hub(made, port=port))
        admin = await asyncpg.connect(database.admin_url)
        stack.push_async_callback(admin.close)
        company = await make_company(server.hub.db, "Acme")
        yield Floor(server, gmail, made, company, admin, Clock.parse(clock))
