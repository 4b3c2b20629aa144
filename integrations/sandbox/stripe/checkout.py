"""Checkout: sessions for a subscription, and what happens when somebody pays on the page."""

from typing import Any, Final

from integrations.sandbox.stripe.amounts import amount_of
from integrations.sandbox.stripe.asking import Ask, Handler, merge_metadata
from integrations.sandbox.stripe.cards import attach, card_named, decline, make_method
from integrations.sandbox.stripe.catalogue import sold
from integrations.sandbox.stripe.collecting import collect
from integrations.sandbox.stripe.customers import make_customer, make_tax_id
from integrations.sandbox.stripe.items import is_metered
from integrations.sandbox.stripe.refusals import invalid, missing
from integrations.sandbox.stripe.renewing import expire_session
from integrations.sandbox.stripe.shapes import listed, shown
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.subscribing import subscribe
from integrations.sandbox.stripe.world import Work

_DAY_S: Final = 86_400
_SHORTEST_S: Final = 30 * 60


def _create(ask: Ask) -> Thing:
    work, params = ask.work, ask.params
    if params.get("mode") != "subscription":
        raise invalid("The sandbox has checkouts in the mode subscription only.", "mode")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise invalid("The sandbox has hosted checkout pages only.", "ui_mode")
    if not params.get("line_items"):
        raise missing("line_items")
    if not params.get("success_url"):
        raise missing("success_url")
    if params.get("discounts") and params.get("allow_promotion_codes"):
        raise invalid("You may only specify one of these parameters: allow_promotion_codes, discounts.", "allow_promotion_codes")
    if params.get("customer") and params.get("customer_email"):
        raise invalid("You may only specify one of these parameters: customer, customer_email.", "customer_email")
    customer = work.get("customer", params["customer"], "customer") if params.get("customer") else None
    if params.get("tax_id_collection", {}).get("enabled") and customer and not params.get("customer_update", {}).get("name"):
        raise invalid(
            "Tax ID collection requires updating business name on the customer. To enable tax ID collection for an existing "
            "customer, please set `customer_update[name]` to `auto`.",
            "tax_id_collection",
        )
    now = work.now()
    until = params.get("expires_at", now + _DAY_S)
    if not now + _SHORTEST_S <= until <= now + _DAY_S:
        raise invalid("The `expires_at` timestamp must be between 30 minutes and 24 hours from now.", "expires_at")
    return _made(work, params, customer, now, until)


def _made(work: Work, params: dict[str, Any], customer: Thing | None, now: int, until: int) -> Thing:
    lines = [_line(work, each, f"line_items[{number}]") for number, each in enumerate(params["line_items"])]
    data = params.get("subscription_data") or {}
    total = sum(line["amount_total"] for line in lines)
    is_trial = bool(data.get("trial_period_days") or data.get("trial_end"))
    session = work.new("checkout.session", "cs_test", now, customer=customer["id"] if customer else None, expires_at=until)
    session |= {
        "amount_subtotal": 0 if is_trial else total,
        "amount_total": 0 if is_trial else total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "currency": lines[0]["currency"],
        "custom_fields": [],
        "custom_text": dict.fromkeys(("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")),
        "customer_creation": None if customer else "always",
        "customer_details": None,
        "metadata": {},
        "mode": "subscription",
        "payment_method_collection": params.get("payment_method_collection", "always"),
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "shipping_options": [],
        "status": "open",
        "tax_id_collection": {"enabled": False, "required": "never"} | params.get("tax_id_collection", {}),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "_asked": {
            "line_items": [{name: each[name] for name in ("price", "quantity") if name in each} for each in params["line_items"]],
            "data": data,
            "discounts": params.get("discounts") or [],
        },
        "_lines": lines,
    }
    for name in (
        "allow_promotion_codes",
        "billing_address_collection",
        "cancel_url",
        "client_reference_id",
        "customer_email",
        "locale",
    ):
        session[name] = params.get(name, session[name])
    session["success_url"] = params["success_url"]
    session["url"] = f"{work.world.url}/pay/checkout/{session['id']}"
    merge_metadata(session, params.get("metadata"))
    return work.store.add(session)


def _line(work: Work, given: dict[str, Any], param: str) -> dict[str, Any]:
    price = sold(work, given.get("price"), f"{param}[price]")
    if price["recurring"] is not None and not is_metered(price) and "quantity" not in given:
        raise missing(f"{param}[quantity]")
    if price["recurring"] is not None and is_metered(price) and "quantity" in given:
        raise invalid("Quantity should not be specified where usage_type is `metered`.", f"{param}[quantity]")
    quantity = given.get("quantity")
    amount = 0 if quantity is None else amount_of(price, quantity)
    product = work.store.find(price["product"])
    assert product is not None
    line = work.new(
        "item", "li", 0, price=price["id"], quantity=quantity, currency=price["currency"], description=product["name"]
    )
    for name in ("created", "livemode"):
        del line[name]
    return line | {"amount_discount": 0, "amount_subtotal": amount, "amount_tax": 0, "amount_total": amount}


def lines_shown(work: Work, session: Thing) -> list[dict[str, Any]]:
    """Return the lines of a session as the API shows them, with their prices."""
    found = []
    for line in session["_lines"]:
        price = work.store.find(line["price"])
        assert price is not None
        found.append(line | {"price": shown(work.store, price)})
    return found


def pay(work: Work, session: Thing, form: dict[str, str]) -> Thing:
    """Somebody fills in the page: `email`, `name`, `card`, `promotion_code`, `tax_id_type`, `tax_id`; the subscription.

    Raises Refusal: the card is declined, the session is not open, the code is none.
    """
    if session["status"] != "open":
        raise invalid("This checkout session is not open any more.")
    customer = _customer_of(work, session, form)
    asked = session["_asked"]
    # An empty number is the ordinary card: the page fills it in.
    method = None
    if form.get("card") or session["payment_method_collection"] == "always" or session["amount_total"]:
        card = card_named(form.get("card") or "4242424242424242", "card[number]")
        method = make_method(work, card, work.now(customer))
        attach(work, method["id"], customer, "payment_method")
    items = [each for each in asked["line_items"] if _is_recurring(work, each)]
    once = [each for each in asked["line_items"] if not _is_recurring(work, each)]
    data = {name: value for name, value in asked["data"].items() if name != "invoice_settings"}
    discounts = list(asked["discounts"])
    if form.get("promotion_code"):
        discounts.append({"promotion_code": _code_named(work, form["promotion_code"])["id"]})
    params = data | {"customer": customer["id"], "items": items, "add_invoice_items": once, "discounts": discounts}
    if method is not None:
        params["default_payment_method"] = method["id"]
    params["payment_behavior"] = "default_incomplete"
    subscription = subscribe(work, params)
    invoice = work.store.find(subscription["latest_invoice"]) if subscription["latest_invoice"] else None
    if invoice is not None and invoice["status"] == "open":
        _collect(work, invoice, method, is_authenticated=bool(form.get("authenticated")))
    session |= {"status": "complete", "subscription": subscription["id"], "invoice": subscription["latest_invoice"], "url": None}
    session |= {"customer": customer["id"]}
    if invoice is not None:
        off = sum(each["amount"] for each in invoice["total_discount_amounts"])
        session |= {"amount_subtotal": invoice["subtotal"], "amount_total": invoice["total"]}
        session["total_details"]["amount_discount"] = off
    due = invoice["amount_due"] if invoice is not None else 0
    session["payment_status"] = "paid" if due or (invoice and invoice["total"]) else "no_payment_required"
    _note_details(work, session, customer)
    work.emit("checkout.session.completed", session)
    return subscription


def _collect(work: Work, invoice: Thing, method: Thing | None, *, is_authenticated: bool) -> None:
    result = collect(work, invoice, method, off_session=False, is_authenticated=is_authenticated)
    if result == "paid":
        return
    reason = "authentication_required" if result == "authenticate" else (method or {}).get("_reason", "generic_decline")
    refusal = decline(reason)
    # Nothing has happened until it is paid: another card may follow.
    refusal.keeps = False
    raise refusal


def _customer_of(work: Work, session: Thing, form: dict[str, str]) -> Thing:
    if session["customer"]:
        customer = work.get("customer", session["customer"], "customer")
    else:
        email = form.get("email") or session["customer_email"]
        if not email:
            raise invalid("An email address is needed.", "email")
        customer = make_customer(work, {"email": email, "name": form.get("name") or None})
    if form.get("tax_id") and session["tax_id_collection"]["enabled"]:
        made = {"type": form.get("tax_id_type") or "eu_vat", "value": form["tax_id"]}
        make_tax_id(work, customer, made, "tax_id")
    return customer


def _note_details(work: Work, session: Thing, customer: Thing) -> None:
    tax_ids = [{"type": each["type"], "value": each["value"]} for each in work.store.owned("tax_id", customer["id"])]
    session["customer_details"] = {
        "address": customer["address"],
        "business_name": None,
        "email": customer["email"],
        "individual_name": None,
        "name": customer["name"],
        "phone": customer["phone"],
        "tax_exempt": customer["tax_exempt"],
        "tax_ids": tax_ids,
    }


def _is_recurring(work: Work, line: dict[str, Any]) -> bool:
    return sold(work, line["price"], "line_items")["recurring"] is not None


def _code_named(work: Work, code: str) -> Thing:
    for each in work.store.all("promotion_code"):
        if each["active"] and each["code"].lower() == code.strip().lower():
            return each
    raise invalid("This code is invalid.", "promotion_code")


def _update(ask: Ask) -> Thing:
    session = ask.named("checkout.session", "session")
    merge_metadata(session, ask.params.get("metadata"))
    return session


def _expire(ask: Ask) -> Thing:
    session = ask.named("checkout.session", "session")
    if session["status"] != "open":
        raise invalid(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This one is {session["status"]}.', "session"
        )
    expire_session(ask.work, session)
    return session


def _list(ask: Ask) -> dict[str, Any]:
    params = ask.params
    email = (params.get("customer_details") or {}).get("email")
    return ask.page(
        each
        for each in ask.work.store.all("checkout.session")
        if all(params.get(name) in (None, each[name]) for name in ("customer", "status", "subscription"))
        and email in (None, (each["customer_details"] or {}).get("email"))
    )


def _lines(ask: Ask) -> dict[str, Any]:
    session = ask.named("checkout.session", "session")
    return listed(ask.url, lines_shown(ask.work, session))


HANDLERS: Final[dict[str, Handler]] = {
    "checkout.sessions.create": _create,
    "checkout.sessions.update": _update,
    "checkout.sessions.retrieve": lambda ask: ask.named("checkout.session", "session"),
    "checkout.sessions.list": _list,
    "checkout.sessions.expire": _expire,
    "checkout.sessions.line_items": _lines,
}
