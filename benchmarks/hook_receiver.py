"""The system that takes webhooks in the benchmark: `python -m benchmarks.hook_receiver`.

What is posted to /ok/NAME is noted and answered at once, what is posted to /hang/NAME never. GET /got tells what came since it
was asked last: for each name the ids in the order of their arrival, and when each came (seconds of the monotonic clock, which all
processes of a machine share). The first line it prints is its port.
"""

from __future__ import annotations

import asyncio
import time

import orjson
import uvloop
from aiohttp import web

_got: dict[str, list[tuple[str, float]]] = {}


async def _take(request: web.Request) -> web.Response:
    body = await request.read()
    told = request.headers["webhook-id"]
    if orjson.loads(body)["id"] != told or "webhook-signature" not in request.headers:
        return web.Response(status=400)
    _got.setdefault(request.match_info["name"], []).append((told, time.monotonic()))
    return web.Response(status=204)


async def _hang(request: web.Request) -> web.Response:
    await asyncio.sleep(3600)
    return web.Response(status=204)


async def _tell(_request: web.Request) -> web.Response:
    said = orjson.dumps(_got)
    _got.clear()
    return web.Response(body=said, content_type="application/json")


async def main() -> None:
    """Serve until it is ended."""
    app = web.Application()
    app.add_routes([web.post("/ok/{name}", _take), web.post("/hang/{name}", _hang), web.get("/got", _tell)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    uvloop.run(main())
