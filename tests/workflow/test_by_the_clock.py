"""The duties, done by a worker while somebody listens."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from hub.db import Database
from tests.conftest import Company, TestDatabase
from tests.harness import Api, RunningHub, until
from tests.workers.kit import working
from tests.workflow.kit import events, make_call, run_sql, wrap_up
from workers import workflow
from workers.cron import duties_of


async def test_a_worker_ends_wrap_ups_tells_of_what_is_due_and_warns(
    db: Database, database: TestDatabase, valkey_url: str, acme: Company, rep: Api, hub: RunningHub
) -> None:
    await run_sql(db, acme, "INSERT INTO voice_settings (tenant_id, wrap_up_s) VALUES ($1, 1)", acme.tenant_id)
    task = (await rep.post("/tasks", {"title": "Call Ada", "due_at": "2100-01-01"})).body
    await run_sql(db, acme, "UPDATE tasks SET due_at = now() + interval '1 second' WHERE id = $1", task["id"])
    await run_sql(db, acme, "INSERT INTO dial_queues (tenant_id, name, state) VALUES ($1, 'Spring', 'running')", acme.tenant_id)
    await wrap_up(db, acme, await make_call(db, acme), uuid4())
    manager = hub.as_member(acme, "manager")

    async def seen(api: Api, kind: str) -> dict[str, Any] | None:
        found = await events(api, kind)
        return found[-1] if found else None

    async def is_free() -> bool:
        event = await seen(rep, "presence.changed")
        return event is not None and event["data"]["person"]["state"] == "online" and event["seq"] > 3

    async with working(database, valkey_url, duties=duties_of(workflow)):
        await until(is_free)
        told = await until(lambda: seen(rep, "notification.created"))
        assert told["data"]["notification"]["subject_id"] == task["id"]
        warned = await until(lambda: seen(manager, "alert.raised"))
        assert warned["data"]["alert"]["kind"] == "queue_empty"
    assert [e["type"] for e in await events(rep, "alert.")] == []
