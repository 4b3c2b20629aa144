"""The endpoints of the rule."""

from __future__ import annotations

from hub.db import Database, Tx
from hub.http.endpoint import Reply, Req, Routes
from hub.second_factor import actions
from hub.second_factor.models import SecondFactorRule, SecondFactorRuleIn

routes = Routes("second factor")


@routes.get("/second-factor", returns=SecondFactorRule, allow="security:write")
async def get_second_factor_rule(tx: Tx, req: Req[None, None]) -> Reply:
    """Whether everybody has to have a second factor, and who has none."""
    return Reply(await actions.read_rule(tx))


@routes.put(
    "/second-factor",
    scope="db",
    body=SecondFactorRuleIn,
    returns=SecondFactorRule,
    allow="security:write",
    fresh=True,
    errors=(409,),
)
async def set_second_factor_rule(db: Database, req: Req[None, SecondFactorRuleIn]) -> Reply:
    """Want a second factor of everybody, or no more. Who is signed in without one is signed out."""
    assert req.claims is not None
    return Reply(await actions.set_rule(db, req.who, req.claims.session_id, req.body))
