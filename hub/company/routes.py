"""The company, one's own name, and the way out."""

from __future__ import annotations

from typing import Any

from hub.company import actions
from hub.company.models import Company, CompanyPatch, Rename, Renamed, Transfer
from hub.db import Database, Tx
from hub.errors import Forbidden
from hub.handovers.models import Departure
from hub.http.endpoint import Reply, Req, Routes

routes = Routes("company")


@routes.get("/company", returns=Company)
async def get_company(tx: Tx, req: Req[None, None]) -> Reply:
    """The company: its name and time zone."""
    return Reply(await actions.read_company(tx))


@routes.patch("/company", body=CompanyPatch, returns=Company, allow="company:write")
async def update_company(tx: Tx, req: Req[None, CompanyPatch]) -> Reply:
    """Change the company's name or time zone."""
    return Reply(await actions.update_company(tx, req.body))


@routes.post("/company/transfer", body=Transfer, status=204, allow="company:transfer", fresh=True)
async def transfer_company(tx: Tx, req: Req[None, Transfer]) -> Reply:
    """Make somebody else the owner in one's own place; one is an admin from there on."""
    await actions.transfer(tx, req.body.to_id)
    return Reply()


@routes.post("/company/leave", body=Departure, status=204, errors=(409,))
async def leave_company(tx: Tx, req: Req[None, Departure]) -> Reply:
    """Leave the company. Access ends within a second; what is one's own goes to whom one names."""
    _themselves(req)
    await actions.leave(tx, req.body)
    return Reply()


@routes.patch("/me", scope="db", body=Rename, returns=Renamed)
async def rename_oneself(db: Database, req: Req[None, Rename]) -> Reply:
    """Change how one is called, in every company one belongs to."""
    _themselves(req)
    return Reply(await actions.rename_oneself(db, req.who, req.body.name))


def _themselves(req: Req[Any, Any]) -> None:
    if req.claims is not None and req.claims.key_id is not None:
        raise Forbidden("An API key can't do this; sign in yourself.", code="not_with_a_key")
