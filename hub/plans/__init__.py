"""What each plan costs and allows: one table, and the functions that hold a company to it.

Before something that not every plan has: `await plans.require(tx, "custom_roles")`; before a member is added or comes back:
`await plans.check_seats(tx)`. A company that is not billed (no Stripe key is set) may do everything.
"""

from hub.plans.actions import PlanLimit, check_seats, require
from hub.plans.table import FEATURES, PLANS, TRIAL_PLAN, Every, Feature, Plan, PlanName

__all__ = [
    "FEATURES",
    "PLANS",
    "TRIAL_PLAN",
    "Every",
    "Feature",
    "Plan",
    "PlanLimit",
    "PlanName",
    "check_seats",
    "require",
]
