"""What a plan allows, and what it refuses in which words."""

from __future__ import annotations

import pytest

from hub.db import Database, tenant_tx
from hub.plans import FEATURES, PLANS, PlanLimit, check_seats, require
from tests.conftest import Company


async def buy(db: Database, company: Company, plan: str, seats: int, standing: str = "active") -> None:
    """Let a company have a plan."""
    async with db.acquire() as conn:
        await conn.execute("SELECT billing_open_accounts('pro', 4, now(), now() + interval '14 days')")
        async with conn.transaction():
            await conn.execute("SELECT set_config('ringside.tenant_id', $1, true)", str(company.tenant_id))
            told = "UPDATE billing_accounts SET plan = $1, seats = $2, standing = $3"
            await conn.execute(told, plan, seats, standing)


async def test_a_company_that_is_not_billed_may_do_everything(db: Database, acme: Company) -> None:
    async with tenant_tx(db, acme.who("owner")) as tx:
        await require(tx, "sso")
        await check_seats(tx, adding=1_000)


async def test_a_feature_that_the_plan_lacks_is_refused_with_the_plan_that_has_it(db: Database, acme: Company) -> None:
    await buy(db, acme, "pro", 5)

    async with tenant_tx(db, acme.who("owner")) as tx:
        await require(tx, "custom_roles")
        with pytest.raises(PlanLimit, match=r"Single sign-on: not part of the plan Pro\. Enterprise has it") as refused:
            await require(tx, "sso")

    assert (refused.value.status, refused.value.code) == (402, "plan_limit")
    assert refused.value.details == {"limit": "sso", "plan": "pro", "needed": "enterprise"}


async def test_people_are_added_while_there_are_seats(db: Database, acme: Company) -> None:
    await buy(db, acme, "basic", 5)

    async with tenant_tx(db, acme.who("owner")) as tx:
        await check_seats(tx)
        with pytest.raises(PlanLimit, match=r"has 5 seats, and 4 of them are taken\. Buy more"):
            await check_seats(tx, adding=2)
        with pytest.raises(PlanLimit, match="Basic is for up to 10 people"):
            await check_seats(tx, adding=7)


def test_a_larger_plan_lacks_nothing_that_a_smaller_one_has() -> None:
    basic, pro, enterprise = (PLANS[name] for name in ("basic", "pro", "enterprise"))

    assert basic.features <= pro.features <= enterprise.features == set(FEATURES)
    assert basic.monthly_minor < pro.monthly_minor < enterprise.monthly_minor
    assert all(plan.yearly_minor < 12 * plan.monthly_minor for plan in PLANS.values())
