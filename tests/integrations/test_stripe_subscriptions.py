"""Subscriptions in the Stripe sandbox: what they cost, when, and what becomes of them when nobody pays."""

import pytest
import stripe

from tests.integrations.stripe_kit import DAY_S, START, Shop

_MONTH_S = 31 * DAY_S


async def test_a_subscription_is_paid_at_once_and_again_every_month(shop: Shop) -> None:
    clock = await shop.clock()
    customer = await shop.customer(test_clock=clock)

    subscription = await shop.subscribe(customer.id, expand=["latest_invoice.payments", "customer"])

    assert (subscription.status, subscription.customer.email) == ("active", "ada@example.com")
    first = subscription.latest_invoice
    assert (first.status, first.total, first.billing_reason) == ("paid", 9_000, "subscription_create")
    assert (first.payments.data[0].status, first.payments.data[0].amount_paid) == ("paid", 9_000)
    assert subscription["items"].data[0].current_period_end == START + _MONTH_S

    # The renewal is a draft for an hour.
    await shop.advance(clock, START + _MONTH_S + 60)
    draft = (await shop.v1.invoices.list_async({"subscription": subscription.id})).data[0]
    assert (draft.status, draft.billing_reason, draft.lines.data[0].amount) == ("draft", "subscription_cycle", 9_000)
    await shop.advance(clock, START + _MONTH_S + 3_700)
    assert (await shop.v1.invoices.retrieve_async(draft.id)).status == "paid"


async def test_months_end_on_the_day_they_were_anchored_on(shop: Shop) -> None:
    clock = await shop.clock()
    await shop.advance(clock, START + 30 * DAY_S)
    customer = await shop.customer(test_clock=clock)
    subscription = await shop.subscribe(customer.id)

    # 31 January, 28 February, 31 March.
    ends = [subscription["items"].data[0].current_period_end]
    for _ in range(2):
        await shop.advance(clock, ends[-1] + 1)
        subscription = await shop.v1.subscriptions.retrieve_async(subscription.id)
        ends.append(subscription["items"].data[0].current_period_end)

    assert [(each - START) // DAY_S for each in ends] == [58, 89, 119]


async def test_a_trial_warns_ends_and_is_paid_for(shop: Shop) -> None:
    clock = await shop.clock()
    customer = await shop.customer(test_clock=clock)

    subscription = await shop.subscribe(customer.id, trial_period_days=14)

    assert (subscription.status, subscription.trial_end) == ("trialing", START + 14 * DAY_S)
    await shop.advance(clock, START + 12 * DAY_S)
    assert "customer.subscription.trial_will_end" in shop.kinds(subscription.id)
    await shop.advance(clock, START + 14 * DAY_S + 3_700)
    subscription = await shop.v1.subscriptions.retrieve_async(subscription.id, {"expand": ["latest_invoice"]})
    assert (subscription.status, subscription.latest_invoice.amount_paid) == ("active", 9_000)
    assert subscription.billing_cycle_anchor == START + 14 * DAY_S


@pytest.mark.parametrize(("wanted", "status"), [("cancel", "canceled"), ("pause", "paused"), ("create_invoice", "past_due")])
async def test_a_trial_without_a_card_ends_as_it_was_told_to(shop: Shop, wanted: str, status: str) -> None:
    clock = await shop.clock()
    customer = await shop.customer(card=None, test_clock=clock)
    settings = {"end_behavior": {"missing_payment_method": wanted}}
    subscription = await shop.subscribe(customer.id, trial_period_days=7, trial_settings=settings)

    await shop.advance(clock, START + 8 * DAY_S)

    assert (await shop.v1.subscriptions.retrieve_async(subscription.id)).status == status
    if status == "paused":
        await shop.give_card(customer.id, "pm_card_visa")
        assert (await shop.v1.subscriptions.resume_async(subscription.id)).status == "active"


async def test_more_seats_cost_their_share_by_the_second_and_the_preview_says_so_before(shop: Shop) -> None:
    clock = await shop.clock()
    customer = await shop.customer(test_clock=clock)
    subscription = await shop.subscribe(customer.id)
    item = subscription["items"].data[0].id
    at = START + 10 * DAY_S + 12_345
    await shop.advance(clock, at)
    more = {"items": [{"id": item, "quantity": 5}], "proration_behavior": "always_invoice", "proration_date": at}

    preview = await shop.v1.invoices.create_preview_async({"subscription": subscription.id, "subscription_details": more})
    changed = await shop.v1.subscriptions.update_async(subscription.id, more | {"expand": ["latest_invoice"]})

    left = START + _MONTH_S - at
    credit, debit = -round(9_000 * left / _MONTH_S), round(15_000 * left / _MONTH_S)
    assert [line.amount for line in preview.lines.data] == [credit, debit]
    assert "Unused time on 3 × Pro after 11 Jan 2027" in preview.lines.data[0].description
    assert all(line.parent.subscription_item_details.proration for line in preview.lines.data)
    invoice = changed.latest_invoice
    assert (invoice.status, invoice.total, invoice.billing_reason) == ("paid", preview.total, "subscription_update")
    assert changed["items"].data[0].quantity == 5

    # What was prorated once is the ground of what is prorated next.
    await shop.v1.subscriptions.update_async(subscription.id, more | {"items": [{"id": item, "quantity": 3}]})
    balance = (await shop.v1.customers.retrieve_async(customer.id)).balance
    assert balance == -preview.total


async def test_fewer_seats_wait_as_credit_for_the_next_invoice(shop: Shop) -> None:
    clock = await shop.clock()
    customer = await shop.customer(test_clock=clock)
    subscription = await shop.subscribe(customer.id)
    await shop.advance(clock, START + _MONTH_S // 2)
    item = subscription["items"].data[0].id

    await shop.v1.subscriptions.update_async(subscription.id, {"items": [{"id": item, "quantity": 1}]})
    pending = await shop.v1.invoice_items.list_async({"customer": customer.id, "pending": True})
    preview = await shop.v1.invoices.create_preview_async({"subscription": subscription.id})
    await shop.advance(clock, START + _MONTH_S + 3_700)

    assert sorted(each.amount for each in pending.data) == [-4_500, 1_500]
    paid = (await shop.v1.invoices.list_async({"subscription": subscription.id, "limit": 1})).data[0]
    assert (preview.total, paid.total, paid.status) == (0, 0, "paid")


async def test_from_monthly_to_yearly_a_new_cycle_begins_at_once(shop: Shop) -> None:
    clock = await shop.clock()
    customer = await shop.customer(test_clock=clock)
    subscription = await shop.subscribe(customer.id)
    await shop.advance(clock, START + _MONTH_S // 2)
    item = subscription["items"].data[0].id

    change = {"items": [{"id": item, "price": shop.prices["pro_year"]}], "expand": ["latest_invoice"]}
    changed = await shop.v1.subscriptions.update_async(subscription.id, change)

    assert [line.amount for line in changed.latest_invoice.lines.data] == [-4_500, 90_000]
    assert changed.billing_cycle_anchor == START + _MONTH_S // 2
    assert changed["items"].data[0].current_period_end == START + _MONTH_S // 2 + 365 * DAY_S


async def test_no_proration_where_none_is_wanted(shop: Shop) -> None:
    clock = await shop.clock()
    customer = await shop.customer(test_clock=clock)
    subscription = await shop.subscribe(customer.id)
    await shop.advance(clock, START + DAY_S)
    change = {"items": [{"id": subscription["items"].data[0].id, "quantity": 9}], "proration_behavior": "none"}

    await shop.v1.subscriptions.update_async(subscription.id, change)

    preview = await shop.v1.invoices.create_preview_async({"subscription": subscription.id})
    assert [line.amount for line in preview.lines.data] == [27_000]


async def test_a_failed_change_that_had_to_succeed_has_not_been(shop: Shop) -> None:
    customer = await shop.customer()
    subscription = await shop.subscribe(customer.id)
    await shop.give_card(customer.id, "pm_card_chargeCustomerFail")
    change = {"items": [{"id": subscription["items"].data[0].id, "quantity": 5}], "proration_behavior": "always_invoice"}

    with pytest.raises(stripe.CardError) as refused:
        await shop.v1.subscriptions.update_async(subscription.id, change | {"payment_behavior": "error_if_incomplete"})

    assert refused.value.code == "card_declined"
    unchanged = await shop.v1.subscriptions.retrieve_async(subscription.id)
    assert (unchanged["items"].data[0].quantity, unchanged.status) == (3, "active")


@pytest.mark.parametrize("after", ["cancel", "unpaid", "past_due"])
async def test_what_is_not_paid_is_tried_again_until_the_account_s_rule_applies(shop: Shop, after: str) -> None:
    shop.sandbox.settings.after_retries = after  # type: ignore[assignment]
    clock = await shop.clock()
    customer = await shop.customer(test_clock=clock)
    subscription = await shop.subscribe(customer.id)
    await shop.give_card(customer.id, "pm_card_chargeCustomerFail")

    await shop.advance(clock, START + _MONTH_S + 3_700)

    failing = await shop.v1.subscriptions.retrieve_async(subscription.id, {"expand": ["latest_invoice"]})
    invoice = failing.latest_invoice
    assert (failing.status, invoice.status, invoice.attempt_count) == ("past_due", "open", 1)
    assert invoice.next_payment_attempt == START + _MONTH_S + 3_600 + 3 * DAY_S
    assert (await shop.v1.customers.retrieve_async(customer.id)).delinquent

    await shop.advance(clock, START + _MONTH_S + 20 * DAY_S)
    ended = await shop.v1.subscriptions.retrieve_async(subscription.id, {"expand": ["latest_invoice"]})
    assert ended.status == {"cancel": "canceled"}.get(after, after)
    assert ended.latest_invoice.attempt_count == 4
    assert shop.kinds(invoice.id).count("invoice.payment_failed") == 4
    if after != "cancel":
        await shop.give_card(customer.id, "pm_card_visa")
        assert (await shop.v1.invoices.pay_async(invoice.id)).status == "paid"
        assert (await shop.v1.subscriptions.retrieve_async(subscription.id)).status == "active"
    else:
        assert ended.cancellation_details.reason == "payment_failed"


async def test_a_better_card_ends_the_dunning_at_the_next_attempt(shop: Shop) -> None:
    clock = await shop.clock()
    customer = await shop.customer(test_clock=clock)
    subscription = await shop.subscribe(customer.id)
    await shop.give_card(customer.id, "pm_card_chargeCustomerFail")
    await shop.advance(clock, START + _MONTH_S + 3_700)
    await shop.give_card(customer.id, "pm_card_visa")

    await shop.advance(clock, START + _MONTH_S + 4 * DAY_S)

    assert (await shop.v1.subscriptions.retrieve_async(subscription.id)).status == "active"
    assert not (await shop.v1.customers.retrieve_async(customer.id)).delinquent


async def test_minutes_are_billed_after_the_period_in_which_they_were_used(shop: Shop) -> None:
    clock = await shop.clock()
    customer = await shop.customer(test_clock=clock)
    items = [{"price": shop.prices["pro_month"], "quantity": 1}, {"price": shop.prices["minutes"]}]
    subscription = await shop.v1.subscriptions.create_async({"customer": customer.id, "items": items})
    await shop.advance(clock, START + 5 * DAY_S)
    for number, value in enumerate((100, 35)):
        payload = {"stripe_customer_id": customer.id, "value": str(value)}
        event = {"event_name": "call_minutes", "payload": payload, "identifier": f"call-{number}"}
        await shop.v1.billing.meter_events.create_async(event)
    with pytest.raises(stripe.InvalidRequestError):
        await shop.v1.billing.meter_events.create_async(event)
    too_late = {"timestamp": START - 40 * DAY_S, "identifier": "old"}
    with pytest.raises(stripe.InvalidRequestError, match="past"):
        await shop.v1.billing.meter_events.create_async(event | too_late)

    window = {"customer": customer.id, "start_time": START, "end_time": START + _MONTH_S}
    summary = await shop.v1.billing.meters.event_summaries.list_async(shop.meter, window)
    assert [each.aggregated_value for each in summary.data] == [135.0]
    by_day = await shop.v1.billing.meters.event_summaries.list_async(shop.meter, window | {"value_grouping_window": "day"})
    assert [(each.start_time - START) // DAY_S for each in by_day.data] == [5]

    await shop.advance(clock, START + _MONTH_S + 3_700)
    paid = (await shop.v1.invoices.list_async({"subscription": subscription.id})).data[0]
    # 135 minutes at 1.5 cents are 202.5.
    assert sorted(line.amount for line in paid.lines.data) == [203, 3_000]


async def test_coupons_and_codes_make_it_cheaper_for_as_long_as_they_say(shop: Shop) -> None:
    clock = await shop.clock()
    customer = await shop.customer(test_clock=clock)
    coupon = await shop.v1.coupons.create_async({"percent_off": 25, "duration": "repeating", "duration_in_months": 2})
    code = await shop.v1.promotion_codes.create_async(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "START25", "max_redemptions": 1}
    )

    discounts = [{"promotion_code": code.id}]
    subscription = await shop.subscribe(customer.id, discounts=discounts, expand=["discounts.source.coupon", "latest_invoice"])

    assert subscription.discounts[0].source.coupon.percent_off == 25
    assert subscription.latest_invoice.total == 6_750
    assert subscription.latest_invoice.total_discount_amounts[0].amount == 2_250
    for months, total in ((1, 6_750), (2, 9_000)):
        await shop.advance(clock, START + months * 30 * DAY_S + 3 * DAY_S)
        latest = (await shop.v1.invoices.list_async({"subscription": subscription.id})).data[0]
        assert latest.total == total
    with pytest.raises(stripe.InvalidRequestError, match="redeemed"):
        await shop.subscribe((await shop.customer()).id, discounts=discounts)


async def test_a_credit_gives_back_what_was_really_paid(shop: Shop) -> None:
    clock = await shop.clock()
    customer = await shop.customer(test_clock=clock)
    coupon = await shop.v1.coupons.create_async({"percent_off": 50, "duration": "once"})
    subscription = await shop.subscribe(customer.id, discounts=[{"coupon": coupon.id}])
    await shop.advance(clock, START + _MONTH_S // 2)
    details = {"cancel_now": True, "proration_behavior": "create_prorations"}

    preview = await shop.v1.invoices.create_preview_async({"subscription": subscription.id, "subscription_details": details})
    ended = await shop.v1.subscriptions.cancel_async(subscription.id, {"prorate": True, "invoice_now": True})

    assert preview.total == -2_250
    assert ended.status == "canceled"
    assert (await shop.v1.customers.retrieve_async(customer.id)).balance == -2_250


async def test_cancelling_at_the_end_can_be_taken_back_until_then(shop: Shop) -> None:
    clock = await shop.clock()
    customer = await shop.customer(test_clock=clock)
    subscription = await shop.subscribe(customer.id)

    ending = await shop.v1.subscriptions.update_async(subscription.id, {"cancel_at_period_end": True})
    assert (ending.status, ending.cancel_at) == ("active", START + _MONTH_S)
    back = await shop.v1.subscriptions.update_async(subscription.id, {"cancel_at_period_end": False})
    assert (back.cancel_at, back.canceled_at) == (None, None)
    await shop.v1.subscriptions.update_async(subscription.id, {"cancel_at_period_end": True})
    await shop.advance(clock, START + _MONTH_S + 1)

    assert (await shop.v1.subscriptions.retrieve_async(subscription.id)).status == "canceled"
    assert "customer.subscription.deleted" in shop.kinds(subscription.id)
    with pytest.raises(stripe.InvalidRequestError):
        await shop.v1.subscriptions.update_async(subscription.id, {"cancel_at_period_end": False})


async def test_collection_can_be_paused(shop: Shop) -> None:
    clock = await shop.clock()
    customer = await shop.customer(test_clock=clock)
    subscription = await shop.subscribe(customer.id)
    pause = {"behavior": "void", "resumes_at": START + 40 * DAY_S}
    await shop.v1.subscriptions.update_async(subscription.id, {"pause_collection": pause})

    await shop.advance(clock, START + 45 * DAY_S)

    latest = (await shop.v1.invoices.list_async({"subscription": subscription.id})).data[0]
    subscription = await shop.v1.subscriptions.retrieve_async(subscription.id)
    assert (latest.status, subscription.status, subscription.pause_collection) == ("void", "active", None)


async def test_a_subscription_nobody_pays_for_expires(shop: Shop) -> None:
    clock = await shop.clock()
    customer = await shop.customer(card=None, test_clock=clock)

    secret = ["latest_invoice.confirmation_secret"]
    subscription = await shop.subscribe(customer.id, payment_behavior="default_incomplete", expand=secret)

    assert (subscription.status, subscription.latest_invoice.status) == ("incomplete", "open")
    assert subscription.latest_invoice.confirmation_secret.client_secret.startswith("pi_")
    await shop.advance(clock, START + DAY_S)
    assert (await shop.v1.subscriptions.retrieve_async(subscription.id)).status == "incomplete_expired"


async def test_what_pays_first_can_be_kept_to_pay_again(shop: Shop) -> None:
    customer = await shop.customer(card=None)
    keeps = {"save_default_payment_method": "on_subscription"}
    begun = await shop.subscribe(customer.id, payment_behavior="default_incomplete", payment_settings=keeps)
    card = await shop.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer.id})
    intent = (await shop.v1.payment_intents.list_async({"customer": customer.id})).data[0]

    await shop.v1.payment_intents.confirm_async(intent.id, {"payment_method": card.id})

    paid = await shop.v1.subscriptions.retrieve_async(begun.id)
    assert (begun.status, paid.status, paid.default_payment_method) == ("incomplete", "active", card.id)


async def test_items_come_and_go(shop: Shop) -> None:
    customer = await shop.customer()
    subscription = await shop.subscribe(customer.id)

    item = await shop.v1.subscription_items.create_async({"subscription": subscription.id, "price": shop.prices["minutes"]})
    listed = await shop.v1.subscription_items.list_async({"subscription": subscription.id})
    changed = await shop.v1.subscription_items.update_async(listed.data[-1].id, {"quantity": 4})
    gone = await shop.v1.subscription_items.delete_async(item.id)

    assert len(listed.data) == 2
    assert (changed.quantity, gone.deleted) == (4, True)
    with pytest.raises(stripe.InvalidRequestError, match="at least one"):
        await shop.v1.subscription_items.delete_async(changed.id)


async def test_a_clock_goes_two_intervals_at_most_and_takes_its_customers_with_it(shop: Shop) -> None:
    clock = await shop.clock()
    customer = await shop.customer(test_clock=clock)
    await shop.subscribe(customer.id)

    with pytest.raises(stripe.InvalidRequestError, match="two intervals"):
        await shop.v1.test_helpers.test_clocks.advance_async(clock, {"frozen_time": START + 100 * DAY_S})
    with pytest.raises(stripe.InvalidRequestError):
        await shop.v1.test_helpers.test_clocks.advance_async(clock, {"frozen_time": START})

    await shop.v1.test_helpers.test_clocks.delete_async(clock)
    assert (await shop.v1.customers.retrieve_async(customer.id)).deleted


async def test_those_without_a_clock_live_by_the_sandbox_s_own(shop: Shop) -> None:
    customer = await shop.customer()
    subscription = await shop.subscribe(customer.id)

    shop.sandbox.advance(32 * DAY_S)

    invoices = await shop.v1.invoices.list_async({"subscription": subscription.id})
    assert [each.status for each in invoices.data] == ["paid", "paid"]
