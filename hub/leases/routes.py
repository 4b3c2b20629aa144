"""Leases over HTTP."""

from __future__ import annotations

from hub.contacts.actions import missing as contact_missing
from hub.contacts.queries import contact_exists
from hub.db import Tx
from hub.http.endpoint import Reply, Req, Routes
from hub.leases import actions, queries
from hub.leases.models import Lease, LeaseIn, LeaseList

routes = Routes("leases")


@routes.get("/leases", returns=LeaseList, allow="contacts:read")
async def list_leases(tx: Tx, req: Req[None, None]) -> Reply:
    """Who is busy with which contact."""
    return Reply(await queries.list_leases(tx))


@routes.post("/contacts/{id}/lease", body=LeaseIn, returns=Lease, allow="contacts:write", errors=(409,))
async def take_lease(tx: Tx, req: Req[None, LeaseIn]) -> Reply:
    """Take a contact, or renew one's lease on it; it runs out ten seconds after the last time. 409 says who is busy with it."""
    member = req.who.user_id
    assert member is not None  # a token always names a person
    await actions.take(tx, req.id(), member, req.body.purpose)
    return Reply(await actions.read(tx, req.id()))


@routes.delete("/contacts/{id}/lease", status=204, allow="contacts:write")
async def release_lease(tx: Tx, req: Req[None, None]) -> Reply:
    """Give a contact back. A colleague's lease, and one that a live call holds, stay."""
    member = req.who.user_id
    assert member is not None  # a token always names a person
    if not await contact_exists(tx, req.id()):
        raise contact_missing()
    await actions.release(tx, req.id(), member)
    return Reply()
