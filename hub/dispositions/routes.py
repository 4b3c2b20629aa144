"""Disposition endpoints."""

from __future__ import annotations

import re
from typing import Any

from hub.db import Tx
from hub.dispositions import actions, queries
from hub.dispositions.models import Disposition, DispositionFilter, DispositionIn, DispositionPage, DispositionPatch
from hub.http.endpoint import Reply, Req, Routes

routes = Routes("dispositions")


@routes.get("/dispositions", query=DispositionFilter, returns=DispositionPage, allow="settings:read")
async def list_dispositions(tx: Tx, req: Req[DispositionFilter, None]) -> Reply:
    """The dispositions to choose from."""
    return Reply(await queries.list_dispositions(tx, archived=req.query.archived))


@routes.post("/dispositions", body=DispositionIn, returns=Disposition, status=201, allow="settings:write")
async def create_disposition(tx: Tx, req: Req[None, DispositionIn]) -> Reply:
    """Add a disposition."""
    return Reply(await actions.create_disposition(tx, req.body), 201)


@routes.patch("/dispositions/{value}", body=DispositionPatch, returns=Disposition, allow="settings:write", errors=(409,))
async def update_disposition(tx: Tx, req: Req[None, DispositionPatch]) -> Reply:
    """Change a disposition, or bring an archived one back."""
    return Reply(await actions.update_disposition(tx, _value(req), req.body))


@routes.delete("/dispositions/{value}", status=204, allow="settings:write", errors=(409,))
async def archive_disposition(tx: Tx, req: Req[None, None]) -> Reply:
    """Archive a disposition: calls that have it keep it, no call gets it any more."""
    await actions.archive_disposition(tx, _value(req))
    return Reply()


def _value(req: Req[Any, Any]) -> str:
    """The value in the path; what has not the form of one names nothing that exists."""
    if re.fullmatch(r"[a-z0-9_]{1,40}", req.path["value"]) is None:
        raise actions.missing()
    return req.path["value"]
