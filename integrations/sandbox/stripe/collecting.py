"""Collecting invoices: attempts, retries by schedule, and what they mean for the subscription."""

from typing import Literal

from integrations.sandbox.stripe.invoices import finalize, mark_paid
from integrations.sandbox.stripe.payments import attempt
from integrations.sandbox.stripe.periods import DAY_S
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.world import Work

Result = Literal["paid", "declined", "authenticate", "no_method", "waits"]


def method_for(work: Work, invoice: Thing) -> Thing | None:
    """Return the card that an invoice is to be paid with: its own, the subscription's, the customer's."""
    subscription = work.store.find(invoice["_subscription"]) if invoice["_subscription"] else None
    customer = work.store.find(invoice["customer"])
    assert customer is not None
    names = (
        invoice["default_payment_method"],
        subscription["default_payment_method"] if subscription else None,
        customer["invoice_settings"]["default_payment_method"],
    )
    name = next((each for each in names if each), None)
    return work.store.find(name) if name else None


def finalize_and_collect(work: Work, invoice: Thing, *, off_session: bool = True) -> Result:
    """Let a draft become open and collect it; what is only tried out stays a draft."""
    if work.is_rehearsal:
        return "waits"
    finalize(work, invoice)
    if invoice["amount_due"] == 0:
        settle(work, invoice)
        return "paid"
    if invoice["collection_method"] == "send_invoice":
        work.emit("invoice.sent", invoice)
        return "waits"
    return collect(work, invoice, off_session=off_session)


def collect(
    work: Work, invoice: Thing, method: Thing | None = None, *, off_session: bool = True, is_authenticated: bool = False
) -> Result:
    """Try to collect an open invoice, and draw the consequences."""
    if invoice["amount_due"] == 0:
        settle(work, invoice)
        return "paid"
    method = method or method_for(work, invoice)
    intent = work.store.find(invoice["_intent"])
    assert intent is not None
    result: Result = "no_method"
    if method is not None:
        result = attempt(work, intent, method, work.now(invoice), off_session=off_session, is_authenticated=is_authenticated)
    if result == "paid":
        invoice["attempt_count"] += 1
        _keep_method(work, invoice, method)
        settle(work, invoice)
    else:
        _fail(work, invoice, result, counts=intent["status"] != "requires_action")
    return result


def _keep_method(work: Work, invoice: Thing, method: Thing | None) -> None:
    """`save_default_payment_method`: what has paid once pays from now on."""
    subscription = work.store.find(invoice["_subscription"]) if invoice["_subscription"] else None
    if subscription is None or method is None:
        return
    if subscription["payment_settings"].get("save_default_payment_method") == "on_subscription":
        subscription["default_payment_method"] = method["id"]


def settle(work: Work, invoice: Thing, *, out_of_band: bool = False) -> None:
    """Let an invoice be paid, and its subscription be active (again) where this was the latest."""
    mark_paid(work, invoice, out_of_band=out_of_band)
    restore(work, invoice)


def restore(work: Work, invoice: Thing) -> None:
    """Nothing is owed on the latest invoice any more: the subscription goes on."""
    customer = work.store.find(invoice["customer"])
    assert customer is not None
    subscription = work.store.find(invoice["_subscription"]) if invoice["_subscription"] else None
    if subscription is not None and subscription["latest_invoice"] == invoice["id"]:
        if subscription["status"] in ("incomplete", "past_due", "unpaid"):
            subscription["status"] = "active"
            work.changed("customer.subscription.updated", subscription)
        if customer["delinquent"]:
            customer["delinquent"] = False
            work.changed("customer.updated", customer)


def _fail(work: Work, invoice: Thing, result: Result, *, counts: bool) -> None:
    subscription = work.store.find(invoice["_subscription"]) if invoice["_subscription"] else None
    settings, now = work.world.settings, work.now(invoice)
    invoice |= {"attempted": True, "attempt_count": invoice["attempt_count"] + (1 if counts else 0)}
    is_first = subscription is not None and subscription["status"] == "incomplete"
    is_last = invoice["attempt_count"] > len(settings.retry_after_days)
    if invoice["auto_advance"] and counts and not is_first and not is_last:
        invoice["next_payment_attempt"] = now + int(settings.retry_after_days[invoice["attempt_count"] - 1] * DAY_S)
    else:
        invoice["next_payment_attempt"] = None
    work.changed("invoice.updated", invoice)
    if result == "authenticate":
        work.emit("invoice.payment_action_required", invoice)
    if counts:
        work.emit("invoice.payment_failed", invoice)
    if subscription is None or is_first or subscription["latest_invoice"] != invoice["id"]:
        return
    customer = work.store.find(invoice["customer"])
    assert customer is not None
    customer["delinquent"] = True
    work.changed("customer.updated", customer)
    if subscription["status"] in ("active", "trialing"):
        subscription["status"] = "past_due"
    if is_last and counts and subscription["status"] == "past_due":
        if settings.after_retries == "cancel":
            end(work, subscription, "payment_failed")
            return
        subscription["status"] = settings.after_retries
    work.changed("customer.subscription.updated", subscription)


def end(work: Work, subscription: Thing, why: str, *, status: str = "canceled") -> None:
    """Let a subscription be over; its open invoices are not collected by themselves any more."""
    now = work.now(subscription)
    details = subscription["cancellation_details"]
    details["reason"] = details["reason"] or (why or None)
    subscription |= {"status": status, "ended_at": now, "canceled_at": subscription["canceled_at"] or now}
    for invoice in work.store.owned("invoice", subscription["id"]):
        if invoice["status"] in ("draft", "open") and invoice["auto_advance"]:
            invoice |= {"auto_advance": False, "next_payment_attempt": None, "automatically_finalizes_at": None}
            work.changed("invoice.updated", invoice)
    work.emit("customer.subscription.deleted" if status == "canceled" else "customer.subscription.updated", subscription)
