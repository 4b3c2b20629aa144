"""What Stripe calls a company: what the company and its owner are called, unless somebody typed in something else there."""

from __future__ import annotations

from typing import Any

from tests.billing.kit import Bank
from tests.conftest import Company
from workers import billing


async def test_the_customer_is_renamed_with_the_company_and_follows_its_owner(bank: Bank, acme: Company) -> None:
    owner = bank.server.as_member(acme, "owner")
    await bank.open()
    await bank.buy(owner, "pro", 4)
    customer = next(iter(bank.sandbox.world.store.all("customer")))
    assert customer["email"].startswith("owner@")

    # Renamed while Stripe is ill: the job tries again until it is done, and once is enough.
    await owner.patch("/company", {"name": "Acme & Söhne"})
    bank.sandbox.fail("customers.update", "lost", 1)
    await tell(bank)
    assert (customer["name"], customer["metadata"]["company"]) == ("Acme & Söhne", "Acme & Söhne")
    assert customer["metadata"]["tenant_id"].startswith(str(acme.tenant_id))
    told = bank.sandbox.calls["customers.update"]
    await tell(bank)
    assert bank.sandbox.calls["customers.update"] == told, "who is told already is left alone"

    # Another owner: the letters of Stripe go to them.
    heir = acme.members["manager"]
    assert (await owner.post("/company/transfer", {"to_id": str(heir)})).status == 204
    await tell(bank)
    assert customer["email"].startswith("manager@")

    # What the invoices say since somebody typed it in at Stripe is theirs to say.
    assert bank.deps.payments is not None
    customer["name"], customer["email"] = "Acme Holding GmbH", "accounts@acme.test"
    new_owner = bank.server.as_member(acme, "owner", user_id=heir)
    assert (await new_owner.patch("/company", {"name": "Acme Two"})).status == 200
    await tell(bank)
    said = {"name": customer["name"], "email": customer["email"], "company": customer["metadata"]["company"]}
    assert said == {"name": "Acme Holding GmbH", "email": "accounts@acme.test", "company": "Acme Two"}


async def tell(bank: Bank) -> None:
    """Let the duty find whom Stripe must be told of, and the jobs tell it."""
    await billing.tell_provider_of_companies.function(bank.deps)
    await bank.work()


async def test_a_company_that_stripe_does_not_know_is_left_alone(bank: Bank, acme: Company, globex: Company) -> None:
    owner = bank.server.as_member(acme, "owner")
    await bank.open()
    await bank.buy(owner, "pro", 4)
    gone: dict[str, Any] = bank.sandbox.world.store.find(next(iter(bank.sandbox.world.store.all("customer")))["id"]) or {}
    gone["_deleted"] = True
    await owner.patch("/company", {"name": "Acme Three"})
    await bank.server.as_member(globex, "owner").patch("/company", {"name": "Globex Three"})
    await tell(bank)
    sql = "SELECT state FROM jobs WHERE tenant_id = $1 AND kind = 'billing.tell_customer'"
    assert [row["state"] for row in await bank.rows(acme, sql)] == ["done"]
    assert await bank.rows(globex, sql) == [], "it is no customer yet"
