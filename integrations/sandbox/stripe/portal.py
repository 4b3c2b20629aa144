"""The billing portal: its configurations, its sessions, and what customers do there for themselves."""

from typing import Any, Final

from integrations.sandbox.stripe.asking import Ask, Handler, merge_metadata
from integrations.sandbox.stripe.cards import attach, card_named, make_method
from integrations.sandbox.stripe.changing import cancel, update
from integrations.sandbox.stripe.customers import set_default_method
from integrations.sandbox.stripe.items import items_of
from integrations.sandbox.stripe.refusals import invalid
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.world import Work, random_text

_REASONS: Final = ("too_expensive", "missing_features", "switched_service", "unused", "other")
_FEATURES: Final[dict[str, dict[str, Any]]] = {
    "customer_update": {"allowed_updates": ["email", "address", "tax_id"], "enabled": False},
    "invoice_history": {"enabled": False},
    "payment_method_update": {"enabled": False, "payment_method_configuration": None},
    "subscription_cancel": {
        "cancellation_reason": {"enabled": False, "options": list(_REASONS)},
        "enabled": False,
        "mode": "at_period_end",
        "proration_behavior": "none",
    },
    "subscription_update": {
        "billing_cycle_anchor": None,
        "default_allowed_updates": [],
        "enabled": False,
        "products": None,
        "proration_behavior": "none",
        "schedule_at_period_end": {"conditions": []},
        "trial_update_behavior": "end_trial",
    },
}
_USUAL: Final = ("invoice_history", "payment_method_update", "subscription_cancel", "customer_update")


def _make(work: Work, params: dict[str, Any], *, is_default: bool = False) -> Thing:
    now = work.now()
    made = work.new("billing_portal.configuration", "bpc", now, active=True, is_default=is_default, updated=now)
    made |= {"business_profile": dict.fromkeys(("headline", "privacy_policy_url", "terms_of_service_url"))}
    made |= {"features": {name: dict(each) for name, each in _FEATURES.items()}, "login_page": {"enabled": False, "url": None}}
    made["metadata"] = {}
    _set(made, params)
    work.store.add(made)
    work.emit("billing_portal.configuration.created", made)
    return made


def _set(made: Thing, params: dict[str, Any]) -> None:
    for name in ("active", "default_return_url", "name"):
        if name in params:
            made[name] = params[name] if params[name] != "" else None
    made["business_profile"] |= params.get("business_profile") or {}
    for name, given in (params.get("features") or {}).items():
        feature = made["features"][name]
        for key, value in given.items():
            # What is inside of the reasons is set one by one, everything else as a whole.
            feature[key] = feature[key] | value if key == "cancellation_reason" else value if value != "" else None
        for each in feature.get("products") or []:
            each["adjustable_quantity"] = {"enabled": False, "maximum": None, "minimum": 1} | each.get("adjustable_quantity", {})
    merge_metadata(made, params.get("metadata"))


def _default(work: Work) -> Thing:
    for each in work.store.all("billing_portal.configuration"):
        if each["is_default"]:
            return each
    return _make(work, {"features": {name: {"enabled": True} for name in _USUAL}}, is_default=True)


def _update(ask: Ask) -> Thing:
    made = ask.named("billing_portal.configuration", "configuration")
    _set(made, ask.params)
    ask.work.changed("billing_portal.configuration.updated", made)
    return made


def _list(ask: Ask) -> dict[str, Any]:
    wanted = {name: ask.params[name] for name in ("active", "is_default") if name in ask.params}
    found = ask.work.store.all("billing_portal.configuration")
    return ask.page(each for each in found if all(each[name] == value for name, value in wanted.items()))


def _open(ask: Ask) -> Thing:
    work, params = ask.work, ask.params
    if "customer" not in params:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    customer = work.get("customer", params["customer"], "customer")
    name = params.get("configuration")
    configuration = work.get("billing_portal.configuration", name, "configuration") if name else _default(work)
    session = work.new("billing_portal.session", "bps", work.now(), customer=customer["id"], configuration=configuration["id"])
    session |= {"_token": random_text(32), "locale": params.get("locale")}
    session |= {"return_url": params.get("return_url") or configuration["default_return_url"]}
    session["url"] = f"{work.world.url}/pay/portal/{session['_token']}"
    work.store.add(session, session["_token"])
    work.emit("billing_portal.session.created", session)
    return session


def act(work: Work, session: Thing, action: str, form: dict[str, str]) -> None:
    """Do what somebody asks for on the page: `card`, `cancel`, `keep` or `quantity`. Raises Refusal."""
    configuration = work.store.find(session["configuration"])
    customer = work.store.find(session["customer"])
    assert configuration is not None and customer is not None
    features = configuration["features"]
    if action == "card" and features["payment_method_update"]["enabled"]:
        method = make_method(work, card_named(form.get("card") or "4242424242424242", "card"), work.now(customer))
        attach(work, method["id"], customer, "card")
        set_default_method(work, customer, method)
        return
    subscription = work.get("subscription", form.get("subscription", ""), "subscription")
    if subscription["customer"] != customer["id"]:
        raise invalid("No such subscription.", "subscription", "resource_missing")
    if action == "cancel" and features["subscription_cancel"]["enabled"]:
        details = {"cancellation_details": {"feedback": form["feedback"]}} if form.get("feedback") else {}
        if features["subscription_cancel"]["mode"] == "immediately":
            prorates = features["subscription_cancel"]["proration_behavior"] != "none"
            cancel(work, subscription, details | {"prorate": prorates, "invoice_now": prorates})
        else:
            # For subscriptions in the flexible mode the portal sets the moment, and leaves `cancel_at_period_end` as it is.
            update(work, subscription, details | {"cancel_at": "max_period_end"})
    elif action == "keep" and features["subscription_cancel"]["enabled"]:
        update(work, subscription, {"cancel_at": ""})
    elif action == "quantity" and features["subscription_update"]["enabled"]:
        quantity = form.get("quantity", "")
        if not quantity.isdigit() or not int(quantity):
            raise invalid("Invalid quantity.", "quantity")
        item = next(each for each in items_of(work, subscription) if "quantity" in each)
        behavior = features["subscription_update"]["proration_behavior"]
        update(work, subscription, {"items": [{"id": item["id"], "quantity": int(quantity)}], "proration_behavior": behavior})
    else:
        raise invalid("The portal is not configured for that.", "action")


HANDLERS: Final[dict[str, Handler]] = {
    "billing_portal.configurations.create": lambda ask: _make(ask.work, ask.params),
    "billing_portal.configurations.update": _update,
    "billing_portal.configurations.retrieve": lambda ask: ask.named("billing_portal.configuration", "configuration"),
    "billing_portal.configurations.list": _list,
    "billing_portal.sessions.create": _open,
}
