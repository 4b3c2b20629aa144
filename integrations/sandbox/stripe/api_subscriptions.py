"""The operations of subscriptions and their items."""

from typing import Any, Final

from integrations.sandbox.stripe.asking import Ask, Handler, deleted, merge_metadata
from integrations.sandbox.stripe.changing import cancel, resume, update
from integrations.sandbox.stripe.items import items_of
from integrations.sandbox.stripe.refusals import invalid
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.subscribing import subscribe

_KEY: Final = "subscription_exposed_id"
_OVER: Final = ("canceled", "incomplete_expired")


def _update(ask: Ask) -> Thing:
    subscription = ask.named("subscription", _KEY)
    update(ask.work, subscription, ask.params)
    return subscription


def _cancel(ask: Ask) -> Thing:
    subscription = ask.named("subscription", _KEY)
    cancel(ask.work, subscription, ask.params)
    return subscription


def _resume(ask: Ask) -> Thing:
    subscription = ask.named("subscription", "subscription")
    resume(ask.work, subscription, ask.params)
    return subscription


def _list(ask: Ask) -> dict[str, Any]:
    params, store = ask.params, ask.work.store
    status, price, clock = params.get("status"), params.get("price"), params.get("test_clock")

    def is_wanted(each: Thing) -> bool:
        if status == "ended":
            fits = each["status"] in _OVER
        elif status is None:
            fits = each["status"] != "canceled"
        else:
            fits = status in ("all", each["status"])
        return (
            fits
            and (price is None or any(item["price"] == price for item in store.owned("subscription_item", each["id"])))
            and params.get("collection_method") in (None, each["collection_method"])
            and (clock is None or clock == each["test_clock"])
        )

    named = params.get("customer")
    found = store.owned("subscription", named) if named else store.all("subscription")
    return ask.page(each for each in found if is_wanted(each) and (named or clock or not each["test_clock"]))


def _delete_discount(ask: Ask) -> dict[str, Any]:
    subscription = ask.named("subscription", _KEY)
    if not subscription["discounts"]:
        raise invalid("No active discount for this subscription.", "id", "resource_missing")
    discount = ask.work.store.find(subscription["discounts"].pop())
    assert discount is not None
    ask.work.emit("customer.discount.deleted", discount)
    ask.work.changed("customer.subscription.updated", subscription)
    return {name: value for name, value in discount.items() if not name.startswith("_")} | {"deleted": True}


def _of_item(ask: Ask, change: dict[str, Any]) -> Thing:
    named = ("payment_behavior", "proration_behavior", "proration_date", "off_session")
    more = {name: ask.params[name] for name in named if name in ask.params}
    if "subscription" in ask.params:
        subscription = ask.work.get("subscription", ask.params["subscription"], "subscription")
    else:
        subscription = ask.work.get("subscription", ask.named("subscription_item", "item")["subscription"], "id")
    update(ask.work, subscription, more | {"items": [change]})
    return subscription


def _create_item(ask: Ask) -> Thing:
    subscription = _of_item(ask, {name: ask.params[name] for name in ("price", "quantity", "metadata") if name in ask.params})
    return items_of(ask.work, subscription)[-1]


def _update_item(ask: Ask) -> Thing:
    item = ask.named("subscription_item", "item")
    if set(ask.params) <= {"metadata", "expand"}:
        merge_metadata(item, ask.params.get("metadata"))
        return item
    _of_item(
        ask, {"id": item["id"]} | {name: ask.params[name] for name in ("price", "quantity", "metadata") if name in ask.params}
    )
    return item


def _delete_item(ask: Ask) -> dict[str, Any]:
    item = ask.named("subscription_item", "item")
    _of_item(ask, {"id": item["id"], "deleted": True})
    return deleted(item)


def _list_items(ask: Ask) -> dict[str, Any]:
    return ask.page(items_of(ask.work, ask.work.get("subscription", ask.params["subscription"], "subscription")))


HANDLERS: Final[dict[str, Handler]] = {
    "subscriptions.create": lambda ask: subscribe(ask.work, ask.params),
    "subscriptions.update": _update,
    "subscriptions.cancel": _cancel,
    "subscriptions.resume": _resume,
    "subscriptions.retrieve": lambda ask: ask.named("subscription", _KEY),
    "subscriptions.list": _list,
    "subscriptions.search": lambda ask: ask.search(ask.work.store.all("subscription")),
    "subscriptions.delete_discount": _delete_discount,
    "subscription_items.create": _create_item,
    "subscription_items.update": _update_item,
    "subscription_items.delete": _delete_item,
    "subscription_items.retrieve": lambda ask: ask.named("subscription_item", "item"),
    "subscription_items.list": _list_items,
}
