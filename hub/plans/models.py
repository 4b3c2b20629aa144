"""Plans as they go out."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from hub.plans.table import Feature, Meter, PlanName

StandingName = Literal["trial", "active", "grace", "read_only", "suspended"]
StandingReason = Literal["", "trial_over", "payment_failed", "canceled"]


class PlanInForce(BaseModel):
    """The company's plan, and how it stands. `until` is when time alone will change that."""

    plan: PlanName
    standing: StandingName
    reason: StandingReason
    until: datetime | None
    seats: int


class PlanOnSale(BaseModel):
    """A plan: what a seat costs, how many people it is for at most, and what it has."""

    name: PlanName
    title: str
    words: str
    monthly_minor: int
    yearly_minor: int
    currency: str
    most_seats: int | None
    features: list[Feature]


class MeteredOnSale(BaseModel):
    """What is paid by use. The price of one is in hundredths of a minor unit."""

    name: Meter
    title: str
    unit: str
    price_centiminor: int


class FeatureOnSale(BaseModel):
    """A feature that not every plan has, whether the company's has it, and the smallest plan that does."""

    name: Feature
    title: str
    allowed: bool
    needed: PlanName


class Plans(BaseModel):
    """The plan in force, and all that there are. `in_force` is null where no payment provider is set up: all is allowed."""

    in_force: PlanInForce | None
    seats_used: int
    features: list[FeatureOnSale]
    plans: list[PlanOnSale]
    metered: list[MeteredOnSale]
