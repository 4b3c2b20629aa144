"""A system that takes webhooks, and doing what a worker does with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import asyncpg
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from hub.outgoing.delivering import ask_due
from integrations.hooks import HookCarrier
from tests.conftest import TestDatabase
from tests.harness import Api, RunningHub
from workers import outgoing
from workers.job import Deps, Registry
from workers.ledger import Ledger
from workers.runner import Runner

_REGISTRY = Registry.of(outgoing)


@dataclass
class Receiver:
    """Keeps what it is sent, and answers what `answers` says, one after the other, or 204."""

    url: str = ""
    got: list[tuple[dict[str, str], str]] = field(default_factory=list)
    answers: list[web.Response] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """One webhook."""
        self.got.append((dict(request.headers), await request.text()))
        return self.answers.pop(0) if self.answers else web.Response(status=204)

    def opened(self, secret: str) -> list[Any]:
        """What came, each verified as any receiver does; and nothing more of it afterwards."""
        said = [Webhook(secret).verify(body, {k.lower(): v for k, v in headers.items()}) for headers, body in self.got]
        self.got.clear()
        return said


async def work(server: RunningHub, *, allow_private: bool = True) -> None:
    """Do all that is due, as a worker does, until nothing is."""
    db = server.hub.db
    async with HookCarrier.open(allow_private=allow_private) as hooks:
        deps = Deps(db, server.settings, hooks=hooks)
        for _ in range(20):
            asked = await ask_due(db)
            ledger = Ledger(db, "a worker", {})
            due = await ledger.due(overdue_s=-0.001, limit=100)
            if not due and not asked:
                return
            runner = Runner(ledger, _REGISTRY, deps, max_jobs=10)
            for each in due:
                runner.start(each.tenant_id, [each.id], "sweep")
            await runner.drain(60.0)
    raise AssertionError("the jobs do not come to an end")


async def pass_time(database: TestDatabase) -> None:
    """As if all pauses were over."""
    await say(database, "UPDATE outgoing_deliveries SET next_at = now() WHERE state = 'waiting'")
    await say(database, "UPDATE outgoing_endpoints SET due_at = now() WHERE due_at IS NOT NULL")


async def say(database: TestDatabase, sql: str, *values: Any) -> list[Any]:
    """What the database says to somebody whom no rule hides anything from."""
    conn = await asyncpg.connect(database.admin_url)
    try:
        return list(await conn.fetch(sql, *values))
    finally:
        await conn.close()


async def endpoint(api: Api, url: str, *types: str) -> tuple[str, str]:
    """A new endpoint; its path and its secret."""
    made = await api.post("/api/v1/webhooks", {"url": url, "types": list(types) or None})
    assert made.status == 201, made.body
    return f"/api/v1/webhooks/{made.body['id']}", made.body["secret"]


async def contact(api: Api, name: str) -> None:
    """Something happens that everybody may see."""
    made = await api.post("/contacts", {"first_name": name})
    assert made.status == 201, made.body
