"""Customers, their tax ids and their balance."""

from typing import Any, Final

from integrations.sandbox.stripe.asking import Ask, Handler, deleted, merge_metadata
from integrations.sandbox.stripe.cards import attach
from integrations.sandbox.stripe.refusals import invalid
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.tax_numbers import refuse_malformed
from integrations.sandbox.stripe.world import Work, random_text

_PLAIN: Final = ("description", "email", "name", "phone", "tax_exempt", "shipping", "preferred_locales", "invoice_prefix")


def make_customer(work: Work, params: dict[str, Any]) -> Thing:
    """Make a customer. Raises Refusal: the card is declined, a tax id is malformed."""
    clock = params.get("test_clock")
    if clock:
        work.get("test_clock", clock, "test_clock", kind="test_helpers.test_clock")
    customer = work.new("customer", "cus", work.now({"test_clock": clock}), test_clock=clock)
    customer |= {"balance": 0, "delinquent": False, "metadata": {}, "preferred_locales": [], "tax_exempt": "none"}
    customer |= {"invoice_prefix": random_text(8).upper(), "next_invoice_sequence": 1}
    customer["invoice_settings"] = dict.fromkeys(("custom_fields", "default_payment_method", "footer", "rendering_options"))
    work.store.add(customer, clock)
    method = params.get("payment_method")
    if method:
        attach(work, method, customer, "payment_method")
    _set(work, customer, params)
    work.emit("customer.created", customer)
    for number, each in enumerate(params.get("tax_id_data") or []):
        make_tax_id(work, customer, each, f"tax_id_data[{number}][value]")
    return customer


def _set(work: Work, customer: Thing, params: dict[str, Any]) -> None:
    customer |= {name: params[name] if params[name] != "" else None for name in _PLAIN if name in params}
    if "address" in params:
        empty = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
        customer["address"] = empty | params["address"] if params["address"] else None
    if "next_invoice_sequence" in params:
        customer["next_invoice_sequence"] = params["next_invoice_sequence"]
    if "invoice_settings" in params:
        given = params["invoice_settings"]
        method = given.get("default_payment_method")
        if method:
            found = work.get("payment_method", method, "invoice_settings[default_payment_method]")
            if found["customer"] != customer["id"]:
                raise invalid(
                    f"The customer does not have a payment method with the ID {method}. "
                    "The payment method must be attached to the customer.",
                    "invoice_settings[default_payment_method]",
                    "resource_missing",
                )
        customer["invoice_settings"] |= {name: value or None for name, value in given.items()}
    if "balance" in params and params["balance"] != customer["balance"]:
        move_balance(work, customer, params["balance"] - customer["balance"], "adjustment", None)
    merge_metadata(customer, params.get("metadata"))


def _update(ask: Ask) -> Thing:
    customer = ask.named("customer", "customer")
    _set(ask.work, customer, ask.params)
    ask.work.changed("customer.updated", customer)
    return customer


def _retrieve(ask: Ask) -> Thing:
    found = ask.work.store.find(ask.path["customer"])
    if found is not None and found["object"] == "customer" and found.get("_deleted"):
        return found
    return ask.named("customer", "customer")


def _list(ask: Ask) -> dict[str, Any]:
    email, clock = ask.params.get("email"), ask.params.get("test_clock")
    found = (
        each
        for each in ask.work.store.all("customer")
        if email in (None, each["email"]) and (clock == each["test_clock"] if clock else not each["test_clock"])
    )
    return ask.page(found)


def move_balance(work: Work, customer: Thing, amount: int, kind: str, invoice: str | None, **fields: Any) -> Thing:
    """Change what a customer owes (positive) or has to their credit (negative), in minor units, and write it down."""
    customer["balance"] += amount
    currency = fields.pop("currency", None) or customer["currency"] or work.world.settings.currency
    made = work.new("customer_balance_transaction", "cbtxn", work.now(customer), amount=amount, currency=currency, type=kind)
    made |= {"customer": customer["id"], "ending_balance": customer["balance"], "invoice": invoice, "metadata": {}}
    work.store.add(made | fields, customer["id"])
    customer["currency"] = customer["currency"] or currency
    return made | fields


def _adjust(ask: Ask) -> Thing:
    customer = ask.named("customer", "customer")
    amount, currency = ask.params["amount"], ask.params["currency"].lower()
    if customer["currency"] not in (None, currency):
        raise invalid(f"The currency must be {customer['currency']}, as the customer's others are.", "currency")
    more = {"description": ask.params.get("description"), "metadata": ask.params.get("metadata") or {}}
    made = move_balance(ask.work, customer, amount, "adjustment", None, currency=currency, **more)
    ask.work.changed("customer.updated", customer)
    kept = ask.work.store.find(made["id"])
    assert kept is not None
    return kept


def make_tax_id(work: Work, customer: Thing, params: dict[str, Any], param: str) -> Thing:
    """Give a customer a tax id. Raises Refusal: it can be none."""
    refuse_malformed(params["type"], params["value"], param)
    kind, value = params["type"], params["value"].strip()
    made = work.new("tax_id", "txi", work.now(customer), customer=customer["id"], type=kind, value=value)
    made["country"] = value[:2].upper() if kind == "eu_vat" else kind[:2].upper()
    made["owner"] = {"type": "customer", "customer": customer["id"], "customer_account": None}
    # https://docs.stripe.com/billing/customer/tax-ids#verification: some countries are looked up, and that takes a moment.
    is_looked_up = kind in ("eu_vat", "gb_vat", "au_abn")
    made["verification"] = {
        "status": "pending" if is_looked_up else "unavailable",
        "verified_address": None,
        "verified_name": None,
    }
    work.store.add(made, customer["id"])
    work.emit("customer.tax_id.created", made)
    return made


def _create_tax_id(ask: Ask) -> Thing:
    return make_tax_id(ask.work, ask.named("customer", "customer"), ask.params, "value")


def _tax_id(ask: Ask) -> Thing:
    customer, made = ask.named("customer", "customer"), ask.named("tax_id", "id")
    if made["customer"] != customer["id"]:
        raise invalid(f"No such tax_id: '{made['id']}'", "id", "resource_missing")
    return made


def _delete_tax_id(ask: Ask) -> dict[str, Any]:
    made = _tax_id(ask)
    ask.work.emit("customer.tax_id.deleted", made)
    made["_deleted"] = True
    return deleted(made)


def set_default_method(work: Work, customer: Thing, method: Thing) -> None:
    """Let a card be the one that a customer's invoices are paid with, also those of subscriptions that had another."""
    customer["invoice_settings"]["default_payment_method"] = method["id"]
    work.changed("customer.updated", customer)
    for each in work.store.owned("subscription", customer["id"]):
        if each["default_payment_method"]:
            each["default_payment_method"] = method["id"]
            work.changed("customer.subscription.updated", each)


def _delete_discount(ask: Ask) -> dict[str, Any]:
    customer = ask.named("customer", "customer")
    raise invalid(f"No such discount: customer {customer['id']} has none; give discounts to subscriptions.", "customer")


def _of(kind: str) -> Handler:
    return lambda ask: ask.page(ask.work.store.owned(kind, ask.named("customer", "customer")["id"]))


HANDLERS: Final[dict[str, Handler]] = {
    "customers.create": lambda ask: make_customer(ask.work, ask.params),
    "customers.update": _update,
    "customers.retrieve": _retrieve,
    "customers.list": _list,
    "customers.search": lambda ask: ask.search(ask.work.store.all("customer")),
    "customers.tax_ids.create": _create_tax_id,
    "customers.tax_ids.retrieve": _tax_id,
    "customers.tax_ids.delete": _delete_tax_id,
    "customers.tax_ids.list": _of("tax_id"),
    "customers.discount.delete": _delete_discount,
    "customers.balance.create": _adjust,
    "customers.balance.list": _of("customer_balance_transaction"),
}
