"""Doing what a worker does with notifications, and people who sign in and subscribe."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg

from hub.db import tenant_tx
from hub.notifications.actions import notify
from hub.who import Who
from integrations.sandbox.push import Browser, PushSandbox
from integrations.webpush import WebPushCarrier
from tests.conftest import Company, TestDatabase
from tests.harness import PASSWORD, Api, RunningHub
from workers import notifications
from workers.job import Deps, Registry
from workers.ledger import Ledger
from workers.runner import Runner

_REGISTRY = Registry.of(notifications)


async def work(server: RunningHub) -> None:
    """Do the jobs that are due, until none is."""
    db = server.hub.db
    async with WebPushCarrier.open("mailto:ops@ringside.test", None, allow_private=server.settings.private_push_hosts) as pushes:
        deps = Deps(db, server.settings, pushes=pushes)
        for _ in range(20):
            ledger = Ledger(db, "a worker", {})
            due = await ledger.due(overdue_s=-0.001, limit=100)
            if not due:
                return
            runner = Runner(ledger, _REGISTRY, deps, max_jobs=10)
            for each in due:
                runner.start(each.tenant_id, [each.id], "sweep")
            await runner.drain(60.0)
    raise AssertionError("the jobs do not come to an end")


async def pass_time(database: TestDatabase, minutes: int) -> None:
    """As if so many minutes had passed."""
    ago = f"- interval '{minutes} minutes'"
    await rows(database, f"UPDATE notifications SET mail_due_at = mail_due_at {ago}, push_due_at = push_due_at {ago}")
    await rows(database, f"UPDATE jobs SET run_at = run_at {ago} WHERE state = 'ready'")


async def rows(database: TestDatabase, sql: str) -> list[Any]:
    """What the database says to somebody whom no rule hides anything from."""
    conn = await asyncpg.connect(database.admin_url)
    try:
        return list(await conn.fetch(sql))
    finally:
        await conn.close()


async def tell(server: RunningHub, company: Company, kind: str, title: str, body: str = "", role: str = "rep") -> UUID:
    """Something happens that a member should know."""
    async with tenant_tx(server.hub.db, Who.system(company.tenant_id)) as tx:
        told = await notify(tx, company.members[role], kind, title, body, "contact", UUID(int=1))
    assert told is not None
    return told


async def signed_in(server: RunningHub, company: Company, role: str = "rep") -> Api:
    """A member who signed in with a password, so that there is a session."""
    api = server.client()
    answer = await api.post("/auth/login", {"email": f"{role}@{company.name.lower()}.test", "password": PASSWORD})
    assert answer.status == 200, answer.body
    api.token = answer.body["access_token"]
    return api


async def subscribe(api: Api, service: PushSandbox) -> tuple[Browser, str]:
    """A browser subscribes for a member; the browser, and the device's path."""
    browser = service.subscribe((await api.get("/push/devices")).body["key"])
    made = await api.post("/push/devices", browser.subscription())
    assert made.status == 201, made.body
    return browser, f"/push/devices/{made.body['id']}"
