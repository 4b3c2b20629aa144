"""The pages of the Stripe sandbox: people pay, change their card, and leave."""

import pytest
import stripe

from tests.integrations.stripe_kit import DAY_S, Shop, fetch, post

_DECLINED, _ASKS, _GOOD = "4000000000000002", "4000002760003184", "4242424242424242"


async def _checkout(shop: Shop, **fields: object) -> stripe.checkout.Session:
    lines = [{"price": shop.prices["pro_month"], "quantity": 2}, {"price": shop.prices["minutes"]}]
    usual = {
        "mode": "subscription",
        "line_items": lines,
        "success_url": "https://app.example.com/done?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://app.example.com/plans",
    }
    session: stripe.checkout.Session = await shop.v1.checkout.sessions.create_async(usual | fields)
    return session


async def test_somebody_pays_and_is_sent_where_the_shop_wants(shop: Shop) -> None:
    customer = await shop.customer(card=None)
    session = await _checkout(
        shop, customer=customer.id, client_reference_id="tenant-1", subscription_data={"metadata": {"tenant": "1"}}
    )
    assert session.url is not None
    status, page = await fetch(session.url)
    assert (status, b"$60.00" in page) == (200, True)

    status, target, page_again = await post(session.url, card=_DECLINED)
    assert (status, "declined" in page_again) == (402, True)
    status, target, _ = await post(session.url, card=_GOOD)

    assert (status, target) == (303, f"https://app.example.com/done?session={session.id}")
    paid = await shop.v1.checkout.sessions.retrieve_async(session.id, {"expand": ["subscription", "line_items", "invoice"]})
    assert (paid.status, paid.payment_status, paid.client_reference_id) == ("complete", "paid", "tenant-1")
    assert (paid.subscription.status, paid.subscription.metadata["tenant"]) == ("active", "1")
    assert (paid.invoice.total, len(paid.line_items.data)) == (6_000, 2)
    assert shop.kinds()[-1] == "checkout.session.completed"
    assert (await post(session.url, card=_GOOD))[0] == 402


async def test_a_trial_costs_nothing_yet_and_a_code_makes_it_cheaper(shop: Shop) -> None:
    coupon = await shop.v1.coupons.create_async({"percent_off": 10, "duration": "forever"})
    await shop.v1.promotion_codes.create_async({"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "TEN"})
    session = await _checkout(shop, subscription_data={"trial_period_days": 14}, allow_promotion_codes=True)
    assert session.url is not None

    assert (await post(session.url, email="ada@example.com", promotion_code="nope"))[0] == 402
    status, _, _ = await post(session.url, email="ada@example.com", promotion_code="ten")

    done = await shop.v1.checkout.sessions.retrieve_async(session.id, {"expand": ["subscription", "customer"]})
    assert (status, done.payment_status, done.subscription.status) == (303, "no_payment_required", "trialing")
    assert (done.customer.email, len(done.subscription.discounts)) == ("ada@example.com", 1)
    shop.sandbox.advance(15 * DAY_S)
    latest = (await shop.v1.invoices.list_async({"subscription": done.subscription.id})).data[0]
    assert (latest.status, latest.total) == ("paid", 5_400)


async def test_the_bank_asks(shop: Shop) -> None:
    customer = await shop.customer(card=None)
    session = await _checkout(shop, customer=customer.id)
    assert session.url is not None

    status, _, page = await post(session.url, card=_ASKS)
    assert (status, "Your bank asks" in page) == (402, True)
    assert (await post(session.url, card=_ASKS, authenticated="1"))[0] == 303

    # Nobody is there to answer when the next month begins.
    shop.sandbox.advance(32 * DAY_S)
    done = await shop.v1.checkout.sessions.retrieve_async(session.id, {"expand": ["subscription.latest_invoice"]})
    assert done.subscription.status == "past_due"
    assert "invoice.payment_action_required" in shop.kinds(done.subscription.latest_invoice.id)
    invoice = done.subscription.latest_invoice
    with pytest.raises(stripe.CardError) as refused:
        await shop.v1.invoices.pay_async(invoice.id, {"off_session": False})
    assert refused.value.code == "invoice_payment_intent_requires_action"
    intents = await shop.v1.payment_intents.list_async({"customer": customer.id})
    assert intents.data[0].status == "requires_action"
    status, _, _ = await post(f"{shop.sandbox.url}/pay/authenticate/{intents.data[0].id}", answer="yes")
    assert (status, (await shop.v1.invoices.retrieve_async(invoice.id)).status) == (200, "paid")


async def test_checkouts_expire(shop: Shop) -> None:
    session, other = await _checkout(shop), await _checkout(shop)
    await shop.v1.checkout.sessions.expire_async(other.id)

    shop.sandbox.advance(DAY_S + 60)

    assert (await shop.v1.checkout.sessions.retrieve_async(session.id)).status == "expired"
    assert shop.kinds().count("checkout.session.expired") == 2
    with pytest.raises(stripe.InvalidRequestError):
        await shop.v1.checkout.sessions.expire_async(session.id)


async def test_the_portal_changes_the_card_and_cancels(shop: Shop) -> None:
    customer = await shop.customer()
    subscription = await shop.subscribe(customer.id)
    portal = await shop.v1.billing_portal.sessions.create_async(
        {"customer": customer.id, "return_url": "https://app.example.com/"}
    )
    status, page = await fetch(portal.url)
    assert (status, b"Pro" in page, b"Invoices" in page) == (200, True, True)

    assert (await post(f"{portal.url}?action=card", card="5555555555554444"))[0] == 303
    assert (await post(f"{portal.url}?action=cancel", subscription=subscription.id, feedback="too_expensive"))[0] == 303

    usual = (await shop.v1.customers.retrieve_async(customer.id)).invoice_settings.default_payment_method
    assert (await shop.v1.payment_methods.retrieve_async(usual)).card.brand == "mastercard"
    ending = await shop.v1.subscriptions.retrieve_async(subscription.id)
    # As in Stripe's flexible billing mode: the moment is set, the switch is not.
    assert (ending.cancel_at_period_end, ending.cancel_at) == (False, ending["items"].data[0].current_period_end)
    assert ending.cancellation_details.feedback == "too_expensive"
    assert (await post(f"{portal.url}?action=keep", subscription=subscription.id))[0] == 303
    assert (await shop.v1.subscriptions.retrieve_async(subscription.id)).cancel_at is None
    assert (await post(f"{portal.url}?action=quantity", subscription=subscription.id, quantity="9"))[0] == 402


async def test_an_invoice_is_seen_fetched_and_paid_on_its_page(shop: Shop) -> None:
    customer = await shop.customer()
    subscription = await shop.subscribe(customer.id)
    await shop.give_card(customer.id, "pm_card_chargeCustomerFail")
    shop.sandbox.advance(32 * DAY_S)
    invoice = (await shop.v1.invoices.list_async({"subscription": subscription.id, "status": "open"})).data[0]

    status, pdf = await fetch(invoice.invoice_pdf)
    assert (status, pdf[:5]) == (200, b"%PDF-")
    assert (await post(invoice.hosted_invoice_url, card=_DECLINED))[0] == 402
    assert (await post(invoice.hosted_invoice_url, card=_GOOD))[0] == 303

    assert (await shop.v1.invoices.retrieve_async(invoice.id)).status == "paid"
    assert (await shop.v1.subscriptions.retrieve_async(subscription.id)).status == "active"
    assert (await fetch(f"{shop.sandbox.url}/pay/invoice/nothing"))[0] == 404


async def test_a_configured_portal_lets_people_change_their_seats(shop: Shop) -> None:
    customer = await shop.customer()
    subscription = await shop.subscribe(customer.id)
    update = {"enabled": True, "default_allowed_updates": ["quantity"], "proration_behavior": "always_invoice", "products": ""}
    configuration = await shop.v1.billing_portal.configurations.create_async({"features": {"subscription_update": update}})
    asked = {"customer": customer.id, "configuration": configuration.id}
    portal = await shop.v1.billing_portal.sessions.create_async(asked)

    assert (await post(f"{portal.url}?action=quantity", subscription=subscription.id, quantity="9"))[0] == 303

    changed = await shop.v1.subscriptions.retrieve_async(subscription.id)
    assert changed["items"].data[0].quantity == 9
