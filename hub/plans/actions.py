"""Holds companies to their plans. These two functions are the only place where a plan refuses anything."""

from __future__ import annotations

from hub.billing.standing import RESTRICTED
from hub.db import Tx
from hub.errors import PaymentRequired
from hub.plans.table import FEATURES, PLANS, Feature, cheapest_with
from hub.sqlfiles import load_sql

_SQL = load_sql("plans")


class PlanLimit(PaymentRequired):
    """The company's plan does not have it. `details` say what and which plan has it, for the console to offer."""

    code = "plan_limit"


async def require(tx: Tx, feature: Feature) -> None:
    """Go on only when the company's plan has the feature. Raises PlanLimit, which names the plan that has it."""
    row = await tx.fetchrow(_SQL["get_plan"])
    if row is None or feature in PLANS[row["plan"]].features:
        return
    needed = cheapest_with(feature)
    raise PlanLimit(
        f"{FEATURES[feature]}: not part of the plan {PLANS[row['plan']].title}. {needed.title} has it; "
        "change the plan under Settings, Plan and invoices.",
        details={"limit": feature, "plan": row["plan"], "needed": needed.name},
    )


async def check_seats(tx: Tx, adding: int = 1) -> None:
    """Go on only when `adding` more people can be active members; call it before they are, in the same transaction.

    Whoever else adds a member waits until this transaction ends. Raises PlanLimit, which says how many seats there are, or that
    nobody is added before the plan is paid.
    """
    row = await tx.fetchrow(_SQL["lock_plan"])
    if row is None:
        return
    used = await tx.fetchval(_SQL["count_seats"])
    if row["standing"] in RESTRICTED:
        raise PlanLimit(
            "Nobody can be added before the plan is paid. See Settings, Plan and invoices.",
            details={"limit": "seats", "plan": row["plan"], "seats": row["seats"], "used": used},
        )
    if used + adding <= row["seats"]:
        return
    plan = PLANS[row["plan"]]
    seats = f"{row['seats']} seat{'s' if row['seats'] != 1 else ''}"
    if row["standing"] == "trial":
        advice = "Choose a plan under Settings, Plan and invoices, to have more than the trial's."
    elif plan.most_seats is not None and used + adding > plan.most_seats:
        advice = f"{plan.title} is for up to {plan.most_seats} people; a larger plan has room for more."
    else:
        advice = "Buy more under Settings, Plan and invoices, or deactivate somebody first."
    raise PlanLimit(
        f"Your company has {seats}, and {used} of them {'is' if used == 1 else 'are'} taken. {advice}",
        details={"limit": "seats", "plan": row["plan"], "seats": row["seats"], "used": used},
    )
