"""Presence over HTTP."""

from __future__ import annotations

from hub.db import Tx
from hub.http.endpoint import Reply, Req, Routes
from hub.presence import actions
from hub.presence.models import ExtendIn, Person, PresenceIn

routes = Routes("presence")


@routes.put("/presence", body=PresenceIn, returns=Person, errors=(409,))
async def set_presence(tx: Tx, req: Req[None, PresenceIn]) -> Reply:
    """Be online or away. Ends a wrap-up; not possible during a call."""
    member = req.who.user_id
    assert member is not None  # a token always names a person
    return Reply(await actions.set_state(tx, member, req.body.state))


@routes.post("/presence/extend", body=ExtendIn, returns=Person)
async def extend_wrap_up(tx: Tx, req: Req[None, ExtendIn]) -> Reply:
    """Have more time to write a call up."""
    member = req.who.user_id
    assert member is not None  # a token always names a person
    return Reply(await actions.extend(tx, member, req.body.seconds))
