"""Subscriptions: how they begin."""

from typing import Any, Final

from integrations.sandbox.stripe.asking import merge_metadata
from integrations.sandbox.stripe.cards import decline
from integrations.sandbox.stripe.catalogue import sold
from integrations.sandbox.stripe.collecting import Result, end, finalize_and_collect, method_for
from integrations.sandbox.stripe.discounts import redeem
from integrations.sandbox.stripe.invoices import close, finalize, make_invoice, make_pending, pending_items
from integrations.sandbox.stripe.items import full_line, is_metered, items_of, make_item, note_billed, price_of
from integrations.sandbox.stripe.periods import DAY_S, period_end
from integrations.sandbox.stripe.prorating import charge_rest
from integrations.sandbox.stripe.refusals import invalid, missing
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.world import Work

_LONGEST_TRIAL_S: Final = 730 * DAY_S


def subscribe(work: Work, params: dict[str, Any]) -> Thing:
    """Begin a subscription, with its first invoice. Raises Refusal."""
    if not params.get("customer"):
        raise missing("customer")
    customer = work.get("customer", params["customer"], "customer")
    given = params.get("items") or []
    if not given:
        raise missing("items")
    now = work.now(customer)
    subscription = _blank(work, customer, params, now)
    trial_end = _trial_end(params, now)
    anchor = _anchor(params, trial_end, now)
    subscription |= {"billing_cycle_anchor": anchor, "trial_end": trial_end, "trial_start": now if trial_end else None}
    subscription["status"] = "trialing" if trial_end else "incomplete"
    work.store.add(subscription, customer["id"], customer["test_clock"])
    set_fields(work, subscription, params)
    for number, each in enumerate(given):
        item = make_item(work, subscription, each, f"items[{number}]", now, now)
        recurring = price_of(work, item)["recurring"]
        item["current_period_end"] = trial_end or (anchor if anchor > now else period_end(now, recurring, now))
        if not trial_end and anchor > now:
            item["current_period_end"] = min(anchor, period_end(now, recurring, now))
    for number, each in enumerate(params.get("discounts") or []):
        discount = redeem(work, each, customer, f"discounts[{number}]", subscription=subscription["id"])
        subscription["discounts"].append(discount["id"])
        work.emit("customer.discount.created", discount)
    _add_once(work, customer, subscription, params.get("add_invoice_items") or [])
    set_cancelling(work, subscription, params)
    work.emit("customer.subscription.created", subscription)
    _bill_first(work, customer, subscription, params, is_partial=not trial_end and anchor > now)
    return subscription


def _blank(work: Work, customer: Thing, params: dict[str, Any], now: int) -> Thing:
    if not params["items"][0].get("price"):
        raise missing("items[0][price]")
    currency = sold(work, params["items"][0]["price"], "items[0][price]")["currency"]
    if customer["currency"] not in (None, currency):
        raise invalid(
            "You cannot combine currencies on a single customer. This customer has an active subscription, subscription "
            f"schedule, discount, quote, or invoice item with currency {customer['currency']}.",
            "items[0][price]",
        )
    mode = params.get("billing_mode") or {"type": "flexible"}
    if mode["type"] != "flexible":
        raise invalid("The sandbox bills in the flexible mode only.", "billing_mode[type]")
    subscription = work.new(
        "subscription", "sub", now, customer=customer["id"], currency=currency, test_clock=customer["test_clock"]
    )
    return subscription | {
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_mode": {"type": "flexible", "flexible": {"proration_discounts": "included"} | mode.get("flexible", {})},
        "billing_schedules": [],
        "cancel_at_period_end": False,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "default_tax_rates": [],
        "discounts": [],
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "metadata": {},
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "start_date": now,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "_warned": False,
    }


def _trial_end(params: dict[str, Any], now: int) -> int | None:
    given, days = params.get("trial_end"), params.get("trial_period_days")
    if given is not None and days is not None:
        raise invalid("Only one of `trial_end` and `trial_period_days` may be given.", "trial_end")
    if days is not None:
        if not 1 <= days <= 730:
            raise invalid("The trial must last from 1 to 730 days.", "trial_period_days")
        return now + int(days) * DAY_S
    return checked_trial_end(given, now)


def checked_trial_end(given: Any, now: int) -> int | None:
    """Return when a trial is to end, None for at once. Raises Refusal: it lies behind us, or too far ahead."""
    if given in (None, "now"):
        return None
    if given <= now or given > now + _LONGEST_TRIAL_S:
        raise invalid("Invalid timestamp: must be an integer Unix timestamp in the future, at most two years.", "trial_end")
    return int(given)


def _anchor(params: dict[str, Any], trial_end: int | None, now: int) -> int:
    given = params.get("billing_cycle_anchor")
    # A preview may say it in words.
    if given in (None, "now", "unchanged"):
        return trial_end or now
    if trial_end is not None:
        raise invalid("The sandbox does not move the anchor of a trial.", "billing_cycle_anchor")
    if given <= now:
        raise invalid("The billing cycle anchor must be in the future.", "billing_cycle_anchor")
    return int(given)


def set_fields(work: Work, subscription: Thing, params: dict[str, Any]) -> None:
    """Take over what is simply kept. Raises Refusal."""
    for name in ("collection_method", "days_until_due", "description"):
        if name in params:
            subscription[name] = params[name] if params[name] != "" else None
    if subscription["collection_method"] == "send_invoice" and subscription["days_until_due"] is None:
        raise missing("days_until_due")
    if "default_payment_method" in params:
        subscription["default_payment_method"] = _own_method(work, subscription, params["default_payment_method"])
    for name in ("payment_settings", "trial_settings", "invoice_settings"):
        if name in params:
            given = {key: value if value != "" else None for key, value in params[name].items()}
            subscription[name] = (subscription[name] or {}) | given
    if params.get("automatic_tax", {}).get("enabled"):
        raise invalid("The sandbox computes no tax.", "automatic_tax[enabled]")
    merge_metadata(subscription, params.get("metadata"))


def _own_method(work: Work, subscription: Thing, name: str) -> str | None:
    if name == "":
        return None
    method = work.get("payment_method", name, "default_payment_method")
    if method["customer"] != subscription["customer"]:
        raise invalid(
            f"The customer does not have a payment method with the ID {name}. "
            "The payment method must be attached to the customer.",
            "default_payment_method",
            "resource_missing",
        )
    return name


def set_cancelling(work: Work, subscription: Thing, params: dict[str, Any]) -> None:
    """Say when a subscription is to be over, or take that back. Raises Refusal."""
    if "cancel_at_period_end" in params and params.get("cancel_at"):
        raise invalid("You may only set one of `cancel_at_period_end` and `cancel_at`.", "cancel_at_period_end")
    now = work.now(subscription)
    ends = [each["current_period_end"] for each in items_of(work, subscription)]
    if "cancel_at" in params:
        wanted = params["cancel_at"] or None
        named = {"min_period_end": min(ends), "max_period_end": max(ends), "max_billed_until": max(ends)}
        moment = named.get(wanted, wanted) if isinstance(wanted, str) else wanted
        if moment is not None and moment <= now:
            raise invalid("The cancellation must be in the future.", "cancel_at")
        subscription |= {"cancel_at": moment, "cancel_at_period_end": False}
    elif "cancel_at_period_end" in params:
        ends_then = params["cancel_at_period_end"]
        if ends_then == subscription["cancel_at_period_end"] and not (subscription["cancel_at"] and not ends_then):
            return
        subscription |= {"cancel_at": max(ends) if ends_then else None, "cancel_at_period_end": ends_then}
    else:
        return
    is_ending = subscription["cancel_at"] is not None
    subscription["canceled_at"] = now if is_ending else None
    subscription["cancellation_details"]["reason"] = "cancellation_requested" if is_ending else None


def _add_once(work: Work, customer: Thing, subscription: Thing, given: list[dict[str, Any]]) -> None:
    for number, each in enumerate(given):
        price = sold(work, each.get("price"), f"add_invoice_items[{number}][price]")
        if price["recurring"] is not None or price["unit_amount"] is None:
            raise invalid("The price must be for once.", f"add_invoice_items[{number}][price]")
        quantity, now = each.get("quantity", 1), work.now(customer)
        product = work.store.find(price["product"])
        assert product is not None
        make_pending(
            work, customer, price["currency"], price["unit_amount"] * quantity, product["name"], now, now, quantity=quantity,
            quantity_decimal=str(quantity), _subscription=subscription["id"],
            pricing={
                "type": "price_details",
                "price_details": {"price": price["id"], "product": price["product"]},
                "unit_amount_decimal": price["unit_amount_decimal"],
            },
        )  # fmt: skip


def _bill_first(work: Work, customer: Thing, subscription: Thing, params: dict[str, Any], *, is_partial: bool) -> None:
    is_trial = subscription["status"] == "trialing"
    lines = []
    for item in items_of(work, subscription):
        if is_metered(price_of(work, item)):
            continue
        if not is_partial:
            lines.append(full_line(work, subscription, item, is_trial=is_trial))
        elif params.get("proration_behavior") != "none":
            # The time until the anchor is a share of the period that would have ended there.
            end_at, recurring = item["current_period_end"], price_of(work, item)["recurring"]
            start = item["current_period_start"]
            item["current_period_start"] = end_at - (period_end(start, recurring, start) - start)
            charge_rest(work, subscription, item, start)
            item["current_period_start"] = start
    if not lines and not pending_items(work, customer["id"], subscription["id"]):
        subscription["status"] = "active"
        work.changed("customer.subscription.updated", subscription)
        return
    invoice = make_invoice(
        work, customer, lines, reason="subscription_create", subscription=subscription, currency=subscription["currency"]
    )
    if not is_trial:
        note_billed(work, invoice)
    behavior = params.get("payment_behavior", "allow_incomplete")
    if behavior == "pending_if_incomplete":
        raise invalid("`pending_if_incomplete` is for updates only.", "payment_behavior")
    if work.is_rehearsal:
        return
    begin_collecting(work, subscription, invoice, behavior, off_session=params.get("off_session", False))


def begin_collecting(work: Work, subscription: Thing, invoice: Thing, behavior: str, *, off_session: bool) -> None:
    """Collect a subscription's first invoice as `payment_behavior` says. Raises Refusal: there is no card, or it is declined."""
    if invoice["amount_due"] == 0 or subscription["collection_method"] == "send_invoice":
        if subscription["status"] == "incomplete":
            subscription["status"] = "active"
        finalize_and_collect(work, invoice)
        work.changed("customer.subscription.updated", subscription)
        return
    if behavior == "default_incomplete":
        invoice["auto_advance"] = False
        finalize(work, invoice)
        return
    if method_for(work, invoice) is None:
        raise invalid(
            "This customer has no attached payment source or default payment method. Please consider adding a default payment "
            "method. For more information, visit https://stripe.com/docs/billing/subscriptions/payment-methods-setting.",
            code="resource_missing",
        )
    result = finalize_and_collect(work, invoice, off_session=off_session)
    refuse_unpaid(work, invoice, behavior, result)


def refuse_unpaid(work: Work, invoice: Thing, behavior: str, result: Result) -> None:
    """Raise Refusal where `error_if_incomplete` asks for that; nothing will have been done then."""
    if behavior != "error_if_incomplete" or result in ("paid", "waits"):
        return
    intent = work.store.find(invoice["_intent"])
    assert intent is not None
    error = (intent["last_payment_error"] or {}).get("decline_code", "authentication_required")
    refusal = decline(error if error != "card_declined" else "generic_decline")
    refusal.keeps = False
    raise refusal


def expire_incomplete(work: Work, subscription: Thing) -> None:
    """Nobody has paid the first invoice within 23 hours."""
    invoice = work.store.find(subscription["latest_invoice"])
    if invoice is not None and invoice["status"] == "open":
        close(work, invoice, "void")
    end(work, subscription, "", status="incomplete_expired")
