"""Is this process alive, and is it ready: every part that is not says so in words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web
from redis.exceptions import RedisError

from hub.db import Database
from hub.errors import HubError
from hub.sqlfiles import Statement

_CHECK_S = 2.0
_PING = Statement("ping", "SELECT 1")

Check = Callable[[], Awaitable[str | None]]


async def check_postgres(db: Database) -> str | None:
    """None when Postgres answers, else what is wrong."""
    try:
        async with asyncio.timeout(_CHECK_S):
            await db.system_fetch(_PING)
    except (HubError, OSError, TimeoutError) as exc:
        return f"Postgres does not answer: {exc or 'no answer in time'}"
    return None


async def check_redis(ping: Callable[[], Awaitable[None]]) -> str | None:
    """None when Redis answers, else what is wrong."""
    try:
        async with asyncio.timeout(_CHECK_S):
            await ping()
    except (RedisError, OSError, TimeoutError) as exc:
        return f"Redis does not answer: {exc or 'no answer in time'}"
    return None


def mount_health(app: web.Application, required: dict[str, Check], optional: dict[str, Check]) -> None:
    """Add /healthz (the process is up) and /readyz (503 while a required part is down; optional ones only slow it)."""

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_request: web.Request) -> web.Response:
        names = [*required, *optional]
        found = await asyncio.gather(*(check() for check in (required | optional).values()))
        wrong = {name: words for name, words in zip(names, found, strict=True) if words}
        down = any(name in required for name in wrong)
        status = "down" if down else "degraded" if wrong else "ready"
        parts = {name: wrong.get(name, "ok") for name in names}
        return web.json_response({"status": status, "parts": parts}, status=503 if down else 200)

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
