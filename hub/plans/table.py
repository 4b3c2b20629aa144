"""The plans: their prices, how many people they are for, and what they have. Everything about plans is read from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

PlanName = Literal["basic", "pro", "enterprise"]
Every = Literal["month", "year"]
Feature = Literal["api_keys", "webhooks", "visibility", "custom_roles", "sso", "audit_export"]
Meter = Literal["call_minutes", "sms"]

# What each feature is called where it bites.
FEATURES: Final[dict[Feature, str]] = {
    "api_keys": "API keys",
    "webhooks": "Outgoing webhooks",
    "visibility": "Visibility by team and owner",
    "custom_roles": "Custom roles",
    "sso": "Single sign-on",
    "audit_export": "Export of the audit log",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan. Prices are for a seat, in minor units of `CURRENCY`; `most_seats` None: as many as are bought.

    `requests` is how many times the usual number of requests its companies may send.
    """

    name: PlanName
    title: str
    words: str
    monthly_minor: int
    yearly_minor: int
    most_seats: int | None
    features: frozenset[Feature]
    requests: float = 1.0

    def price_minor(self, every: Every) -> int:
        """What a seat costs for a month or a year."""
        return self.monthly_minor if every == "month" else self.yearly_minor


@dataclass(frozen=True, slots=True)
class Metered:
    """What is paid by use. The price of one is in hundredths of a minor unit, so that 1.5 cents can be said."""

    name: Meter
    title: str
    unit: str
    price_centiminor: int


CURRENCY: Final = "usd"
_PRO: Final[frozenset[Feature]] = frozenset({"api_keys", "webhooks", "visibility", "custom_roles"})
PLANS: Final[dict[PlanName, Plan]] = {
    "basic": Plan("basic", "Basic", "Calls, mail and tasks for a small team.", 1_900, 19_000, 10, frozenset()),
    "pro": Plan("pro", "Pro", "API keys, webhooks, visibility by team and custom roles.", 4_900, 49_000, 200, _PRO, 2.0),
    "enterprise": Plan(
        "enterprise", "Enterprise", "Single sign-on, the audit log to take away, no limit of people.", 9_900, 99_000, None,
        frozenset(FEATURES), 5.0,
    ),
}  # fmt: skip
METERED: Final[dict[Meter, Metered]] = {
    "call_minutes": Metered("call_minutes", "Call minutes", "minute", 150),
    "sms": Metered("sms", "Text messages", "message", 90),
}

# A trial has everything, for this many people and days, and asks for no card.
TRIAL_PLAN: Final[PlanName] = "enterprise"
TRIAL_SEATS: Final = 25
TRIAL_DAYS: Final = 14


def cheapest_with(feature: Feature) -> Plan:
    """The smallest plan that has a feature."""
    return next(plan for plan in PLANS.values() if feature in plan.features)
