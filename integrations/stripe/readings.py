"""What Stripe answers, as the port's values; its objects are read as plain mappings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from integrations.payments import Invoice, Other, Subscription

Thing = Mapping[str, Any]

# What a price is for is written on the price itself, so that an operator may change prices and keep the plans.
PLAN: Final = "ringside_plan"
METER: Final = "ringside_meter"
_LIVE: Final = ("trialing", "active", "past_due", "unpaid", "paused")


def moment(seconds: int | None) -> datetime | None:
    """Unix seconds as a time."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def items_of(subscription: Thing) -> list[Thing]:
    """What a subscription is made of."""
    return list(subscription["items"]["data"])


def seat_item(subscription: Thing) -> Thing | None:
    """The item that is for seats; None for a subscription that somebody made by hand out of other prices."""
    return next((each for each in items_of(subscription) if (each["price"].get("metadata") or {}).get(PLAN)), None)


def chosen(subscriptions: Iterable[Thing]) -> tuple[Thing | None, tuple[Thing, ...]]:
    """Which subscription of a customer counts, and those that live besides it.

    The oldest that lives: what was bought a second time by mistake is the later one. Without any, the one that ended last.
    """
    found = sorted(subscriptions, key=lambda each: (each["created"], each["id"]))
    live = [each for each in found if each["status"] in _LIVE]
    if live:
        return live[0], tuple(live[1:])
    over = [each for each in found if each["status"] == "canceled"]
    return (max(over, key=lambda each: each["ended_at"] or 0) if over else None), ()


def read_subscription(given: Thing, invoices: Iterable[Thing]) -> Subscription:
    """A subscription. Its periods are on its items; what is unpaid is told by its invoices."""
    item = seat_item(given)
    price = item["price"] if item else items_of(given)[0]["price"]
    quantity = (item or items_of(given)[0]).get("quantity") or 1
    cancelling = given.get("cancellation_details") or {}
    return Subscription(
        id=given["id"],
        status=given["status"],
        plan=(price.get("metadata") or {}).get(PLAN, ""),
        every=(price.get("recurring") or {}).get("interval", "month"),
        seats=quantity,
        period_starts_at=moment((item or items_of(given)[0]).get("current_period_start")),
        period_ends_at=moment((item or items_of(given)[0]).get("current_period_end")),
        trial_ends_at=moment(given.get("trial_end")),
        # The portal sets the moment, and leaves cancel_at_period_end false.
        cancel_at=moment(given.get("cancel_at")),
        ended_at=moment(given.get("ended_at")),
        unpaid_since=_unpaid_since(given["id"], invoices),
        reason=cancelling.get("reason") or "",
        coupon=_coupon(given),
    )


def read_other(given: Thing, invoices: Iterable[Thing]) -> Other:
    """A subscription that lives besides the one that counts."""
    item = seat_item(given) or items_of(given)[0]
    bills = [each for each in invoices if subscription_of(each) == given["id"]]
    return Other(
        id=given["id"],
        plan=(item["price"].get("metadata") or {}).get(PLAN, ""),
        every=(item["price"].get("recurring") or {}).get("interval", "month"),
        seats=item.get("quantity") or 1,
        status=given["status"],
        paid_minor=sum(each["amount_paid"] + credit_spent(each) for each in bills),
        currency=given["currency"],
        created_at=_moment(given["created"]),
    )


def subscription_of(invoice: Thing) -> str:
    """The id of the subscription that an invoice is for; empty for none."""
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    return str(details.get("subscription") or "")


def credit_spent(invoice: Thing) -> int:
    """How much of what the customer had with us went into an invoice. Stripe's sign: what is theirs is negative."""
    if invoice["status"] != "paid" or invoice.get("ending_balance") is None:
        return 0
    return max(int(invoice["ending_balance"]) - int(invoice["starting_balance"]), 0)


def _unpaid_since(subscription: str, invoices: Iterable[Thing]) -> datetime | None:
    """When the oldest invoice that is still owed was to be paid."""
    owed = []
    for each in invoices:
        if subscription_of(each) == subscription and each["status"] in ("open", "uncollectible") and each["attempt_count"]:
            owed.append((each.get("status_transitions") or {}).get("finalized_at") or each["created"])
    return moment(min(owed)) if owed else None


def _coupon(subscription: Thing) -> str:
    for each in subscription.get("discounts") or []:
        coupon = (each.get("source") or {}).get("coupon") if isinstance(each, Mapping) else None
        if isinstance(coupon, Mapping):
            return str(coupon.get("name") or coupon.get("id") or "")
        if coupon:
            return str(coupon)
    return ""


def read_invoice(given: Thing) -> Invoice:
    """An invoice."""
    return Invoice(
        id=given["id"],
        number=given.get("number") or "",
        status=given["status"] or "draft",
        total_minor=given["total"],
        due_minor=given["amount_remaining"],
        paid_minor=given["amount_paid"],
        currency=given["currency"],
        period_start=_moment(given["period_start"]),
        period_end=_moment(given["period_end"]),
        attempts=given["attempt_count"],
        next_attempt_at=moment(given.get("next_payment_attempt")),
        created_at=_moment(given["created"]),
    )


def read_card(subscriptions: Iterable[Thing]) -> str:
    """The card of what a customer bought, such as "Visa 4242"; empty where they pay with their usual one, or have none."""
    for each in subscriptions:
        if each["status"] in _LIVE and isinstance(each.get("default_payment_method"), Mapping):
            return card_words(each["default_payment_method"])
    return ""


def card_words(method: Thing) -> str:
    """A payment method in two words; empty for what is no card."""
    card = method.get("card")
    return f"{str(card['brand']).title()} {card['last4']}" if card else ""
