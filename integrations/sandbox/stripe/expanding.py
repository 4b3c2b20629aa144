"""`expand`: things in the place of their ids: https://docs.stripe.com/expand"""

from collections.abc import Callable
from typing import Any, Final

from integrations.sandbox.stripe.checkout import lines_shown
from integrations.sandbox.stripe.refusals import Refusal
from integrations.sandbox.stripe.shapes import listed, shown
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.world import Work

_DEEPEST: Final = 4


def _listing(kind: str, noun: str) -> Callable[[Work, Thing], dict[str, Any]]:
    return lambda work, thing: listed(
        f"/v1/customers/{thing['id']}/{noun}", [shown(work.store, each) for each in work.store.owned(kind, thing["id"])]
    )


def _subscriptions(work: Work, customer: Thing) -> dict[str, Any]:
    found = [each for each in work.store.owned("subscription", customer["id"]) if each["status"] != "canceled"]
    return listed(f"/v1/customers/{customer['id']}/subscriptions", [shown(work.store, each) for each in found])


def _payments(work: Work, invoice: Thing) -> dict[str, Any]:
    found = [shown(work.store, each) for each in work.store.owned("invoice_payment", invoice["id"])]
    return listed(f"/v1/invoice_payments?invoice={invoice['id']}", found)


def _secret(work: Work, invoice: Thing) -> dict[str, Any] | None:
    intent = work.store.find(invoice["_intent"] or "")
    return None if intent is None else {"client_secret": intent["client_secret"], "type": "payment_intent"}


def _tiers(work: Work, price: Thing) -> list[dict[str, Any]] | None:
    return price.get("_tiers")


# What is left out unless it is asked for.
_INCLUDED: Final[dict[tuple[str, str], Callable[[Work, Thing], Any]]] = {
    ("customer", "subscriptions"): _subscriptions,
    ("customer", "tax_ids"): _listing("tax_id", "tax_ids"),
    ("customer", "sources"): lambda work, thing: listed(f"/v1/customers/{thing['id']}/sources", []),
    ("invoice", "payments"): _payments,
    ("invoice", "confirmation_secret"): _secret,
    ("price", "tiers"): _tiers,
    ("checkout.session", "line_items"): lambda work, thing: listed(
        f"/v1/checkout/sessions/{thing['id']}/line_items", lines_shown(work, thing)
    ),
}


def expand(work: Work, answer: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    """Return an answer with everything expanded that was asked for. Raises Refusal: that can't be."""
    for path in paths:
        parts = path.split(".")
        if len(parts) > _DEEPEST:
            raise Refusal("You cannot expand more than 4 levels of a property.", param="expand")
        _walk(work, answer, parts, path)
    return answer


def _walk(work: Work, node: Any, parts: list[str], path: str) -> None:
    if isinstance(node, list):
        for each in node:
            _walk(work, each, parts, path)
        return
    if not isinstance(node, dict) or not parts:
        return
    head, rest = parts[0], parts[1:]
    node[head] = _value(work, node, head, path)
    value = node[head]
    if isinstance(value, str):
        node[head] = value = _thing(work, value, head)
    elif isinstance(value, list) and value and isinstance(value[0], str):
        node[head] = value = [_thing(work, each, head) for each in value]
    _walk(work, value, rest, path)


def _value(work: Work, node: dict[str, Any], name: str, path: str) -> Any:
    kind = node.get("object", "")
    included = _INCLUDED.get((kind, name))
    if included is not None and node.get(name) is None:
        thing = work.store.find(node["id"])
        if thing is not None:
            return included(work, thing)
    known = work.world.contract.expandable(kind)
    is_container = isinstance(node.get(name), dict | list)
    if name not in node or (known and name not in known and not is_container):
        raise Refusal(f"This property cannot be expanded ({path}).", param="expand")
    return node[name]


def _thing(work: Work, thing_id: str, name: str) -> Any:
    found = work.store.find(thing_id)
    if found is None:
        raise Refusal(f"This property cannot be expanded ({name}).", param="expand")
    return shown(work.store, found)
