"""Visibility endpoints."""

from __future__ import annotations

from hub.db import Tx
from hub.http.endpoint import Reply, Req, Routes
from hub.visibility import actions
from hub.visibility.models import Visibility, VisibilityIn

routes = Routes("visibility")


@routes.get("/visibility", returns=Visibility, allow="settings:read")
async def get_visibility(tx: Tx, req: Req[None, None]) -> Reply:
    """Who sees what in this company."""
    return Reply(await actions.read_visibility(tx))


@routes.put("/visibility", body=VisibilityIn, returns=Visibility, allow="company:write")
async def put_visibility(tx: Tx, req: Req[None, VisibilityIn]) -> Reply:
    """Set who sees what; open consoles show no more than that within a second."""
    return Reply(await actions.set_visibility(tx, req.body.visibility))
