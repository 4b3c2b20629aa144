"""Proration, by the second: https://docs.stripe.com/billing/subscriptions/prorations

As in Stripe's flexible billing mode, a credit is a share of what was really billed for the item, discounts included.
"""

from typing import Any

from integrations.sandbox.stripe.amounts import amount_of, described_part
from integrations.sandbox.stripe.asking import rounded
from integrations.sandbox.stripe.discounts import reduction
from integrations.sandbox.stripe.invoices import make_pending, priced
from integrations.sandbox.stripe.items import price_of
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.world import Work


def credit_unused(work: Work, subscription: Thing, item: Thing, at: int) -> None:
    """Give back, as an item that waits for an invoice, what was billed for the time after `at`."""
    billed = item["_billed"]
    if billed is None or at >= billed["end"]:
        return
    whole, left = billed["end"] - billed["start"], billed["end"] - max(at, billed["start"])
    amount = -rounded(billed["amount"] * left, whole)
    off = [{"amount": -rounded(each["amount"] * left, whole), "discount": each["discount"]} for each in billed["discounts"]]
    price = work.store.find(billed["price"])
    assert price is not None
    words = described_part(work, price, billed["quantity"], at, is_credit=True)
    _pend(work, subscription, item, price, billed["quantity"], amount, off, words, at, billed["end"], billed["credited"])
    item["_billed"] = None


def charge_rest(work: Work, subscription: Thing, item: Thing, at: int) -> None:
    """Bill, as an item that waits for an invoice, what the item costs from `at` to the end of its period."""
    price, quantity = price_of(work, item), item["quantity"]
    start, end = item["current_period_start"], item["current_period_end"]
    amount = rounded(amount_of(price, quantity) * (end - at), end - start)
    off: list[dict[str, Any]] = []
    for name in subscription["discounts"]:
        discount = work.store.find(name)
        assert discount is not None
        coupon = work.store.find(discount["source"]["coupon"])
        # An amount off is taken off once a period, by the invoice that begins it.
        if coupon is not None and coupon["percent_off"] is not None:
            left = amount - sum(each["amount"] for each in off)
            off.append({"amount": reduction(work, discount, [left], subscription["currency"], at)[0], "discount": name})
    words = described_part(work, price, quantity, at, is_credit=False)
    made = _pend(work, subscription, item, price, quantity, amount, off, words, at, end, None)
    item["_billed"] = {
        "amount": amount,
        "discounts": off,
        "start": at,
        "end": end,
        "quantity": quantity,
        "price": price["id"],
        "credited": None if made["invoice"] is None else {"invoice": made["invoice"], "invoice_line_items": []},
    }


def _pend(
    work: Work, subscription: Thing, item: Thing, price: Thing, quantity: int, amount: int, off: list[dict[str, Any]], words: str,
    at: int, end: int, credited: Any,
) -> Thing:  # fmt: skip
    customer = work.store.find(subscription["customer"])
    assert customer is not None
    parent = {"subscription": subscription["id"], "subscription_item": item["id"]}
    if subscription["billing_mode"]["flexible"]["proration_discounts"] == "included":
        amount, off = amount - sum(each["amount"] for each in off), []
    return make_pending(
        work,
        customer,
        subscription["currency"],
        amount,
        words,
        at,
        end,
        proration=True,
        quantity=quantity,
        quantity_decimal=str(quantity),
        pricing=priced(price),
        parent={"type": "subscription_details", "subscription_details": parent},
        discountable=False,
        proration_details={"discount_amounts": off},
        _subscription=subscription["id"],
        _item=item["id"],
        _discount_amounts=off,
        _credited=credited,
    )
