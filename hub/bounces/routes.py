"""Bounces and complaints over HTTP."""

from __future__ import annotations

import hub.bounces.events  # noqa: F401 - the workers emit them, and the server must know them, too
from hub.bounces import queries
from hub.bounces.models import BounceFilter, MailBouncePage
from hub.db import Tx
from hub.http.endpoint import Reply, Req, Routes

routes = Routes("bounces")


@routes.get("/mail/bounces", query=BounceFilter, returns=MailBouncePage, allow="mail:read")
async def list_bounces(tx: Tx, req: Req[BounceFilter, None]) -> Reply:
    """Mail that came back, and complaints, newest first."""
    return Reply(await queries.list_bounces(tx, req.query))
