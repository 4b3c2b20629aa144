"""What is sold: products and prices."""

from decimal import Decimal, InvalidOperation
from typing import Any, Final

from integrations.sandbox.stripe.asking import Ask, Handler, deleted, merge_metadata
from integrations.sandbox.stripe.refusals import empty, invalid, missing, resource_missing
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.world import Work


def _create_product(ask: Ask) -> Thing:
    work, params = ask.work, ask.params
    _refuse_nameless(ask)
    now = work.now()
    if "id" in params and work.store.find(params["id"]) is not None:
        raise invalid("Product already exists.", "id", "resource_already_exists")
    product = work.new("product", "prod", now, thing_id=params.get("id", ""))
    product |= {"active": True, "images": [], "marketing_features": [], "metadata": {}, "updated": now}
    product |= ask.given("active", "description", "images", "marketing_features", "name", "unit_label", "url")
    merge_metadata(product, params.get("metadata"))
    work.store.add(product)
    work.emit("product.created", product)
    if "default_price_data" in params:
        price = make_price(work, params["default_price_data"] | {"product": product["id"]})
        product["default_price"] = price["id"]
    return product


def _refuse_nameless(ask: Ask) -> None:
    if ask.params.get("name") == "":
        raise empty("name")


def _update_product(ask: Ask) -> Thing:
    product = ask.named("product", "id")
    _refuse_nameless(ask)
    product |= ask.given(
        "active",
        "description",
        "images",
        "marketing_features",
        "name",
        "unit_label",
        "url",
        "default_price",
        "statement_descriptor",
    )
    merge_metadata(product, ask.params.get("metadata"))
    ask.work.changed("product.updated", product)
    product["updated"] = ask.work.now()
    return product


def _delete_product(ask: Ask) -> dict[str, Any]:
    product = ask.named("product", "id")
    if any(True for _ in ask.work.store.owned("price", product["id"])):
        raise invalid("This product cannot be deleted because it has one or more user-created prices.")
    ask.work.emit("product.deleted", product)
    product["_deleted"] = True
    return deleted(product)


def _list_products(ask: Ask) -> dict[str, Any]:
    active, ids = ask.params.get("active"), ask.params.get("ids")
    found = (
        each for each in ask.work.store.all("product") if active in (None, each["active"]) and (not ids or each["id"] in ids)
    )
    return ask.page(found)


def make_price(work: Work, params: dict[str, Any]) -> Thing:
    """Make a price. Raises Refusal: it can't be charged by, or its key is taken."""
    now = work.now()
    price = work.new("price", "price", now, currency=params["currency"].lower(), active=params.get("active", True))
    price |= {
        "billing_scheme": params.get("billing_scheme", "per_unit"),
        "tax_behavior": params.get("tax_behavior", "unspecified"),
    }
    price |= {name: params[name] for name in ("nickname", "tiers_mode", "transform_quantity") if name in params}
    price |= {"metadata": params.get("metadata") or {}, "type": "recurring" if "recurring" in params else "one_time"}
    _set_amount(price, params)
    if "recurring" in params:
        price["recurring"] = _recurring(work, params["recurring"])
    if "product" in params:
        price["product"] = work.get("product", params["product"], "product")["id"]
    elif "product_data" in params:
        product = work.new("product", "prod", now, active=True, images=[], marketing_features=[], metadata={})
        product |= {"name": params["product_data"]["name"], "updated": now}
        price["product"] = work.store.add(product)["id"]
    else:
        raise missing("product")
    _set_key(work, price, params.get("lookup_key"), takes=params.get("transfer_lookup_key", False))
    work.store.add(price, price["product"])
    work.emit("price.created", price)
    return price


def _set_amount(price: Thing, params: dict[str, Any]) -> None:
    if "tiers" in params or price["billing_scheme"] == "tiered":
        if not params.get("tiers") or not params.get("tiers_mode"):
            raise missing("tiers" if not params.get("tiers") else "tiers_mode")
        price["_tiers"] = [_tier(each) for each in params["tiers"]]
        price["billing_scheme"] = "tiered"
        return
    if "unit_amount" not in params and "unit_amount_decimal" not in params:
        raise missing("unit_amount")
    exact = _exact(params.get("unit_amount_decimal", params.get("unit_amount")), "unit_amount")
    price["unit_amount"] = int(exact) if exact == int(exact) else None
    price["unit_amount_decimal"] = format(exact.normalize(), "f")


def _exact(given: Any, param: str) -> Decimal:
    try:
        exact = Decimal(str(given))
    except InvalidOperation:
        raise invalid("Invalid decimal.", param) from None
    if not 0 <= exact < 10**12:
        raise invalid("Invalid non-negative integer", param, "parameter_invalid_integer")
    return exact


def _tier(given: dict[str, Any]) -> dict[str, Any]:
    upto = given["up_to"]
    tier = dict.fromkeys(("flat_amount", "flat_amount_decimal", "unit_amount", "unit_amount_decimal"))
    tier |= {"up_to": None if upto == "inf" else int(upto)}
    for name in ("flat_amount", "unit_amount"):
        exact = given.get(f"{name}_decimal", given.get(name))
        if exact is not None:
            number = _exact(exact, f"tiers[{name}]")
            tier |= {name: int(number) if number == int(number) else None, f"{name}_decimal": format(number.normalize(), "f")}
    return tier


def _recurring(work: Work, given: dict[str, Any]) -> dict[str, Any]:
    usage = given.get("usage_type", "licensed")
    meter = given.get("meter")
    longest = {"day": 1_095, "week": 156, "month": 36, "year": 3}[given["interval"]]
    if not 1 <= given.get("interval_count", 1) <= longest:
        raise invalid("Invalid interval_count: at most three years.", "recurring[interval_count]")
    if usage == "metered" and not meter:
        raise invalid(
            "Metered prices must be backed by a meter. Set recurring[meter] to the ID of a billing meter.", "recurring[meter]"
        )
    if meter and work.get("billing.meter", meter, "recurring[meter]")["status"] != "active":
        raise invalid("The meter is not active.", "recurring[meter]")
    return {
        "interval": given["interval"],
        "interval_count": given.get("interval_count", 1),
        "meter": meter,
        "usage_type": usage,
    }


def _set_key(work: Work, price: Thing, key: str | None, *, takes: bool) -> None:
    if key is None:
        return
    for other in work.store.all("price"):
        if key and other["lookup_key"] == key and other["id"] != price["id"]:
            if not takes:
                raise invalid(f"A price (`{other['id']}`) already uses that lookup key.", "lookup_key", "resource_already_exists")
            other["lookup_key"] = None
            work.changed("price.updated", other)
    price["lookup_key"] = key or None


def _update_price(ask: Ask) -> Thing:
    price = ask.named("price", "price")
    price |= ask.given("active", "nickname", "tax_behavior")
    _set_key(ask.work, price, ask.params.get("lookup_key"), takes=ask.params.get("transfer_lookup_key", False))
    merge_metadata(price, ask.params.get("metadata"))
    ask.work.changed("price.updated", price)
    return price


def _list_prices(ask: Ask) -> dict[str, Any]:
    params = ask.params
    found = (
        each
        for each in ask.work.store.all("price")
        if params.get("active") in (None, each["active"])
        and params.get("currency") in (None, each["currency"])
        and params.get("product") in (None, each["product"])
        and params.get("type") in (None, each["type"])
        and ("lookup_keys" not in params or each["lookup_key"] in params["lookup_keys"])
        and all((each["recurring"] or {}).get(name) == value for name, value in params.get("recurring", {}).items())
    )
    return ask.page(found)


def sold(work: Work, price_id: Any, param: str) -> Thing:
    """Return a price that is for sale. Raises Refusal."""
    price = work.store.find(str(price_id))
    if price is None or price["object"] != "price":
        raise resource_missing("price", str(price_id), param, status=400)
    if not price["active"]:
        raise invalid(f"The price specified is inactive. This field only accepts active prices. ({price_id})", param)
    return price


HANDLERS: Final[dict[str, Handler]] = {
    "products.create": _create_product,
    "products.update": _update_product,
    "products.delete": _delete_product,
    "products.list": _list_products,
    "products.retrieve": lambda ask: ask.named("product", "id"),
    "products.search": lambda ask: ask.search(ask.work.store.all("product")),
    "prices.create": lambda ask: make_price(ask.work, ask.params),
    "prices.update": _update_price,
    "prices.list": _list_prices,
    "prices.retrieve": lambda ask: ask.named("price", "price"),
    "prices.search": lambda ask: ask.search(ask.work.store.all("price")),
}
