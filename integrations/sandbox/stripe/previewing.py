"""What an invoice would be: the change is made, looked at, and has never been: https://docs.stripe.com/api/invoices/create_preview"""

from typing import Any

from integrations.sandbox.stripe.asking import Ask
from integrations.sandbox.stripe.changing import cancel, update
from integrations.sandbox.stripe.discounts import redeem
from integrations.sandbox.stripe.invoices import make_pending
from integrations.sandbox.stripe.refusals import invalid, missing
from integrations.sandbox.stripe.renewing import renew
from integrations.sandbox.stripe.shapes import shown
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.subscribing import subscribe
from integrations.sandbox.stripe.world import Work, random_text


def preview(ask: Ask) -> dict[str, Any]:
    """Return the invoice that would come next, or at once, were the subscription changed as asked. Raises Refusal."""
    work, params = ask.work.world.rehearsal(), ask.params
    details = params.get("subscription_details") or {}
    subscription = None
    if "subscription" in params:
        subscription = work.get("subscription", params["subscription"], "subscription")
    customer_id = params.get("customer") or (subscription["customer"] if subscription else None)
    if customer_id is None:
        raise missing("customer")
    customer = work.get("customer", customer_id, "customer")
    for each in params.get("invoice_items") or []:
        _pend(work, customer, subscription, each)
    if subscription is None:
        subscription = _begun(work, customer, params, details)
    else:
        _changed(work, customer, subscription, params, details)
    return _as_preview(work, subscription)


def _begun(work: Work, customer: Thing, params: dict[str, Any], details: dict[str, Any]) -> Thing:
    taken = (
        "items",
        "billing_cycle_anchor",
        "cancel_at",
        "cancel_at_period_end",
        "proration_behavior",
        "trial_end",
        "billing_mode",
    )
    asked = {name: details[name] for name in taken if name in details}
    if not asked.get("items"):
        raise invalid("No upcoming invoices for customer: " + customer["id"], code="invoice_upcoming_none")
    asked |= {"customer": customer["id"]} | {name: params[name] for name in ("discounts",) if params.get(name)}
    return subscribe(work, asked)


def _changed(work: Work, customer: Thing, subscription: Thing, params: dict[str, Any], details: dict[str, Any]) -> None:
    latest = subscription["latest_invoice"]
    if params.get("discounts"):
        subscription["discounts"] = [
            redeem(work, each, customer, f"discounts[{number}]", subscription=subscription["id"])["id"]
            for number, each in enumerate(params["discounts"])
        ]
    if details.get("cancel_now"):
        prorates = details.get("proration_behavior", "create_prorations") != "none"
        cancel(work, subscription, {"prorate": prorates, "invoice_now": True})
    else:
        taken = (
            "items",
            "proration_behavior",
            "proration_date",
            "trial_end",
            "billing_cycle_anchor",
            "cancel_at",
            "cancel_at_period_end",
        )
        asked = {name: details[name] for name in taken if name in details}
        if asked:
            update(work, subscription, asked)
    if subscription["latest_invoice"] == latest:
        if subscription["status"] in ("canceled", "incomplete_expired", "paused") or subscription["cancel_at_period_end"]:
            raise invalid("No upcoming invoices for customer: " + customer["id"], code="invoice_upcoming_none")
        renew(work, subscription)
    if subscription["latest_invoice"] == latest:
        raise invalid("No upcoming invoices for customer: " + customer["id"], code="invoice_upcoming_none")


def _pend(work: Work, customer: Thing, subscription: Thing | None, given: dict[str, Any]) -> None:
    now = work.now(customer)
    currency = given.get("currency") or (subscription or customer)["currency"] or work.world.settings.currency
    words, of = given.get("description"), subscription["id"] if subscription else None
    make_pending(work, customer, currency, given.get("amount", 0), words, now, now, _subscription=of)


def _as_preview(work: Work, subscription: Thing) -> dict[str, Any]:
    invoice = work.store.find(subscription["latest_invoice"] or "")
    if invoice is None:
        raise invalid("No upcoming invoices for customer: " + subscription["customer"], code="invoice_upcoming_none")
    found = shown(work.store, invoice)
    name = f"upcoming_in_{random_text(24)}"
    found |= {"id": name, "ending_balance": invoice["_ending"], "automatically_finalizes_at": None}
    found["lines"]["url"] = f"/v1/invoices/upcoming/lines?subscription={subscription['id']}"
    # A preview shows all lines that fit into one answer.
    for line in found["lines"]["data"]:
        line |= {"id": line["id"].replace("il_", "il_tmp_"), "invoice": name}
    return found
