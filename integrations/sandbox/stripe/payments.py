"""Payment intents and charges, as far as invoices need them."""

from typing import Any, Final, Literal

from integrations.sandbox.stripe.asking import Ask, Handler
from integrations.sandbox.stripe.cards import error_of, words_for
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.world import Work, random_text

Outcome = Literal["paid", "declined", "authenticate"]


def make_intent(work: Work, invoice: Thing) -> Thing:
    """Make the payment intent of an invoice that has just become open, and what links the two."""
    now = work.now(invoice)
    intent = work.new("payment_intent", "pi", now, amount=invoice["amount_due"], amount_capturable=0, amount_received=0)
    intent |= {"capture_method": "automatic", "confirmation_method": "automatic", "currency": invoice["currency"]}
    intent |= {
        "customer": invoice["customer"],
        "status": "requires_payment_method",
        "metadata": {},
        "payment_method_types": ["card"],
    }
    intent |= {"amount_details": {"tip": {}}, "client_secret": f"{intent['id']}_secret_{random_text(24)}"}
    intent |= {"description": f"Payment for invoice {invoice['number']}", "setup_future_usage": "off_session"}
    intent |= {"_invoice": invoice["id"]}
    work.store.add(intent, invoice["customer"])
    work.emit("payment_intent.created", intent)
    payment = work.new("invoice_payment", "inpay", now, amount_requested=invoice["amount_due"], currency=invoice["currency"])
    payment |= {"invoice": invoice["id"], "is_default": True, "status": "open"}
    payment |= {"payment": {"type": "payment_intent", "payment_intent": intent["id"]}}
    payment |= {"status_transitions": {"canceled_at": None, "paid_at": None}}
    work.store.add(payment, invoice["id"])
    invoice["_intent"] = intent["id"]
    return intent


def attempt(work: Work, intent: Thing, method: Thing, now: int, *, off_session: bool, is_authenticated: bool = False) -> Outcome:
    """Try to collect a payment intent with a card."""
    habit, reason = method["_habit"], method["_reason"]
    intent |= {"payment_method": method["id"], "next_action": None, "last_payment_error": None}
    if habit == "authenticated" and not is_authenticated:
        if not off_session:
            secret = {"type": "three_d_secure_redirect", "stripe_js": f"{work.world.url}/pay/authenticate/{intent['id']}"}
            intent |= {"status": "requires_action", "next_action": {"type": "use_stripe_sdk", "use_stripe_sdk": secret}}
            work.emit("payment_intent.requires_action", intent)
            return "authenticate"
        reason = "authentication_required"
    elif habit in ("pays", "authenticated"):
        charge = _charge(work, intent, method, now, None)
        intent |= {"status": "succeeded", "amount_received": intent["amount"], "latest_charge": charge["id"]}
        _pay_link(work, intent, now)
        work.emit("charge.succeeded", charge)
        work.emit("payment_intent.succeeded", intent)
        return "paid"
    charge = _charge(work, intent, method, now, reason)
    error = error_of(reason, charge["id"])
    error["payment_method"] = {name: value for name, value in method.items() if not name.startswith("_")}
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "latest_charge": charge["id"],
        "last_payment_error": error,
    }
    work.emit("charge.failed", charge)
    work.emit("payment_intent.payment_failed", intent)
    return "authenticate" if reason == "authentication_required" else "declined"


def cancel_intent(work: Work, intent: Thing, now: int, why: str) -> None:
    """Give up a payment intent."""
    if intent["status"] in ("succeeded", "canceled"):
        return
    intent |= {"status": "canceled", "canceled_at": now, "cancellation_reason": why, "next_action": None}
    link = link_of(work, intent)
    if link is not None:
        link["status"] = "canceled"
        link["status_transitions"]["canceled_at"] = now
    work.emit("payment_intent.canceled", intent)


def link_of(work: Work, intent: Thing) -> Thing | None:
    """Return what ties a payment intent to its invoice."""
    links = work.store.owned("invoice_payment", intent["_invoice"])
    return next((each for each in links if each["payment"].get("payment_intent") == intent["id"]), None)


def _pay_link(work: Work, intent: Thing, now: int) -> None:
    link = link_of(work, intent)
    if link is not None:
        link |= {"status": "paid", "amount_paid": intent["amount"]}
        link["status_transitions"]["paid_at"] = now
        work.emit("invoice_payment.paid", link)


def _charge(work: Work, intent: Thing, method: Thing, now: int, reason: str | None) -> Thing:
    has_paid = reason is None
    charge = work.new("charge", "ch", now, amount=intent["amount"], amount_captured=intent["amount"] if has_paid else 0)
    charge |= {
        "amount_refunded": 0,
        "billing_details": method["billing_details"],
        "captured": has_paid,
        "currency": intent["currency"],
    }
    charge |= {"customer": intent["customer"], "description": intent["description"], "disputed": False, "metadata": {}}
    charge |= {"paid": has_paid, "payment_intent": intent["id"], "payment_method": method["id"], "refunded": False}
    charge |= {"status": "succeeded" if has_paid else "failed", "fraud_details": {}}
    card = method["card"]
    kept = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4")
    charge["payment_method_details"] = {"type": "card", "card": {name: card[name] for name in kept} | {"network": card["brand"]}}
    charge["outcome"] = _outcome(reason)
    if reason is not None:
        error = error_of(reason)
        charge |= {"failure_code": error["code"], "failure_message": error["message"]}
    return work.store.add(charge, intent["customer"])


def _outcome(reason: str | None) -> dict[str, Any]:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None if reason is None else "05",
        "network_status": "approved_by_network" if reason is None else "declined_by_network",
        "reason": reason,
        "risk_level": "normal",
        "risk_score": 8,
        "seller_message": "Payment complete." if reason is None else words_for(reason),
        "type": "authorized" if reason is None else "issuer_declined",
    }


def listing(kind: str, **fields: str) -> Handler:
    """Return what lists the things of a kind; `fields` are their names by the parameters that may ask for them."""

    def list_them(ask: Ask) -> dict[str, Any]:
        wanted = {field: ask.params[param] for param, field in fields.items() if param in ask.params}
        return ask.page(each for each in ask.work.store.all(kind) if all(each[name] == value for name, value in wanted.items()))

    return list_them


def _list_links(ask: Ask) -> dict[str, Any]:
    wanted = ask.params.get("payment") or {}
    found = (
        each
        for each in ask.work.store.all("invoice_payment")
        if ask.params.get("invoice") in (None, each["invoice"])
        and ask.params.get("status") in (None, each["status"])
        and wanted.get("payment_intent") in (None, each["payment"].get("payment_intent"))
    )
    return ask.page(found)


HANDLERS: Final[dict[str, Handler]] = {
    "payment_intents.retrieve": lambda ask: ask.named("payment_intent", "intent"),
    "payment_intents.list": listing("payment_intent", customer="customer"),
    "charges.retrieve": lambda ask: ask.named("charge", "charge"),
    "charges.list": listing("charge", customer="customer", payment_intent="payment_intent"),
    "invoice_payments.retrieve": lambda ask: ask.named("invoice_payment", "invoice_payment"),
    "invoice_payments.list": _list_links,
}
