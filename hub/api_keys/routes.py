"""API key endpoints. Keys themselves can't call them."""

from __future__ import annotations

from hub.api_keys import actions
from hub.api_keys.models import ApiKey, ApiKeyFilter, ApiKeyIn, ApiKeyPage, NewApiKey
from hub.db import Tx
from hub.errors import Forbidden
from hub.http.endpoint import Reply, Req, Routes
from hub.http.paging import page, read_cursor
from hub.permissions import permissions_of
from hub.sqlfiles import load_sql

routes = Routes("api keys")
_SQL = load_sql("api_keys")


@routes.get("/api-keys", query=ApiKeyFilter, returns=ApiKeyPage, allow="api_keys:write")
async def list_api_keys(tx: Tx, req: Req[ApiKeyFilter, None]) -> Reply:
    """One's own API keys, newest first, or everybody's; those that ended stay for a month."""
    if req.query.everybody and actions.OVERSEES not in permissions_of(tx.who):
        raise Forbidden(f"To see everybody's API keys takes the permission {actions.OVERSEES}.")
    after = read_cursor(req.query.cursor, "created_at")
    rows = await tx.fetch(
        _SQL["list_keys"],
        limit=req.query.limit + 1,
        owner_id=None if req.query.everybody else tx.who.user_id,
        after_key=after.moment() if after else None,
        after_id=after.id if after else None,
    )
    return Reply(page(rows, req.query.limit, "created_at"))


@routes.post("/api-keys", body=ApiKeyIn, returns=NewApiKey, status=201, allow="api_keys:write", errors=(402, 409), fresh=True)
async def create_api_key(tx: Tx, req: Req[None, ApiKeyIn]) -> Reply:
    """Make an API key that acts in one's own place; the answer shows it, and nothing shows it again."""
    return Reply(await actions.make_key(tx, req.body), 201, {"Cache-Control": "no-store"})


@routes.delete("/api-keys/{id}", returns=ApiKey, allow="api_keys:write")
async def end_api_key(tx: Tx, req: Req[None, None]) -> Reply:
    """End an API key at once: one's own, or anybody's for those who may set how people sign in."""
    return Reply(await actions.end_key(tx, req.id()))
