"""Alive and ready: what a load balancer and an operator are told when a part is gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp

from hub.embedded import PostgresServer, ValkeyServer, start_postgres
from hub.migrate import migrate
from tests.conftest import TestDatabase, make_company
from tests.harness import RunningHub, make_settings, running_hub, until


async def ask(server: RunningHub, path: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as http, http.get(server.url + path) as answer:
        return answer.status, await answer.json()


async def test_with_everything_there_it_is_ready(database: TestDatabase, valkey_url: str) -> None:
    async with running_hub(make_settings(database.app_url, valkey_url)) as server:
        assert await ask(server, "/healthz") == (200, {"status": "ok"})
        ready = {"status": "ready", "parts": {"postgres": "ok", "isolation": "ok", "redis": "ok"}}
        assert await ask(server, "/readyz") == (200, ready)


async def test_without_redis_it_goes_on_more_slowly(database: TestDatabase, valkey: ValkeyServer) -> None:
    async with running_hub(make_settings(database.app_url, valkey.url)) as server:
        acme = await make_company(server.hub.db, "Acme")
        valkey.kill()

        async def degraded() -> Any:
            status, body = await ask(server, "/readyz")
            return body if body["status"] == "degraded" and status == 200 else None

        body = await until(degraded)
        assert body["parts"]["postgres"] == "ok"
        assert "Redis does not answer" in body["parts"]["redis"]
        rep = server.as_member(acme)
        assert (await rep.post("/contacts", {"first_name": "Ada"})).status == 201
        assert len((await rep.get("/contacts")).body["data"]) == 1
        valkey.restart()

        async def ready() -> bool:
            return bool((await ask(server, "/readyz"))[1]["status"] == "ready")

        await until(ready)


async def test_without_postgres_it_is_not_ready_and_says_so_until_it_is_back(tmp_path: Path, valkey_url: str) -> None:
    with start_postgres(tmp_path / "postgres", durable=False) as postgres:
        await migrate(postgres.url_for("ringside_owner"), postgres.admin_url)
        async with running_hub(make_settings(postgres.url_for(), valkey_url)) as server:
            acme = await make_company(server.hub.db, "Acme")
            await gone_and_back(postgres, server, server.as_member(acme))


async def gone_and_back(postgres: PostgresServer, server: RunningHub, rep: Any) -> None:
    assert (await rep.get("/contacts")).status == 200
    postgres.kill()

    async def down() -> Any:
        status, body = await ask(server, "/readyz")
        return body if status == 503 else None

    body = await until(down)
    assert (body["status"], body["parts"]["redis"]) == ("down", "ok")
    assert "Postgres does not answer" in body["parts"]["postgres"]
    assert await ask(server, "/healthz") == (200, {"status": "ok"})
    answer = await rep.get("/contacts")
    assert (answer.status, answer.error) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert "database" in answer.body["message"]
    postgres.restart()

    async def ready() -> bool:
        return (await ask(server, "/readyz"))[0] == 200

    await until(ready)
    assert (await rep.get("/contacts")).status == 200
