"""What tests of billing do: buy, let time pass, and let the jobs and duties of billing run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hub.db import tenant_tx
from hub.who import Who
from integrations.sandbox.stripe import StripeSandbox
from tests.conftest import Company
from tests.harness import Api, RunningHub, until
from tests.integrations.stripe_kit import DAY_S, post
from tests.patience import PATIENCE_S
from workers import billing
from workers.job import Deps, Registry
from workers.ledger import Ledger
from workers.runner import Runner

_REGISTRY = Registry.of(billing)
VISA, DECLINED_LATER = "4242424242424242", "4000000000000341"


@dataclass
class Bank:
    """A hub, its Stripe, and a worker's things."""

    server: RunningHub
    sandbox: StripeSandbox
    deps: Deps
    registry: Registry = field(default_factory=lambda: _REGISTRY)

    async def open(self) -> None:
        """Open the accounts of companies that are new."""
        await billing.open_billing_accounts.function(self.deps)

    async def work(self) -> None:
        """Let webhooks arrive, do the jobs of billing, let standings follow from the time, and let this process know."""

        async def delivered() -> bool:
            return self.sandbox.courier.waiting == 0

        await until(delivered)
        await self.jobs()
        await billing.settle_standings.function(self.deps)
        await self.server.hub.restrictions.look(self.deps.db)

    async def jobs(self) -> None:
        """Do every job that is due, until none is left."""
        for _ in range(20):
            ledger = Ledger(self.deps.db, "a worker", {})
            due = await ledger.due(overdue_s=-0.001, limit=100)
            if not due:
                return
            runner = Runner(ledger, self.registry, self.deps, max_jobs=4)
            for each in due:
                while not runner.room.free:
                    await runner.freed(1.0)
                runner.start(each.tenant_id, [each.id], "sweep")
            await runner.drain(PATIENCE_S)
        raise AssertionError("the jobs do not come to an end")

    async def pass_days(self, days: float) -> None:
        """Let time pass at Stripe and here; webhooks arrive, and standings follow."""
        self.sandbox.advance(days * DAY_S)
        await self.work()

    async def buy(self, api: Api, plan: str, seats: int, *, every: str = "month", card: str = VISA, **form: str) -> None:
        """Buy a plan on the page, as a person does."""
        answer = await api.post("/billing/checkout", {"plan": plan, "every": every, "seats": seats})
        assert answer.status == 200, answer.body
        status, location, page = await post(answer.body["url"], card=card, **form)
        assert (status, "bought=yes" in location) == (303, True), page
        await self.work()

    async def rows(self, company: Company, sql: str, *args: Any) -> list[Any]:
        """Rows of the company, by a statement of the test's whose $1 is the tenant."""
        async with tenant_tx(self.server.hub.db, Who.system(company.tenant_id)) as tx:
            return list(await tx.conn.fetch(sql, company.tenant_id, *args))

    async def letters(self, company: Company) -> list[str]:
        """The letters of billing to the owner, by template, in their order."""
        sql = "SELECT template FROM letters WHERE tenant_id = $1 AND to_address LIKE 'owner@%' ORDER BY created_at, id"
        return [row["template"].removeprefix("billing_") for row in await self.rows(company, sql)]

    async def events(self, company: Company) -> list[tuple[str, str]]:
        """The standings that everybody was told of, with the plan."""
        sql = "SELECT frame FROM events WHERE tenant_id = $1 AND type = 'billing.changed' ORDER BY seq"
        return [row["frame"] for row in await self.rows(company, sql)]


async def standing(api: Api) -> tuple[str, str]:
    """How the company stands, as everybody in it may see."""
    found = (await api.get("/plans")).body["in_force"]
    return found["standing"], found["reason"]
