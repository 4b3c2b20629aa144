"""A company's life: it tries, buys, grows, does not pay, pays, leaves and comes back. Time is Stripe's, and passes quickly."""

from __future__ import annotations

from tests.billing.kit import DECLINED_LATER, VISA, Bank, standing
from tests.conftest import Company
from tests.integrations.stripe_kit import post


async def test_a_company_tries_buys_grows_and_shrinks(bank: Bank, acme: Company, globex: Company) -> None:
    owner, rep = bank.server.as_member(acme, "owner"), bank.server.as_member(acme, "rep")
    assert (await rep.get("/plans")).body["in_force"] is None
    await bank.open()

    # The trial has everything, and warns before it ends.
    plans = (await rep.get("/plans")).body
    assert (plans["in_force"]["plan"], plans["in_force"]["standing"]) == ("enterprise", "trial")
    assert all(each["allowed"] for each in plans["features"])
    await bank.pass_days(11.5)
    assert await bank.letters(acme) == ["trial_ending"]

    # Bought during the trial, whose rest stays free; who looks again finds what was bought.
    await bank.buy(owner, "pro", 4, every="month")
    billing = (await owner.get("/billing")).body
    assert (billing["account"]["plan"], billing["account"]["seats"], billing["account"]["card"]) == ("pro", 4, "Visa 4242")
    assert await standing(rep) == ("trial", "")
    again = await owner.post("/billing/checkout", {"plan": "basic", "every": "month", "seats": 4})
    assert (again.status, again.error) == (409, "already_subscribed")
    await bank.pass_days(4)
    assert await standing(rep) == ("active", "")
    [paid] = [each for each in (await owner.get("/billing/invoices")).body["data"] if each["total_minor"]]
    assert (paid["status"], paid["total_minor"]) == ("paid", 4 * 4_900)
    links = (await owner.get(f"/billing/invoices/{paid['id']}/links")).body
    assert links["pdf"].startswith(bank.sandbox.url)

    # More seats and a larger plan: shown before, and billed as shown.
    wanted = {"plan": "enterprise", "every": "month", "seats": 6}
    shown = (await owner.post("/billing/preview", wanted)).body
    assert 0 < shown["due_minor"] == sum(line["amount_minor"] for line in shown["lines"])
    changed = await owner.post("/billing/change", wanted | {"at": shown["at"]})
    assert (changed.status, changed.body["account"]["plan"], changed.body["account"]["seats"]) == (200, "enterprise", 6)
    newest = (await owner.get("/billing/invoices")).body["data"][0]
    assert (newest["paid_minor"], newest["status"]) == (shown["due_minor"], "paid")

    # Fewer seats than people are refused, and so are more than the plan is for.
    few = await owner.post("/billing/preview", wanted | {"seats": 3})
    assert (few.status, few.field("seats")[:34]) == (422, "Your company has 4 active people. ")
    many = await owner.post("/billing/preview", {"plan": "basic", "every": "month", "seats": 11})
    assert (many.status, "up to 10 people" in many.field("seats")) == (422, True)
    shown = (await owner.post("/billing/preview", {"plan": "basic", "every": "month", "seats": 4})).body
    assert shown["total_minor"] < 0 == shown["due_minor"]
    smaller = await owner.post("/billing/change", {"plan": "basic", "every": "month", "seats": 4, "at": shown["at"]})
    assert (smaller.body["account"]["plan"], smaller.body["account"]["balance_minor"]) == ("basic", -shown["total_minor"])

    # Nobody else sees any of it.
    for api in (rep, bank.server.as_member(acme, "manager")):
        assert (await api.get("/billing")).status == 403
    stranger = bank.server.as_member(globex, "owner")
    assert (await stranger.get(f"/billing/invoices/{paid['id']}/links")).status == 404
    assert (await stranger.get("/billing/invoices")).body["data"] == []


async def test_who_does_not_pay_is_warned_may_read_and_is_suspended_and_paying_brings_everything_back(
    bank: Bank, acme: Company, globex: Company
) -> None:
    owner, rep = bank.server.as_member(acme, "owner"), bank.server.as_member(acme, "rep")
    bank.sandbox.settings.after_retries = "past_due"
    await bank.open()
    await bank.buy(owner, "pro", 5, card=DECLINED_LATER)
    await bank.pass_days(15)

    # The grace: everything works.
    assert await standing(rep) == ("grace", "payment_failed")
    contact = await rep.post("/contacts", {"first_name": "Ada"})
    assert contact.status == 201

    # Nothing can be changed any more; everything can be read.
    await bank.pass_days(14)
    assert await standing(rep) == ("read_only", "payment_failed")
    refused = await rep.post("/contacts", {"first_name": "Bob"})
    assert (refused.status, refused.error) == (402, "payment_required")
    assert "only be read, since the last payment failed" in refused.body["message"]
    assert refused.body["details"]["standing"] == "read_only"
    assert (await rep.get(f"/contacts/{contact.body['id']}")).status == 200
    others = bank.server.as_member(globex, "rep")
    assert (await others.post("/contacts", {"first_name": "Eve"})).status == 402  # its trial is over as well
    assert await standing(others) == ("read_only", "trial_over")

    # Only the plan is left.
    await bank.pass_days(31)
    assert await standing(rep) == ("suspended", "payment_failed")
    assert (await rep.get("/contacts")).status == 402
    assert (await owner.get("/billing")).status == 200

    # Paid on the invoice's page: everything is there again.
    open_ones = [each for each in (await owner.get("/billing/invoices")).body["data"] if each["status"] == "open"]
    assert open_ones and all(each["due_minor"] for each in open_ones)
    for each in open_ones:
        page = (await owner.get(f"/billing/invoices/{each['id']}/links")).body["page"]
        assert (await post(page, card=VISA))[0] == 303
    await bank.work()
    assert await standing(rep) == ("active", "")
    assert (await rep.get(f"/contacts/{contact.body['id']}")).body["first_name"] == "Ada"
    assert (await rep.post("/contacts", {"first_name": "Bob"})).status == 201
    assert await bank.letters(acme) == ["payment_failed", "read_only", "suspended", "recovered"]
    assert await bank.letters(globex) == ["trial_over", "suspended"]


async def test_a_plan_is_cancelled_kept_cancelled_again_and_bought_anew(bank: Bank, acme: Company) -> None:
    owner, rep = bank.server.as_member(acme, "owner"), bank.server.as_member(acme, "rep")
    await bank.open()
    await bank.pass_days(15)
    assert await standing(rep) == ("read_only", "trial_over")
    await bank.buy(owner, "basic", 4)
    assert await standing(rep) == ("active", "")

    ends = (await owner.post("/billing/cancel")).body["account"]
    assert ends["cancel_at"] == ends["period_ends_at"]
    assert (await owner.post("/billing/keep")).body["account"]["cancel_at"] is None
    portal = (await owner.post("/billing/portal")).body["url"]
    subscription = next(iter(bank.sandbox.world.store.all("subscription")))["id"]
    assert (await post(f"{portal}?action=cancel", subscription=subscription))[0] == 303
    await bank.work()
    assert (await owner.get("/billing")).body["account"]["cancel_at"] == ends["cancel_at"]
    await bank.pass_days(32)
    assert await standing(rep) == ("read_only", "canceled")
    gone = await owner.post("/billing/cancel")
    assert (gone.status, gone.error) == (409, "not_subscribed")

    await bank.buy(owner, "pro", 4, every="year")
    assert await standing(rep) == ("active", "")
    account = (await owner.get("/billing")).body["account"]
    assert (account["plan"], account["every"]) == ("pro", "year")
    assert await bank.letters(acme) == ["trial_over", "recovered", "plan_ended", "recovered"]
