"""The built console and the API reader: hashed assets for ever, everything else revalidated, unknown paths are the console's."""

from __future__ import annotations

import os
from pathlib import Path

from aiohttp import web

from hub.errors import NotFound

_LONGEST_NAME = 255
_NOT_BUILT = (
    "<!doctype html><meta charset=utf-8><title>Ringside</title>"
    "<body style='font:16px system-ui;margin:4rem auto;max-width:40rem'>"
    "<h1>The console is not built</h1><p>Run <code>./ringside up</code>, which builds it, or <code>npm run build</code> in "
    "<code>console/</code>. The API works without it: <a href='/api/openapi.json'>/api/openapi.json</a>.</p>"
)


def mount_console(app: web.Application, dist: Path) -> None:
    """Serve the console from `dist`; call it after every other route."""
    root = dist.resolve()

    def asset(name: str) -> Path | None:
        # A name that is longer than the file system takes is an error to it, not a missing file.
        if "\x00" in name or any(len(os.fsencode(part)) > _LONGEST_NAME for part in name.split("/")):
            return None
        found = (root / name).resolve()
        return found if found.is_relative_to(root) and found.is_file() else None

    async def docs(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/docs/")

    async def serve(request: web.Request) -> web.StreamResponse:
        name = request.match_info["path"]
        if name.startswith(("api/", "webhooks/", "socket.io/")):
            raise NotFound("There is nothing at this address.")
        if request.method not in ("GET", "HEAD"):
            raise web.HTTPMethodNotAllowed(request.method, ("GET", "HEAD"))
        found = asset(name) or (asset(name.rstrip("/") + "/index.html") if name.startswith("docs") else None)
        if found is not None:
            forever = name.startswith("assets/")
            cache = "public, max-age=31536000, immutable" if forever else "no-cache"
            return web.FileResponse(found, headers={"Cache-Control": cache})
        if name.startswith("assets/"):
            raise NotFound("There is no such asset.")
        index = asset("index.html")
        if index is None:
            return web.Response(text=_NOT_BUILT, content_type="text/html", status=503)
        return web.FileResponse(index, headers={"Cache-Control": "no-cache"})

    app.router.add_get("/docs", docs)
    app.router.add_route("*", "/{path:.*}", serve)
