"""Refunds of what was paid by card: https://docs.stripe.com/refunds"""

from typing import Final

from integrations.sandbox.stripe.asking import Ask, Handler, merge_metadata
from integrations.sandbox.stripe.payments import listing
from integrations.sandbox.stripe.refusals import invalid, missing
from integrations.sandbox.stripe.store import Thing


def _create(ask: Ask) -> Thing:
    work, params = ask.work, ask.params
    if "payment_intent" in params:
        intent = work.get("payment_intent", params["payment_intent"], "payment_intent")
        if intent["status"] != "succeeded":
            raise invalid("This PaymentIntent does not have a successful charge to refund.", "payment_intent")
        charge = work.get("charge", intent["latest_charge"], "charge")
    elif "charge" in params:
        charge = work.get("charge", params["charge"], "charge")
    else:
        raise missing("charge")
    left = charge["amount_captured"] - charge["amount_refunded"]
    if not left:
        raise invalid(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount = params.get("amount", left)
    if not 0 < amount <= left:
        raise invalid(f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left}).", "amount")
    refund = work.new("refund", "re", work.now(charge), amount=amount, charge=charge["id"], currency=charge["currency"])
    refund |= {"payment_intent": charge["payment_intent"], "reason": params.get("reason"), "status": "succeeded", "metadata": {}}
    del refund["livemode"]
    merge_metadata(refund, params.get("metadata"))
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    work.store.add(refund, charge["id"])
    work.emit("refund.created", refund)
    work.changed("charge.refunded", charge)
    return refund


HANDLERS: Final[dict[str, Handler]] = {
    "refunds.create": _create,
    "refunds.retrieve": lambda ask: ask.named("refund", "refund"),
    "refunds.list": listing("refund", charge="charge", payment_intent="payment_intent"),
}
