"""What the company's plan allows, for everybody in it."""

from __future__ import annotations

import orjson

from hub.db import Tx
from hub.http.endpoint import Reply, Req, Routes
from hub.plans.models import FeatureOnSale, MeteredOnSale, PlanInForce, PlanOnSale, Plans
from hub.plans.table import CURRENCY, FEATURES, METERED, PLANS, cheapest_with
from hub.sqlfiles import load_sql

routes = Routes("plans")
_SQL = load_sql("plans")


@routes.get("/plans", returns=Plans)
async def list_plans(tx: Tx, req: Req[None, None]) -> Reply:
    """The plan in force, what it allows, and the plans that there are."""
    row = await tx.fetchrow(_SQL["get_plan"])
    in_force = None if row is None else PlanInForce.model_validate(orjson.loads(row["json"]))
    allowed = frozenset(FEATURES) if in_force is None else PLANS[in_force.plan].features
    return Reply(
        Plans(
            in_force=in_force,
            seats_used=await tx.fetchval(_SQL["count_seats"]),
            features=[
                FeatureOnSale(name=name, title=title, allowed=name in allowed, needed=cheapest_with(name).name)
                for name, title in FEATURES.items()
            ],
            plans=[
                PlanOnSale(
                    name=plan.name,
                    title=plan.title,
                    words=plan.words,
                    monthly_minor=plan.monthly_minor,
                    yearly_minor=plan.yearly_minor,
                    currency=CURRENCY,
                    most_seats=plan.most_seats,
                    features=sorted(plan.features),
                )
                for plan in PLANS.values()
            ],
            metered=[
                MeteredOnSale(name=each.name, title=each.title, unit=each.unit, price_centiminor=each.price_centiminor)
                for each in METERED.values()
            ],
        )
    )
