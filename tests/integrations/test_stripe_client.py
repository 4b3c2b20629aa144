"""The port `Payments` on the unmodified SDK and the sandbox."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
import stripe

from hub.billing.catalogue import CATALOGUE
from integrations.errors import Rejected
from integrations.guard import Guard, RetryPolicy
from integrations.payments import Wanted
from integrations.sandbox.stripe.notifying import signature
from integrations.stripe import StripePayments, StripeWebhook
from tests.integrations.stripe_kit import Shop, post
from tests.patience import PATIENCE_S

SUCCESS, CANCEL = "http://localhost/paid", "http://localhost/not"


@asynccontextmanager
async def selling(shop: Shop) -> AsyncIterator[StripePayments]:
    """The port, on the client whose every word is compared with the specification; it lives by the sandbox's clock."""

    def now() -> datetime:
        return datetime.fromtimestamp(shop.sandbox.world.clock.now(), UTC)

    retry = RetryPolicy(attempts=3, first_wait_s=0.001, longest_wait_s=0.002)
    # The comparison takes place while the guard waits.
    guard = Guard("stripe", "sk_test", None, timeout_s=PATIENCE_S, retry=retry)
    yield StripePayments(shop.client, guard, CATALOGUE, now)


async def buy(shop: Shop, payments: StripePayments, wanted: Wanted, card: str = "4242424242424242") -> str:
    """A customer who has bought something on the page."""
    customer = await payments.make_customer("t1", "Acme", "owner@acme.test")
    url = (await payments.open_checkout(customer, wanted, SUCCESS, CANCEL)).url
    status, location, _ = await post(url, card=card)
    assert (status, location) == (303, SUCCESS)
    return customer


async def test_what_is_sold_is_made_once(shop: Shop) -> None:
    async with selling(shop) as payments, selling(shop) as others:
        await asyncio.gather(payments.stock(), others.stock())
        made = len(list(shop.sandbox.world.store.all("price")))
        await payments.stock()
        async with selling(shop) as late:
            await late.stock()

    assert len(list(shop.sandbox.world.store.all("price"))) == made == 10 + len(shop.prices)


async def test_a_plan_is_bought_looked_at_changed_cancelled_and_kept(shop: Shop) -> None:
    async with selling(shop) as payments:
        customer = await buy(shop, payments, Wanted("pro", "month", 3))
        found = await payments.fetch(customer)
        assert found is not None and found.subscription is not None
        bought = found.subscription
        assert (bought.status, bought.plan, bought.every, bought.seats) == ("active", "pro", "month", 3)
        assert (found.card, found.others, [each.total_minor for each in found.invoices]) == ("Visa 4242", (), [14_700])

        # Half of the month later: what was shown before is what is billed.
        assert bought.period_ends_at is not None
        now = datetime.fromtimestamp(shop.sandbox.world.clock.now(), UTC)
        shop.sandbox.advance((bought.period_ends_at - now).total_seconds() / 2)
        preview = await payments.preview(customer, bought.id, Wanted("enterprise", "month", 5))
        assert 0 < preview.due_minor == preview.total_minor < 5 * 9_900 - 3 * 4_900
        await payments.change(bought.id, Wanted("enterprise", "month", 5), preview.at)
        found = await payments.fetch(customer)
        assert found is not None and found.subscription is not None
        assert (found.subscription.plan, found.subscription.seats) == ("enterprise", 5)
        assert found.invoices[0].paid_minor == preview.due_minor

        # A smaller plan leaves credit; a year begins anew, and what is metered goes along.
        preview = await payments.preview(customer, bought.id, Wanted("basic", "month", 1))
        assert preview.total_minor < 0 == preview.due_minor
        await payments.change(bought.id, Wanted("basic", "month", 1), preview.at)
        found = await payments.fetch(customer)
        assert found is not None and found.balance_minor == -preview.total_minor
        await payments.change(bought.id, Wanted("pro", "year", 4), preview.at)

        await payments.cancel(bought.id)
        found = await payments.fetch(customer)
        assert found is not None and found.subscription is not None
        assert found.subscription.cancel_at == found.subscription.period_ends_at
        await payments.keep(bought.id)
        found = await payments.fetch(customer)
        assert found is not None and found.subscription is not None
        assert (found.subscription.cancel_at, found.subscription.every, found.subscription.seats) == (None, "year", 4)
        links = await payments.links(found.invoices[-1].id)
        assert links.page and links.pdf


async def test_a_card_that_is_declined_changes_nothing(shop: Shop) -> None:
    async with selling(shop) as payments:
        customer = await buy(shop, payments, Wanted("basic", "month", 2))
        found = await payments.fetch(customer)
        assert found is not None and found.subscription is not None
        await shop.give_card(customer, "pm_card_chargeCustomerFail")
        await shop.v1.subscriptions.update_async(found.subscription.id, {"default_payment_method": ""})

        wanted = Wanted("enterprise", "month", 2)
        preview = await payments.preview(customer, found.subscription.id, wanted)
        with pytest.raises(Rejected, match="declined") as refused:
            await payments.change(found.subscription.id, wanted, preview.at)

        assert refused.value.status == 402
        found = await payments.fetch(customer)
        assert found is not None and found.subscription is not None and found.subscription.plan == "basic"


async def test_one_page_at_a_time_sells_and_a_trial_goes_on(shop: Shop) -> None:
    async with selling(shop) as payments:
        customer = await payments.make_customer("t1", "Acme", "owner@acme.test")
        first = await payments.open_checkout(customer, Wanted("pro", "month", 1), SUCCESS, CANCEL)
        ends = datetime.now(UTC).replace(microsecond=0) + timedelta(days=9)
        second = await payments.open_checkout(customer, Wanted("pro", "year", 2), SUCCESS, CANCEL, trial_ends_at=ends)

        assert (await post(first.url, card="4242424242424242"))[0] == 402
        assert (await post(second.url, card="4242424242424242"))[0] == 303

        found = await payments.fetch(customer)
        assert found is not None and found.subscription is not None and found.others == ()
        assert (found.subscription.status, found.subscription.trial_ends_at) == ("trialing", ends)
        assert await payments.fetch("cus_unknown") is None

        await payments.forget(customer)
        await payments.forget("cus_unknown")
        assert await payments.fetch(customer) is None
        assert {each["status"] for each in shop.sandbox.world.store.all("subscription")} == {"canceled"}


async def test_codes_and_usage_are_counted_once_though_answers_are_lost(shop: Shop) -> None:
    async with selling(shop) as payments:
        customer = await buy(shop, payments, Wanted("pro", "month", 1))
        found = await payments.fetch(customer)
        assert found is not None and found.subscription is not None
        coupon = await shop.v1.coupons.create_async({"percent_off": 50, "duration": "forever", "name": "Half"})
        promotion = {"type": "coupon", "coupon": coupon.id}
        await shop.v1.promotion_codes.create_async({"code": "HALF", "promotion": promotion})
        with pytest.raises(Rejected, match="no such code"):
            await payments.redeem(found.subscription.id, "NONE")
        await payments.redeem(found.subscription.id, "HALF")
        found = await payments.fetch(customer)
        assert found is not None and found.subscription is not None and found.subscription.coupon == "Half"

        now = datetime.fromtimestamp(shop.sandbox.world.clock.now(), UTC)
        shop.sandbox.fail("billing.meter_events.create", "lost", 2)
        await payments.report_usage(customer, "call_minutes", 7, "report-1", now)
        await payments.report_usage(customer, "call_minutes", 7, "report-1", now)
        events = list(shop.sandbox.world.store.all("billing.meter_event"))
        assert [each["payload"]["value"] for each in events] == ["7"]

        minute = now.replace(second=0, microsecond=0)
        assert await payments.used(customer, "call_minutes", minute, minute + timedelta(minutes=1)) == 7
        assert await payments.used(customer, "call_minutes", minute - timedelta(minutes=1), minute) == 0
        with pytest.raises(Rejected) as refused:
            await payments.report_usage(customer, "call_minutes", 7, "report-2", now - timedelta(days=36))
        assert refused.value.code == "too_old"


def test_webhooks_are_told_from_forgeries_replays_and_the_future() -> None:
    body = b'{"object":"event","id":"evt_1","type":"invoice.paid","created":1,"data":{"object":{"id":"in_1","customer":"cus_1"}}}'
    now = int(time.time())
    reader = StripeWebhook(["whsec_new", "whsec_old"])

    for secrets in (["whsec_new"], ["whsec_old"], ["whsec_other", "whsec_old"]):
        event = reader.read(body, signature(body, secrets, now))
        assert (event.id, event.kind, event.customer, event.thing) == ("evt_1", "invoice.paid", "cus_1", "in_1")
    for given in (
        "",
        "v1=é",
        f"t={now}",
        signature(body, ["whsec_other"], now),
        signature(body, ["whsec_new"], now - 301),
        signature(body, ["whsec_new"], now + 310),
        signature(body, ["whsec_new"], now) + f",t={now + 1}",
        signature(body + b" ", ["whsec_new"], now),
    ):
        with pytest.raises(PermissionError):
            reader.read(body, given)
    for odd in (b"[]", b"{", b'{"object":"event"}', b'{"object":"event","id":"e","type":"","data":{"object":{}}}'):
        with pytest.raises(ValueError, match="it "):
            reader.read(odd, signature(odd, ["whsec_new"], now))
    with pytest.raises(PermissionError):
        reader.read(b"\xff", signature(b"", ["whsec_new"], now))
    assert stripe.WebhookSignature.EXPECTED_SCHEME == "v1"


async def test_what_was_bought_twice_is_ended_and_given_back_by_the_way_it_was_paid(shop: Shop) -> None:
    async with selling(shop) as payments:
        customer = await buy(shop, payments, Wanted("pro", "month", 2))
        await shop.client.v1.customers.update_async(customer, {"balance": -3_000})
        shop.sandbox.advance(60)
        page = await payments.open_checkout(customer, Wanted("basic", "month", 3), SUCCESS, CANCEL)
        assert (await post(page.url, card="4242424242424242"))[0] == 303
        found = await payments.fetch(customer)
        assert found is not None and found.subscription is not None
        [second] = found.others
        assert (second.plan, second.seats, second.paid_minor, found.balance_minor) == ("basic", 3, 5_700, 0)

        with pytest.raises(Rejected) as refused:
            await payments.end_other(customer, found.subscription.id)
        assert refused.value.code == "the_one_that_counts"
        assert await payments.end_other(customer, second.id) == 5_700

        [refund] = (await shop.client.v1.refunds.list_async({"limit": 3})).data
        assert (refund.amount, refund.reason) == (2_700, "duplicate")
        again = await payments.fetch(customer)
        assert again is not None and again.subscription is not None
        assert (again.others, again.balance_minor, again.subscription.status) == ((), 3_000, "active")
        with pytest.raises(stripe.InvalidRequestError):
            await shop.client.v1.refunds.create_async({"payment_intent": str(refund.payment_intent)})
        with pytest.raises(stripe.InvalidRequestError):
            await shop.client.v1.refunds.create_async({})
