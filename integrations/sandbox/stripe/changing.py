"""Subscriptions: how they are changed, and what that costs or gives back; how they are cancelled and resumed."""

from typing import Any

from integrations.sandbox.stripe.asking import merge_metadata
from integrations.sandbox.stripe.collecting import end, finalize_and_collect
from integrations.sandbox.stripe.discounts import redeem
from integrations.sandbox.stripe.invoices import make_invoice, pending_items
from integrations.sandbox.stripe.items import (
    checked_price,
    full_line,
    is_metered,
    items_of,
    make_item,
    note_billed,
    price_of,
    set_quantity,
    used_line,
)
from integrations.sandbox.stripe.periods import next_anchor, period_end
from integrations.sandbox.stripe.prorating import charge_rest, credit_unused
from integrations.sandbox.stripe.refusals import invalid
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.subscribing import checked_trial_end, refuse_unpaid, set_cancelling, set_fields
from integrations.sandbox.stripe.world import Work

_OVER = ("canceled", "incomplete_expired")


def update(work: Work, subscription: Thing, params: dict[str, Any]) -> None:
    """Change a subscription. Raises Refusal: it is over, the change can't be, or its payment fails and had to succeed."""
    if subscription["status"] in _OVER and set(params) - {"metadata", "cancellation_details", "expand"}:
        raise invalid("A canceled subscription can only update its cancellation_details and metadata.")
    if params.get("payment_behavior") == "pending_if_incomplete":
        raise invalid("The sandbox keeps no pending updates.", "payment_behavior")
    set_fields(work, subscription, params)
    set_cancelling(work, subscription, params)
    details = params.get("cancellation_details") or {}
    subscription["cancellation_details"] |= {name: value or None for name, value in details.items()}
    if "pause_collection" in params:
        given = params["pause_collection"]
        subscription["pause_collection"] = {"resumes_at": None} | given if given else None
    if "discounts" in params:
        _replace_discounts(work, subscription, params["discounts"] or [])
    _change_items(work, subscription, params)
    work.changed("customer.subscription.updated", subscription)


def _replace_discounts(work: Work, subscription: Thing, given: list[dict[str, Any]]) -> None:
    customer = work.store.find(subscription["customer"])
    assert customer is not None
    kept = []
    for number, each in enumerate(given):
        discount = redeem(work, each, customer, f"discounts[{number}]", subscription=subscription["id"])
        if discount["id"] not in subscription["discounts"]:
            work.emit("customer.discount.created", discount)
        kept.append(discount["id"])
    for name in set(subscription["discounts"]) - set(kept):
        gone = work.store.find(name)
        if gone is not None:
            work.emit("customer.discount.deleted", gone)
    subscription["discounts"] = kept


def _change_items(work: Work, subscription: Thing, params: dict[str, Any]) -> None:
    now = work.now(subscription)
    at = params.get("proration_date", now)
    behavior = params.get("proration_behavior", "create_prorations")
    before = {each["id"]: (each["price"], each.get("quantity")) for each in items_of(work, subscription)}
    starts = [each["current_period_start"] for each in items_of(work, subscription)]
    if starts and not min(starts) <= at <= max(each["current_period_end"] for each in items_of(work, subscription)):
        raise invalid("The proration date must be within the current period.", "proration_date")
    was_trial = subscription["status"] == "trialing"
    prorates = behavior != "none" and not was_trial
    resets = params.get("billing_cycle_anchor") == "now"
    changed: list[Thing] = []
    for number, each in enumerate(params.get("items") or []):
        item, is_reset = _change_item(work, subscription, each, f"items[{number}]", at, prorates=prorates)
        resets = resets or (is_reset and not was_trial)
        if item is not None and (item["price"], item.get("quantity")) != before.get(item["id"]):
            changed.append(item)
    if not items_of(work, subscription):
        raise invalid("A subscription must have at least one active plan. To cancel a subscription, use its delete.", "items")
    if "trial_end" in params:
        resets = _move_trial(work, subscription, params["trial_end"], now, prorates=prorates) or resets
    if resets:
        _begin_again(work, subscription, now, prorates=behavior != "none" and not was_trial)
    elif prorates:
        for item in changed:
            if not is_metered(price_of(work, item)):
                credit_unused(work, subscription, item, at)
                charge_rest(work, subscription, item, at)
    if resets or (behavior == "always_invoice" and not was_trial):
        _invoice_now(work, subscription, params, takes_lines=resets)


def _change_item(
    work: Work, subscription: Thing, given: dict[str, Any], param: str, at: int, *, prorates: bool
) -> tuple[Thing | None, bool]:
    """Change, add or take away one item; return it, and whether the cycle begins again for it."""
    if "id" not in given:
        first = items_of(work, subscription)[0]
        item = make_item(work, subscription, given, param, first["current_period_start"], first["current_period_end"])
        recurring = price_of(work, item)["recurring"]
        if subscription["status"] != "trialing" and not _is_alike(recurring, price_of(work, first)["recurring"]):
            item |= {
                "current_period_start": at,
                "current_period_end": next_anchor(subscription["billing_cycle_anchor"], recurring, at),
            }
        return item, False
    item = work.get("subscription_item", given["id"], f"{param}[id]")
    if item["subscription"] != subscription["id"]:
        raise invalid(f"No such subscription_item: '{given['id']}'", f"{param}[id]", "resource_missing")
    old_price = price_of(work, item)
    if given.get("deleted"):
        if prorates:
            credit_unused(work, subscription, item, at)
        item["_deleted"] = True
        return None, False
    if "metadata" in given:
        merge_metadata(item, given["metadata"])
    is_reset = False
    if "price" in given and given["price"] != item["price"]:
        price = checked_price(work, subscription, given["price"], f"{param}[price]")
        is_reset = not _is_alike(price["recurring"], old_price["recurring"]) and not is_metered(price)
        item["price"] = price["id"]
        if is_metered(price):
            item.pop("quantity", None)
        else:
            item.setdefault("quantity", 1)
    set_quantity(item, price_of(work, item), given, param)
    return item, is_reset


def _is_alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(one["interval"] == other["interval"] and one["interval_count"] == other["interval_count"])


def _move_trial(work: Work, subscription: Thing, given: Any, now: int, *, prorates: bool) -> bool:
    """End a trial now, or let one last until some moment; return whether a paid period begins."""
    trial_end = checked_trial_end(given, now)
    if trial_end is None:
        if subscription["status"] != "trialing":
            return False
        subscription |= {"trial_end": now, "status": "active"}
        return True
    for item in items_of(work, subscription):
        if prorates:
            credit_unused(work, subscription, item, now)
        item |= {"current_period_start": now, "current_period_end": trial_end}
    subscription |= {"status": "trialing", "trial_end": trial_end, "billing_cycle_anchor": trial_end, "_warned": False}
    subscription["trial_start"] = subscription["trial_start"] or now
    return False


def _begin_again(work: Work, subscription: Thing, now: int, *, prorates: bool) -> None:
    """Let a new cycle begin now, with credit for what was billed of the old one."""
    for item in items_of(work, subscription):
        if prorates:
            credit_unused(work, subscription, item, now)
        item["_used_from"] = item["current_period_start"]
        end_at = period_end(now, price_of(work, item)["recurring"], now)
        item |= {"current_period_start": now, "current_period_end": end_at}
    subscription["billing_cycle_anchor"] = now


def _invoice_now(work: Work, subscription: Thing, params: dict[str, Any], *, takes_lines: bool) -> None:
    customer = work.store.find(subscription["customer"])
    assert customer is not None
    now = work.now(subscription)
    lines = []
    for item in items_of(work, subscription) if takes_lines else []:
        if is_metered(price_of(work, item)):
            lines.append(used_line(work, subscription, item, item.pop("_used_from", now), now))
        else:
            lines.append(full_line(work, subscription, item))
    if not lines and not pending_items(work, customer["id"], subscription["id"]):
        return
    invoice = make_invoice(
        work, customer, lines, reason="subscription_update", subscription=subscription, currency=subscription["currency"]
    )
    note_billed(work, invoice)
    result = finalize_and_collect(work, invoice, off_session=params.get("off_session", False))
    refuse_unpaid(work, invoice, params.get("payment_behavior", "allow_incomplete"), result)


def cancel(work: Work, subscription: Thing, params: dict[str, Any], *, why: str = "cancellation_requested") -> None:
    """End a subscription at once. Raises Refusal: it is over already."""
    if subscription["status"] in _OVER:
        raise invalid(f"No such subscription: '{subscription['id']}'", "id", "resource_missing")
    now = work.now(subscription)
    details = params.get("cancellation_details") or {}
    subscription["cancellation_details"] |= {name: value or None for name, value in details.items()}
    if params.get("prorate") and subscription["status"] != "trialing":
        for item in items_of(work, subscription):
            credit_unused(work, subscription, item, now)
    end(work, subscription, why)
    if params.get("invoice_now"):
        bill_last(work, subscription)


def bill_last(work: Work, subscription: Thing) -> None:
    """Bill what a subscription that is over still owes: what was used, and what waits for an invoice."""
    customer = work.store.find(subscription["customer"])
    assert customer is not None
    now = work.now(subscription)
    lines = [
        used_line(work, subscription, item, item["current_period_start"], now)
        for item in items_of(work, subscription)
        if is_metered(price_of(work, item))
    ]
    lines = [line for line in lines if line["amount"]]
    if lines or pending_items(work, customer["id"], subscription["id"]):
        invoice = make_invoice(
            work, customer, lines, reason="subscription_cycle", subscription=subscription, currency=subscription["currency"]
        )
        finalize_and_collect(work, invoice)


def resume(work: Work, subscription: Thing, params: dict[str, Any]) -> None:
    """Let a paused subscription go on. Raises Refusal: it is not paused."""
    if subscription["status"] != "paused":
        raise invalid("You can only resume a subscription that is `paused`.", "subscription")
    now = work.now(subscription)
    subscription["status"] = "active"
    if params.get("billing_cycle_anchor", "now") == "now" or any(
        each["current_period_end"] <= now for each in items_of(work, subscription)
    ):
        _begin_again(work, subscription, now, prorates=False)
    _invoice_now(work, subscription, params, takes_lines=True)
    work.changed("customer.subscription.updated", subscription)
    work.emit("customer.subscription.resumed", subscription)
