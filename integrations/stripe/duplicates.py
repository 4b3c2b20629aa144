"""Ends what was bought twice.

Only the older subscription ever counted, so that the newer one gave its customer nothing: everything that was paid for it is
given back, by the way it was paid. Every step may be repeated, and the end comes last: who is interrupted begins again.
"""

from __future__ import annotations

from typing import Any

from integrations.errors import Rejected
from integrations.stripe.readings import chosen, credit_spent, subscription_of
from integrations.stripe.wire import Wire

_MOST = 100


async def end_duplicate(v1: Any, wire: Wire, customer: str, subscription: str) -> int:
    """End a subscription that lives besides the one that counts; how much was given back, in minor units. Raises Rejected."""
    of = {"customer": customer, "limit": 20, "status": "all"}
    listed = await wire.read("subscriptions.list", lambda: v1.subscriptions.list_async(of))
    _, others = chosen([each.to_dict() for each in listed.data])
    if subscription not in [each["id"] for each in others]:
        raise Rejected("the_one_that_counts", "This is no second plan: it has ended, or it is the one that counts.", 409)
    asked = {"customer": customer, "subscription": subscription, "limit": _MOST}
    bills = await wire.read("invoices.list", lambda: v1.invoices.list_async(asked))
    returned = 0
    for bill in [each.to_dict() for each in bills.data]:
        assert subscription_of(bill) == subscription
        if bill["status"] == "paid":
            returned += await _refund(v1, wire, bill["id"])
            returned += await _give_credit_back(v1, wire, customer, bill)
        elif bill["status"] in ("open", "uncollectible"):
            await _void(v1, wire, bill["id"])
    # Neither the rest of the period nor what was used is billed: the other subscription counts what is used already.
    ended = {"invoice_now": False, "prorate": False}
    try:
        await wire.write("subscriptions.cancel", lambda options: v1.subscriptions.cancel_async(subscription, ended, options))
    except Rejected as refusal:
        # It has ended, and the answer was lost: Stripe keeps no idempotency keys of what is deleted.
        if refusal.code != "resource_missing":
            raise
    return returned


async def _refund(v1: Any, wire: Wire, invoice: str) -> int:
    asked = {"invoice": invoice, "status": "paid", "limit": _MOST}
    paid = await wire.read("invoice_payments.list", lambda: v1.invoice_payments.list_async(asked))
    returned = 0
    for each in [payment.to_dict() for payment in paid.data]:
        intent = each["payment"].get("payment_intent")
        if not intent:
            continue
        returned += int(each["amount_paid"] or 0)
        try:
            await _refund_intent(v1, wire, intent)
        except Rejected as refusal:
            if refusal.code != "charge_already_refunded":
                raise
    return returned


async def _refund_intent(v1: Any, wire: Wire, intent: str) -> None:
    wanted = {"payment_intent": intent, "reason": "duplicate"}
    await wire.write("refunds.create", lambda options: v1.refunds.create_async(wanted, options), f"ringside-refund-{intent}")


async def _give_credit_back(v1: Any, wire: Wire, customer: str, bill: dict[str, Any]) -> int:
    spent = credit_spent(bill)
    if spent:
        wanted = {"amount": -spent, "currency": bill["currency"], "description": f"Credit of invoice {bill['number']}"}
        await wire.write(
            "customers.balance.create",
            lambda options: v1.customers.balance_transactions.create_async(customer, wanted, options),
            f"ringside-credit-{bill['id']}",
        )
    return spent


async def _void(v1: Any, wire: Wire, invoice: str) -> None:
    await wire.write(
        "invoices.void",
        lambda options: v1.invoices.void_invoice_async(invoice, {}, options),
        f"ringside-void-{invoice}",
    )
