"""Two windows, two purchases: there is one page to buy on, and what was bought twice all the same is ended and given back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from integrations.payments import CheckoutPage, Wanted
from integrations.sandbox.stripe.store import Thing
from integrations.stripe import StripePayments
from tests.billing.kit import VISA, Bank, standing
from tests.conftest import Company
from tests.integrations.stripe_kit import post
from tests.patience import PATIENCE_S
from workers import billing

WANTED = {"plan": "pro", "every": "month", "seats": 4}


def things(bank: Bank, kind: str, **fields: object) -> list[Thing]:
    """What Stripe has of a kind."""
    found = bank.sandbox.world.store.all(kind)
    return [each for each in found if all(each[name] == value for name, value in fields.items())]


async def test_there_is_one_page_to_buy_on_whatever_many_windows_ask(
    bank: Bank, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = bank.server.as_member(acme, "owner")
    await bank.open()
    await owner.post("/billing/portal")  # the customer is made
    pages = [answer.body["url"] for answer in await asyncio.gather(*(owner.post("/billing/checkout", WANTED) for _ in range(4)))]
    assert len(set(pages)) == 4
    [opened] = things(bank, "checkout.session", status="open")
    paid = [(await post(page, card=VISA))[0] for page in pages]
    assert sorted(paid) == [303, 402, 402, 402]
    assert opened["status"] == "complete"

    # Nothing has told of the purchase yet, and still no second one is begun.
    again = await owner.post("/billing/checkout", WANTED)
    assert (again.status, again.error) == (409, "already_subscribed")
    assert len(things(bank, "subscription")) == 1

    # A page that was paid for while another window asked for one: the one that came too late is closed.
    await bank.work()
    await owner.post("/billing/cancel")
    await bank.pass_days(60)
    first = (await owner.post("/billing/checkout", WANTED)).body["url"]
    opened_late, paid_first = asyncio.Event(), asyncio.Event()
    open_checkout = StripePayments.open_checkout

    async def held(*given: Any, **more: Any) -> CheckoutPage:
        page = await open_checkout(*given, **more)
        opened_late.set()
        await paid_first.wait()
        return page

    monkeypatch.setattr(StripePayments, "open_checkout", held)
    late = asyncio.create_task(owner.post("/billing/checkout", WANTED))

    # As if the first one were opened only now, after the second has looked for such pages, and were paid on at once.
    await asyncio.wait_for(opened_late.wait(), PATIENCE_S)
    [before] = [each for each in things(bank, "checkout.session", status="expired") if each["id"] in first]
    before["status"], before["url"] = "open", first
    assert (await post(first, card=VISA))[0] == 303
    paid_first.set()
    answer = await late
    assert (answer.status, answer.error) == (409, "already_subscribed")
    assert things(bank, "checkout.session", status="open") == []
    assert len(things(bank, "subscription", status="active")) == 1


async def test_a_second_plan_is_told_of_ended_and_all_that_was_paid_for_it_given_back(
    bank: Bank, acme: Company, globex: Company
) -> None:
    owner = bank.server.as_member(acme, "owner")
    await bank.open()
    await bank.pass_days(15)
    await bank.buy(owner, "pro", 5)
    payments, customer = bank.deps.payments, things(bank, "customer")[0]["id"]
    assert payments is not None
    bank.sandbox.advance(60)
    page = await payments.open_checkout(customer, Wanted("basic", "month", 6), "https://a.test", "https://a.test")
    assert (await post(page.url, card=VISA))[0] == 303
    await bank.work()

    # Everybody who can pay is told, in words and where the plan is; each night does not say it again.
    for _ in range(2):
        await billing.compare_accounts.function(bank.deps)
        bank.sandbox.advance(24 * 3600)
        await bank.work()
    found = (await owner.get("/billing")).body
    [second] = found["account"]["others"]
    told = {name: second[name] for name in ("plan", "seats", "status", "paid_minor", "currency")}
    assert told == {"plan": "basic", "seats": 6, "status": "active", "paid_minor": 6 * 1_900, "currency": "usd"}
    assert (found["account"]["plan"], found["account"]["seats"]) == ("pro", 5)
    assert [each["field"] for each in found["differences"]] == ["other_subscriptions"]
    assert (await bank.letters(acme)).count("second_plan") == 1

    end = {"id": second["id"]}
    for api, status in ((bank.server.as_member(globex, "owner"), 404), (bank.server.as_member(acme, "rep"), 403)):
        assert (await api.post("/billing/others/end", end)).status == status
    [kept] = [each["id"] for each in things(bank, "subscription", status="active") if each["id"] != second["id"]]
    assert (await owner.post("/billing/others/end", {"id": kept})).status == 404
    for operation in ("refunds.create", "subscriptions.cancel"):
        bank.sandbox.fail(operation, "lost", 1)
    ended = await owner.post("/billing/others/end", end)
    assert (ended.status, ended.body) == (200, {"returned_minor": 11_400, "currency": "usd"})

    assert [(each["amount"], each["reason"]) for each in things(bank, "refund")] == [(11_400, "duplicate")]
    assert [each["status"] for each in things(bank, "subscription") if each["id"] == second["id"]] == ["canceled"]
    await bank.work()
    account = (await owner.get("/billing")).body["account"]
    assert (account["others"], account["plan"], account["status"]) == ([], "pro", "active")
    assert await standing(owner) == ("active", "")
    assert (await owner.post("/billing/others/end", end)).error == "second_plan_not_found"
    trail = (await owner.get("/audit", action="plan.second_ended")).body["data"]
    assert [each["details"]["returned_minor"] for each in trail] == [11_400]
