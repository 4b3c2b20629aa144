"""Prometheus metrics on a port of their own, which the public one never shows."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest


@dataclass(frozen=True, slots=True)
class MetricsServer:
    """A running metrics port."""

    port: int
    _runner: web.AppRunner

    async def close(self) -> None:
        """Stop serving."""
        await self._runner.cleanup()


async def serve_metrics(host: str, port: int) -> MetricsServer:
    """Serve this process's metrics at /metrics; port 0 takes a free one. Raises OSError when the port is taken."""
    app = web.Application()
    app.router.add_get("/metrics", _metrics)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError:
        await runner.cleanup()
        raise
    return MetricsServer(int(runner.addresses[0][1]), runner)


async def _metrics(_request: web.Request) -> web.Response:
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
