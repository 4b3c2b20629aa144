"""How a thing is shown: without what is the sandbox's own, and with what belongs to it inside."""

from collections.abc import Iterable
from typing import Any, Final

from integrations.sandbox.stripe.contract import contract
from integrations.sandbox.stripe.store import Store, Thing

_SHOWN_LINES: Final = 10


def listed(url: str, data: list[Any], *, has_more: bool = False) -> dict[str, Any]:
    """Return a list as the API has it."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def shown(store: Store, thing: Thing) -> dict[str, Any]:
    """Return a thing as the API shows it, with nothing expanded."""
    if thing.get("_deleted") and thing["object"] in ("customer", "product", "coupon"):
        return {"id": thing["id"], "object": thing["object"], "deleted": True}
    public: dict[str, Any] = without_own(thing)
    kind = thing["object"]
    for name in contract().lacks(kind):
        public.pop(name, None)
    if kind == "subscription":
        items = [shown(store, each) for each in store.owned("subscription_item", thing["id"])]
        public["items"] = listed(f"/v1/subscription_items?subscription={thing['id']}", items)
    elif kind == "subscription_item":
        price = store.find(thing["price"])
        assert price is not None
        public["price"] = shown(store, price)
    elif kind == "customer" and thing.get("discount"):
        discount = store.find(thing["discount"])
        public["discount"] = without_own(discount) if discount else None
    elif kind == "invoice":
        lines = [without_own(each) for each in thing["_lines"]]
        url = f"/v1/invoices/{thing['id']}/lines"
        public["lines"] = listed(url, lines[:_SHOWN_LINES], has_more=len(lines) > _SHOWN_LINES) | {"total_count": len(lines)}
    return public


def without_own(value: Any) -> Any:
    """Return what is left when everything of the sandbox's own is taken away."""
    if isinstance(value, dict):
        return {name: without_own(each) for name, each in value.items() if not name.startswith("_")}
    if isinstance(value, list):
        return [without_own(each) for each in value]
    return value


def names_of(things: Iterable[Thing]) -> list[str]:
    """Return the ids of things."""
    return [each["id"] for each in things]
