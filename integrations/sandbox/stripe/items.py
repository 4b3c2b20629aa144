"""The items of subscriptions: what they are, what they cost, and which period they are in."""

from typing import Any

from integrations.sandbox.stripe.amounts import amount_of, described
from integrations.sandbox.stripe.catalogue import sold
from integrations.sandbox.stripe.invoices import make_line, of_item
from integrations.sandbox.stripe.metering import usage
from integrations.sandbox.stripe.refusals import invalid, missing
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.world import Work


def items_of(work: Work, subscription: Thing) -> list[Thing]:
    """Return the items of a subscription, oldest first."""
    return list(work.store.owned("subscription_item", subscription["id"]))


def price_of(work: Work, item: Thing) -> Thing:
    """Return what an item is sold at."""
    price = work.store.find(item["price"])
    assert price is not None
    return price


def is_metered(price: Thing) -> bool:
    """Is it paid for afterwards, by what was used?"""
    return bool(price["recurring"]["usage_type"] == "metered")


def make_item(work: Work, subscription: Thing, given: dict[str, Any], param: str, start: int, end: int) -> Thing:
    """Add an item to a subscription. Raises Refusal: it is not for sale like that."""
    if "price" not in given:
        raise missing(f"{param}[price]")
    price = checked_price(work, subscription, given["price"], f"{param}[price]")
    item = work.new("subscription_item", "si", work.now(subscription), subscription=subscription["id"], price=price["id"])
    del item["livemode"]
    item |= {"discounts": [], "tax_rates": [], "metadata": given.get("metadata") or {}, "_billed": None}
    item |= {"current_period_start": start, "current_period_end": end}
    set_quantity(item, price, given, param)
    item["quantity"] = item.get("quantity", 1)
    if is_metered(price):
        del item["quantity"]
    return work.store.add(item, subscription["id"])


def checked_price(work: Work, subscription: Thing, price_id: str, param: str) -> Thing:
    """Return a price that fits a subscription. Raises Refusal: it does not."""
    price = sold(work, price_id, param)
    if price["recurring"] is None:
        raise invalid(
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.", param
        )
    if price["currency"] != subscription["currency"]:
        raise invalid(
            f"The price specified only supports `{price['currency']}`. This doesn't match the expected currency: "
            f"`{subscription['currency']}`.",
            param,
        )
    if any(each["price"] == price_id for each in items_of(work, subscription)):
        raise invalid(
            f"Cannot add multiple subscription items with the same price: {price_id}", param, "subscription_items_duplicate_price"
        )
    return price


def set_quantity(item: Thing, price: Thing, given: dict[str, Any], param: str) -> None:
    """Take over a quantity that is given. Raises Refusal: it is measured, or negative."""
    if "quantity" not in given:
        return
    if is_metered(price):
        raise invalid("You cannot set the quantity for metered plans.", f"{param}[quantity]")
    if given["quantity"] < 0:
        raise invalid("This value must be greater than or equal to 0.", f"{param}[quantity]", "parameter_invalid_integer")
    item["quantity"] = given["quantity"]


def full_line(work: Work, subscription: Thing, item: Thing, *, is_trial: bool = False) -> Thing:
    """Return the line for an item's current period, paid for in advance, and note that it was billed."""
    price, quantity = price_of(work, item), item["quantity"]
    start, end = item["current_period_start"], item["current_period_end"]
    amount = 0 if is_trial else amount_of(price, quantity)
    words = (
        f"Trial period for {described(work, price, quantity).split(' (')[0]}" if is_trial else described(work, price, quantity)
    )
    line = make_line(work, subscription["currency"], amount, words, start, end, **of_item(item, price, quantity))
    line["metadata"] = subscription["metadata"]
    return line


def note_billed(work: Work, invoice: Thing) -> None:
    """Remember of every item for what it was last billed, with the discounts: credits go by that."""
    for line in invoice["_lines"]:
        item = work.store.find(line.get("_item") or "")
        if item is None or line["_is_discounted"] or "quantity" not in item:
            continue
        item["_billed"] = {
            "amount": line["amount"],
            "discounts": line["discount_amounts"],
            "start": line["period"]["start"],
            "end": line["period"]["end"],
            "quantity": line["quantity"],
            "price": item["price"],
            "credited": {"invoice": invoice["id"], "invoice_line_items": [line["id"]]},
        }


def used_line(work: Work, subscription: Thing, item: Thing, start: int, end: int) -> Thing:
    """Return the line for what was used in a period that is over."""
    price = price_of(work, item)
    count = usage(work, price["recurring"]["meter"], subscription["customer"], start, end)
    words = described(work, price, count)
    return make_line(work, subscription["currency"], amount_of(price, count), words, start, end, **of_item(item, price, count))
