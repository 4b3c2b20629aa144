"""The operations of invoices, the items that wait for them, and the payments of them."""

from typing import Any, Final

from integrations.sandbox.stripe.asking import Ask, Handler, deleted, merge_metadata
from integrations.sandbox.stripe.cards import decline
from integrations.sandbox.stripe.catalogue import sold
from integrations.sandbox.stripe.collecting import collect, restore, settle
from integrations.sandbox.stripe.discounts import redeem
from integrations.sandbox.stripe.invoices import add_up, close, finalize, line_of_item, make_invoice, make_pending, priced
from integrations.sandbox.stripe.payments import cancel_intent
from integrations.sandbox.stripe.previewing import preview
from integrations.sandbox.stripe.refusals import Refusal, invalid, missing
from integrations.sandbox.stripe.shapes import without_own
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.world import Work

_PLAIN: Final = ("auto_advance", "collection_method", "default_payment_method", "description", "due_date", "footer")


def _create(ask: Ask) -> Thing:
    work, params = ask.work, ask.params
    if "customer" not in params:
        raise missing("customer")
    customer = work.get("customer", params["customer"], "customer")
    fields = {"auto_advance": False} | {name: params[name] for name in _PLAIN if name in params}
    fields |= {"metadata": params.get("metadata") or {}, "_days_until_due": params.get("days_until_due")}
    subscription = work.get("subscription", params["subscription"], "subscription") if "subscription" in params else None
    takes = params.get("pending_invoice_items_behavior", "exclude") == "include" or subscription is not None
    fields["currency"] = params.get("currency", "")
    fields["discounts"] = [
        redeem(work, each, customer, f"discounts[{number}]")["id"] for number, each in enumerate(params.get("discounts") or [])
    ]
    return make_invoice(work, customer, [], reason="manual", subscription=subscription, takes_pending=takes, **fields)


def _update(ask: Ask) -> Thing:
    invoice = ask.named("invoice", "invoice")
    if invoice["status"] != "draft" and set(ask.params) - {"metadata", "auto_advance", "default_payment_method", "expand"}:
        raise invalid("Finalized invoices can't be updated in this way", code="invoice_not_editable")
    invoice |= ask.given(*_PLAIN)
    if "days_until_due" in ask.params:
        invoice["_days_until_due"] = ask.params["days_until_due"]
    merge_metadata(invoice, ask.params.get("metadata"))
    ask.work.changed("invoice.updated", invoice)
    return invoice


def _delete(ask: Ask) -> dict[str, Any]:
    invoice = ask.named("invoice", "invoice")
    if invoice["status"] != "draft" or invoice["billing_reason"] != "manual":
        raise invalid("You can only delete draft invoices that were made by hand.", code="invoice_not_editable")
    for pending in ask.work.store.owned("invoiceitem", invoice["customer"]):
        if pending["invoice"] == invoice["id"]:
            pending["invoice"] = None
    ask.work.emit("invoice.deleted", invoice)
    invoice["_deleted"] = True
    return deleted(invoice)


def _list(ask: Ask) -> dict[str, Any]:
    params, store = ask.params, ask.work.store
    named = params.get("subscription") or params.get("customer")
    found = store.owned("invoice", named) if named else store.all("invoice")
    return ask.page(
        each
        for each in found
        if params.get("status") in (None, each["status"])
        and params.get("customer") in (None, each["customer"])
        and params.get("collection_method") in (None, each["collection_method"])
    )


def _finalize(ask: Ask) -> Thing:
    invoice = ask.named("invoice", "invoice")
    finalize(ask.work, invoice)
    if "auto_advance" in ask.params:
        invoice["auto_advance"] = ask.params["auto_advance"]
    if invoice["amount_due"] == 0:
        settle(ask.work, invoice)
    return invoice


def _pay(ask: Ask) -> Thing:
    work, invoice = ask.work, ask.named("invoice", "invoice")
    if invoice["status"] == "draft":
        finalize(work, invoice)
        if invoice["amount_due"] == 0:
            settle(work, invoice)
            return invoice
    if invoice["status"] == "paid":
        raise invalid("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] not in ("open", "uncollectible"):
        raise invalid("This invoice is no longer payable.", code="invoice_not_editable")
    if ask.params.get("paid_out_of_band"):
        settle(work, invoice, out_of_band=True)
        return invoice
    method = None
    if ask.params.get("payment_method"):
        method = work.get("payment_method", ask.params["payment_method"], "payment_method")
        if method["customer"] != invoice["customer"]:
            raise invalid("The payment method must be attached to the customer.", "payment_method", "resource_missing")
    refuse_unpaid(work, invoice, collect(work, invoice, method, off_session=ask.params.get("off_session", True)))
    return invoice


def refuse_unpaid(work: Work, invoice: Thing, result: str) -> None:
    """Raise Refusal where a payment that was asked for did not succeed; the attempt stays."""
    if result == "paid":
        return
    if result == "no_method":
        raise invalid(
            "There is no `default_payment_method` set on this Customer or Invoice.", "payment_method", "resource_missing"
        )
    intent = work.store.find(invoice["_intent"])
    assert intent is not None
    if intent["status"] == "requires_action":
        raise Refusal(
            "This payment requires additional user action before it can be completed successfully.",
            status=402,
            kind="card_error",
            code="invoice_payment_intent_requires_action",
            keeps=True,
        )
    error = intent["last_payment_error"]
    reason = error.get("decline_code") or error["code"]
    raise decline(reason, payment_intent=without_own(intent), charge=intent["latest_charge"])


def _close(status: str) -> Handler:
    def closing(ask: Ask) -> Thing:
        invoice = ask.named("invoice", "invoice")
        close(ask.work, invoice, status)
        restore(ask.work, invoice)
        return invoice

    return closing


def _send(ask: Ask) -> Thing:
    invoice = ask.named("invoice", "invoice")
    if invoice["collection_method"] != "send_invoice":
        raise invalid(
            "You can only manually send an invoice if its collection method is 'send_invoice'.", code="invoice_not_editable"
        )
    if invoice["status"] == "draft":
        finalize(ask.work, invoice)
    ask.work.emit("invoice.sent", invoice)
    return invoice


def _lines(ask: Ask) -> dict[str, Any]:
    invoice = ask.named("invoice", "invoice")
    # The page turns lists around, as they are kept oldest first; lines stay as they are.
    return ask.page(without_own(each) for each in reversed(invoice["_lines"]))


def _create_pending(ask: Ask) -> Thing:
    work, params = ask.work, ask.params
    if "customer" not in params:
        raise missing("customer")
    customer = work.get("customer", params["customer"], "customer")
    now, quantity = work.now(customer), params.get("quantity", 1)
    fields: dict[str, Any] = {"quantity": quantity, "quantity_decimal": str(quantity), "metadata": params.get("metadata") or {}}
    if "subscription" in params:
        of = work.get("subscription", params["subscription"], "subscription")["id"]
        fields["_subscription"] = of
        fields["parent"] = {"type": "subscription_details", "subscription_details": {"subscription": of}}
    currency = params.get("currency") or customer["currency"] or work.world.settings.currency
    if "pricing" in params:
        price = sold(work, params["pricing"].get("price"), "pricing[price]")
        amount, currency, fields["pricing"] = (price["unit_amount"] or 0) * quantity, price["currency"], priced(price)
    elif "amount" in params:
        amount = params["amount"]
    else:
        raise missing("amount")
    period = params.get("period") or {"start": now, "end": now}
    words = params.get("description")
    made = make_pending(work, customer, currency, amount, words, period["start"], period["end"], **fields)
    if "invoice" in params:
        invoice = work.get("invoice", params["invoice"], "invoice")
        if invoice["status"] != "draft":
            raise invalid("The invoice is no draft any more.", "invoice", "invoice_not_editable")
        made["invoice"] = invoice["id"]
        invoice["_lines"].append(line_of_item(work, made) | {"invoice": invoice["id"]})
        _recount(work, invoice, customer)
    return made


def _recount(work: Work, invoice: Thing, customer: Thing) -> None:
    add_up(work, invoice, customer)
    work.changed("invoice.updated", invoice)


def _pending(ask: Ask) -> Thing:
    made = ask.named("invoiceitem", "invoiceitem")
    if ask.params and made["invoice"] is not None:
        raise invalid("This invoice item is on an invoice already.", code="invoice_not_editable")
    return made


def _update_pending(ask: Ask) -> Thing:
    made = _pending(ask)
    made |= ask.given("amount", "description")
    made["net_amount"] = made["amount"]
    if "quantity" in ask.params:
        made |= {"quantity": ask.params["quantity"], "quantity_decimal": str(ask.params["quantity"])}
    merge_metadata(made, ask.params.get("metadata"))
    return made


def _delete_pending(ask: Ask) -> dict[str, Any]:
    made = ask.named("invoiceitem", "invoiceitem")
    if made["invoice"] is not None:
        raise invalid("This invoice item is on an invoice already.", code="invoice_not_editable")
    ask.work.emit("invoiceitem.deleted", made)
    made["_deleted"] = True
    return deleted(made)


def _list_pending(ask: Ask) -> dict[str, Any]:
    params = ask.params
    return ask.page(
        each
        for each in ask.work.store.all("invoiceitem")
        if params.get("customer") in (None, each["customer"])
        and params.get("invoice") in (None, each["invoice"])
        and (not params.get("pending") or each["invoice"] is None)
    )


def _confirm(ask: Ask) -> Thing:
    work, intent = ask.work, ask.named("payment_intent", "intent")
    if intent["status"] in ("succeeded", "canceled"):
        raise invalid(f"This PaymentIntent's status is {intent['status']}.", code="payment_intent_unexpected_state")
    invoice = work.store.find(intent["_invoice"])
    name = ask.params.get("payment_method")
    method = work.get("payment_method", name, "payment_method") if name else None
    assert invoice is not None
    result = collect(work, invoice, method, off_session=False)
    if result != "authenticate":
        refuse_unpaid(work, invoice, result)
    return intent


def _cancel_intent(ask: Ask) -> Thing:
    intent = ask.named("payment_intent", "intent")
    if intent["_invoice"]:
        raise invalid("You cannot cancel a payment intent that belongs to an invoice; void the invoice.", "intent")
    cancel_intent(ask.work, intent, ask.work.now(intent), ask.params.get("cancellation_reason", "requested_by_customer"))
    return intent


HANDLERS: Final[dict[str, Handler]] = {
    "invoices.create": _create,
    "invoices.update": _update,
    "invoices.delete": _delete,
    "invoices.retrieve": lambda ask: ask.named("invoice", "invoice"),
    "invoices.list": _list,
    "invoices.search": lambda ask: ask.search(ask.work.store.all("invoice")),
    "invoices.finalize": _finalize,
    "invoices.pay": _pay,
    "invoices.void": _close("void"),
    "invoices.mark_uncollectible": _close("uncollectible"),
    "invoices.send": _send,
    "invoices.lines": _lines,
    "invoices.create_preview": preview,
    "invoiceitems.create": _create_pending,
    "invoiceitems.update": _update_pending,
    "invoiceitems.delete": _delete_pending,
    "invoiceitems.retrieve": _pending,
    "invoiceitems.list": _list_pending,
    "payment_intents.confirm": _confirm,
    "payment_intents.cancel": _cancel_intent,
}
