"""Invoices: their lines, what they add up to, and the states that they go through."""

from typing import Any, Final

from integrations.sandbox.stripe.customers import move_balance
from integrations.sandbox.stripe.discounts import reduction
from integrations.sandbox.stripe.payments import cancel_intent, make_intent
from integrations.sandbox.stripe.periods import DAY_S
from integrations.sandbox.stripe.refusals import invalid
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.world import Work, random_text

# https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
_LEAST: Final = {"usd": 50, "eur": 50, "gbp": 30}
DRAFT_S: Final = 3_600


def make_line(work: Work, currency: str, amount: int, description: str | None, start: int, end: int, **fields: Any) -> Thing:
    """Return a line of an invoice; `discount_amounts` that are given are final, others are worked out."""
    line = work.new("line_item", "il", 0, amount=amount, subtotal=amount, currency=currency, description=description)
    del line["created"]
    line |= {"discountable": True, "discounts": [], "metadata": {}, "period": {"start": start, "end": end}}
    line |= {"discount_amounts": [], "pretax_credit_amounts": [], "taxes": [], "_is_discounted": False}
    return line | fields


def of_item(item: Thing, price: Thing, quantity: int, *, proration: bool = False, details: Any = None) -> dict[str, Any]:
    """Return the fields of a line that say which item of a subscription it is for."""
    parent = {"invoice_item": None, "proration": proration, "proration_details": details or {"credited_items": None}}
    parent |= {"subscription": item["subscription"], "subscription_item": item["id"]}
    return {
        "parent": {"type": "subscription_item_details", "subscription_item_details": parent, "invoice_item_details": None},
        "pricing": priced(price),
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "subscription": item["subscription"],
        "_item": item["id"],
    }


def priced(price: Thing) -> dict[str, Any]:
    """Return what a line says of its price."""
    details = {"price": price["id"], "product": price["product"]}
    return {"type": "price_details", "price_details": details, "unit_amount_decimal": price["unit_amount_decimal"]}


def line_of_item(work: Work, pending: Thing) -> Thing:
    """Return the line that a pending invoice item becomes."""
    period = pending["period"]
    line = make_line(work, pending["currency"], pending["amount"], pending["description"], period["start"], period["end"])
    details = {"invoice_item": pending["id"], "proration": pending["proration"], "subscription": pending["_subscription"]}
    details["proration_details"] = {"credited_items": pending["_credited"]} if pending["proration"] else None
    if pending["_item"]:
        details["subscription_item"] = pending["_item"]
        parent = {"type": "subscription_item_details", "subscription_item_details": details, "invoice_item_details": None}
    else:
        parent = {"type": "invoice_item_details", "subscription_item_details": None, "invoice_item_details": details}
    line |= {"parent": parent, "pricing": pending["pricing"], "quantity": pending["quantity"], "metadata": pending["metadata"]}
    line |= {"quantity_decimal": pending["quantity_decimal"], "subscription": pending["_subscription"]}
    line |= {"discountable": pending["discountable"], "discount_amounts": pending["_discount_amounts"]}
    line["_is_discounted"] = pending["proration"]
    return line


def pending_items(work: Work, customer: str, subscription: str | None) -> list[Thing]:
    """Return the items of a customer that wait for an invoice: those of a subscription, and those of none."""
    return [
        each
        for each in work.store.owned("invoiceitem", customer)
        if each["invoice"] is None and each["_subscription"] in (None, subscription)
    ]


def make_pending(
    work: Work, customer: Thing, currency: str, amount: int, description: str | None, start: int, end: int, **fields: Any
) -> Thing:
    """Make an item that waits for the customer's next invoice."""
    now = work.now(customer)
    made = work.new("invoiceitem", "ii", now, amount=amount, net_amount=amount, currency=currency, customer=customer["id"])
    made |= {"date": now, "description": description, "discountable": True, "discounts": [], "metadata": {}, "tax_rates": []}
    made |= {"period": {"start": start, "end": end}, "proration": False, "quantity": 1, "quantity_decimal": "1"}
    made |= {
        "test_clock": customer["test_clock"],
        "_subscription": None,
        "_item": None,
        "_discount_amounts": [],
        "_credited": None,
    }
    work.store.add(made | fields, customer["id"])
    kept = work.store.find(made["id"])
    assert kept is not None
    work.emit("invoiceitem.created", kept)
    return kept


def make_invoice(
    work: Work,
    customer: Thing,
    lines: list[Thing],
    *,
    reason: str,
    subscription: Thing | None = None,
    takes_pending: bool = True,
    **fields: Any,
) -> Thing:
    """Make a draft of the lines and of the items that wait for it."""
    now = work.now(customer)
    invoice = work.new(
        "invoice", "in", now, customer=customer["id"], currency=fields.pop("currency", "") or _currency(work, customer)
    )
    invoice |= _plain(work, customer, now) | {"billing_reason": reason, "test_clock": customer["test_clock"]}
    if subscription is not None:
        details = {"subscription": subscription["id"], "metadata": subscription["metadata"]}
        invoice["parent"] = {"type": "subscription_details", "subscription_details": details, "quote_details": None}
        invoice["collection_method"] = subscription["collection_method"]
        invoice["_subscription"] = subscription["id"]
        invoice["_days_until_due"] = subscription["days_until_due"]
        invoice["discounts"] = list(subscription["discounts"])
    invoice |= fields
    if takes_pending:
        for pending in pending_items(work, customer["id"], subscription["id"] if subscription else None):
            if pending["currency"] == invoice["currency"]:
                pending["invoice"] = invoice["id"]
                lines = [*lines, line_of_item(work, pending)]
    # Stripe shows what was prorated first.
    invoice["_lines"] = sorted(lines, key=lambda line: not line["_is_discounted"])
    for line in invoice["_lines"]:
        line["invoice"] = invoice["id"]
    add_up(work, invoice, customer)
    work.store.add(invoice, customer["id"], invoice["_subscription"])
    customer["currency"] = customer["currency"] or invoice["currency"]
    if subscription is not None:
        subscription["latest_invoice"] = invoice["id"]
        _spend_once(work, subscription, invoice)
    work.emit("invoice.created", invoice)
    return invoice


def _currency(work: Work, customer: Thing) -> str:
    return str(customer["currency"] or work.world.settings.currency)


def _plain(work: Work, customer: Thing, now: int) -> dict[str, Any]:
    tax_ids = [{"type": each["type"], "value": each["value"]} for each in work.store.owned("tax_id", customer["id"])]
    settings = work.world.settings
    tax = {"disabled_reason": None, "enabled": False, "liability": None, "provider": None, "status": None}
    totals = ("amount_overpaid", "amount_paid", "amount_paid_off_stripe", "amount_shipping", "attempt_count")
    return dict.fromkeys((*totals, "post_payment_credit_notes_amount", "pre_payment_credit_notes_amount"), 0) | {
        "account_country": settings.account_country,
        "account_name": settings.account_name,
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": tax,
        "collection_method": "charge_automatically",
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": tax_ids,
        "default_tax_rates": [],
        "discounts": [],
        "issuer": {"type": "self"},
        "metadata": {},
        "payment_settings": dict.fromkeys(("default_mandate", "payment_method_options", "payment_method_types")),
        "period_start": now,
        "period_end": now,
        "starting_balance": customer["balance"],
        "status": "draft",
        "status_transitions": dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")),
        "total_discount_amounts": [],
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "_subscription": None,
        "_days_until_due": None,
        "_intent": None,
        "_token": random_text(32),
    }


def add_up(work: Work, invoice: Thing, customer: Thing) -> None:
    """Work out the discounts and the totals of a draft."""
    lines = invoice["_lines"]
    open_lines = [line for line in lines if line["discountable"] and not line["_is_discounted"]]
    for line in open_lines:
        line["discount_amounts"] = []
    left = [line["amount"] for line in open_lines]
    for discount_id in invoice["discounts"]:
        discount = work.store.find(discount_id)
        assert discount is not None
        off = reduction(work, discount, left, invoice["currency"], work.now(customer))
        for line, amount in zip(open_lines, off, strict=True):
            line["discount_amounts"].append({"amount": amount, "discount": discount_id})
        left = [amount - less for amount, less in zip(left, off, strict=True)]
    totals: dict[str, int] = {}
    for line in lines:
        for each in line["discount_amounts"]:
            totals[each["discount"]] = totals.get(each["discount"], 0) + each["amount"]
    subtotal = sum(line["amount"] for line in lines)
    total = subtotal - sum(totals.values())
    net = total + customer["balance"]
    due = net if net >= _LEAST.get(invoice["currency"], 50) else 0
    invoice |= {"subtotal": subtotal, "subtotal_excluding_tax": subtotal, "total": total, "total_excluding_tax": total}
    invoice |= {"amount_due": due, "amount_remaining": due, "starting_balance": customer["balance"], "_ending": net - due}
    invoice["total_discount_amounts"] = [{"amount": amount, "discount": name} for name, amount in totals.items()]


def _spend_once(work: Work, subscription: Thing, invoice: Thing) -> None:
    """A coupon for once goes with the first invoice that it made cheaper; one for some months when they are over."""
    used = {each["discount"] for each in invoice["total_discount_amounts"] if each["amount"] > 0}
    for discount_id in list(subscription["discounts"]):
        discount = work.store.find(discount_id)
        assert discount is not None
        coupon = work.store.find(discount["source"]["coupon"])
        assert coupon is not None
        is_over = discount["end"] is not None and discount["end"] <= work.now(subscription)
        if is_over or (coupon["duration"] == "once" and discount_id in used):
            subscription["discounts"].remove(discount_id)
            work.emit("customer.discount.deleted", discount)


def finalize(work: Work, invoice: Thing) -> None:
    """Let a draft become open, or paid where nothing is due. Raises Refusal: it is no draft."""
    if invoice["status"] != "draft":
        raise invalid(
            "This invoice is already finalized, you can't re-finalize a non-draft invoice.", code="invoice_not_editable"
        )
    customer = work.store.find(invoice["customer"])
    assert customer is not None
    now = work.now(customer)
    add_up(work, invoice, customer)
    invoice["number"] = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}"
    customer["next_invoice_sequence"] += 1
    moved = invoice["_ending"] - customer["balance"]
    if moved:
        too_small = invoice["_ending"] > 0 and invoice["total"] > 0
        too_much = "applied_to_invoice" if invoice["total"] > 0 else "invoice_too_large"
        move_balance(
            work, customer, moved, "invoice_too_small" if too_small else too_much, invoice["id"], currency=invoice["currency"]
        )
        work.changed("customer.updated", customer)
    base = f"{work.world.url}/pay/invoice/{invoice['_token']}"
    invoice |= {"status": "open", "ending_balance": invoice["_ending"], "effective_at": now, "automatically_finalizes_at": None}
    invoice |= {"hosted_invoice_url": base, "invoice_pdf": f"{base}/pdf"}
    invoice["status_transitions"]["finalized_at"] = now
    if invoice["collection_method"] == "send_invoice" and invoice["due_date"] is None:
        invoice["due_date"] = now + (invoice["_days_until_due"] or 30) * DAY_S
    if invoice["amount_due"] > 0:
        make_intent(work, invoice)
    work.emit("invoice.finalized", invoice)


def mark_paid(work: Work, invoice: Thing, *, out_of_band: bool = False) -> None:
    """Let an invoice be paid."""
    now = work.now(invoice)
    invoice |= {"status": "paid", "amount_paid": invoice["amount_due"], "amount_remaining": 0, "next_payment_attempt": None}
    invoice |= {"attempted": True, "auto_advance": False}
    if out_of_band:
        invoice["amount_paid_off_stripe"] = invoice["amount_due"]
        close_intent(work, invoice, "void_invoice")
    invoice["status_transitions"]["paid_at"] = now
    work.changed("invoice.updated", invoice)
    work.emit("invoice.paid", invoice)
    work.emit("invoice.payment_succeeded", invoice)


def close(work: Work, invoice: Thing, status: str) -> None:
    """Let an open invoice become void or uncollectible. Raises Refusal: it is not open."""
    if invoice["status"] not in (("open", "uncollectible") if status == "void" else ("open",)):
        raise invalid(
            f"You can only {'void' if status == 'void' else 'mark as uncollectible'} open invoices.", code="invoice_not_editable"
        )
    now = work.now(invoice)
    invoice |= {"status": status, "next_payment_attempt": None, "auto_advance": False}
    invoice["status_transitions"]["voided_at" if status == "void" else "marked_uncollectible_at"] = now
    if status == "void":
        close_intent(work, invoice, "void_invoice")
        invoice["amount_remaining"] = invoice["amount_due"]
    work.emit("invoice.voided" if status == "void" else "invoice.marked_uncollectible", invoice)


def close_intent(work: Work, invoice: Thing, why: str) -> None:
    """Give up the payment intent of an invoice, where it has one."""
    intent = work.store.find(invoice["_intent"]) if invoice["_intent"] else None
    if intent is not None:
        cancel_intent(work, intent, work.now(invoice), why)
