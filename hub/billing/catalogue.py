"""What is sold, as the provider is told of it."""

from __future__ import annotations

from typing import Final

from hub.plans.table import CURRENCY, METERED, PLANS
from integrations.payments import Catalogue, SoldMeter, SoldPlan

CATALOGUE: Final = Catalogue(
    currency=CURRENCY,
    plans=tuple(SoldPlan(plan.name, plan.title, plan.monthly_minor, plan.yearly_minor) for plan in PLANS.values()),
    meters=tuple(SoldMeter(each.name, each.title, each.unit, each.price_centiminor) for each in METERED.values()),
)
