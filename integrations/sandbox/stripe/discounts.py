"""Coupons, the codes that stand for them, and the discounts that they become."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from integrations.sandbox.stripe.asking import Ask, Handler, deleted, merge_metadata
from integrations.sandbox.stripe.periods import after_months
from integrations.sandbox.stripe.refusals import invalid, missing
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.world import Work, random_text


def _create_coupon(ask: Ask) -> Thing:
    work, params = ask.work, ask.params
    if ("percent_off" in params) == ("amount_off" in params):
        raise invalid("You must pass either `percent_off` or `amount_off`, and not both.", "percent_off")
    if "amount_off" in params and "currency" not in params:
        raise missing("currency")
    if not 0 < Decimal(str(params.get("percent_off", 1))) <= 100:
        raise invalid("Invalid decimal; must be between 0 and 100", "percent_off")
    duration = params.get("duration", "once")
    if (duration == "repeating") != ("duration_in_months" in params):
        raise invalid("`duration_in_months` goes with `duration` repeating, and only with it.", "duration_in_months")
    if "id" in params and work.store.find(params["id"]) is not None:
        raise invalid("Coupon already exists.", "id", "resource_already_exists")
    coupon = work.new("coupon", "", work.now(), thing_id=params.get("id") or random_text(8))
    coupon |= {"duration": duration, "metadata": {}, "times_redeemed": 0, "valid": True}
    coupon |= ask.given(
        "amount_off", "currency", "duration_in_months", "max_redemptions", "name", "percent_off", "redeem_by", "metadata"
    )
    work.store.add(coupon)
    work.emit("coupon.created", coupon)
    return coupon


def _update_coupon(ask: Ask) -> Thing:
    coupon = ask.named("coupon", "coupon")
    coupon |= ask.given("name")
    merge_metadata(coupon, ask.params.get("metadata"))
    ask.work.changed("coupon.updated", coupon)
    return coupon


def _delete_coupon(ask: Ask) -> dict[str, Any]:
    coupon = ask.named("coupon", "coupon")
    coupon["valid"] = False
    ask.work.emit("coupon.deleted", coupon)
    coupon["_deleted"] = True
    return deleted(coupon)


def _create_code(ask: Ask) -> Thing:
    work, params = ask.work, ask.params
    coupon = work.get("coupon", params["promotion"].get("coupon"), "promotion[coupon]")
    code = params.get("code") or random_text(8).upper()
    if any(each["active"] and each["code"].lower() == code.lower() for each in work.store.all("promotion_code")):
        raise invalid(f"An active promotion code with `code: {code}` already exists.", "code")
    promotion = work.new("promotion_code", "promo", work.now(), code=code, active=params.get("active", True))
    restrictions = {"first_time_transaction": False, "minimum_amount": None, "minimum_amount_currency": None}
    promotion |= {"metadata": {}, "times_redeemed": 0, "restrictions": restrictions | params.get("restrictions", {})}
    promotion |= {"promotion": {"type": "coupon", "coupon": coupon["id"]}}
    promotion |= ask.given("customer", "expires_at", "max_redemptions", "metadata")
    work.store.add(promotion, coupon["id"])
    work.emit("promotion_code.created", promotion)
    return promotion


def _update_code(ask: Ask) -> Thing:
    promotion = ask.named("promotion_code", "promotion_code")
    promotion |= ask.given("active")
    merge_metadata(promotion, ask.params.get("metadata"))
    ask.work.changed("promotion_code.updated", promotion)
    return promotion


def _list_codes(ask: Ask) -> dict[str, Any]:
    params = ask.params
    found = (
        each
        for each in ask.work.store.all("promotion_code")
        if params.get("active") in (None, each["active"])
        and str(params.get("code", each["code"])).lower() == each["code"].lower()
        and params.get("coupon") in (None, each["promotion"]["coupon"])
        and params.get("customer") in (None, each["customer"])
    )
    return ask.page(found)


def redeem(work: Work, given: dict[str, Any], customer: Thing, param: str, **of: str | None) -> Thing:
    """Make a discount of a coupon or a promotion code; `of` says what it is for. Raises Refusal: it can't be used (any more)."""
    now = work.now(customer)
    if given.get("discount"):
        return work.get("discount", given["discount"], f"{param}[discount]")
    promotion = None
    if given.get("promotion_code"):
        promotion = work.get("promotion_code", given["promotion_code"], f"{param}[promotion_code]")
        refuse_spent(promotion, now, f"{param}[promotion_code]")
        if promotion["customer"] not in (None, customer["id"]):
            raise invalid(
                "This promotion code is restricted to another customer.",
                f"{param}[promotion_code]",
                "promotion_code_customer_mismatch",
            )
        if promotion["restrictions"]["first_time_transaction"] and _has_paid(work, customer):
            raise invalid(
                "This promotion code cannot be redeemed because the associated customer has prior transactions.",
                f"{param}[promotion_code]",
                "promotion_code_not_first_time",
            )
        given = {"coupon": promotion["promotion"]["coupon"]}
    coupon = work.get("coupon", given.get("coupon"), f"{param}[coupon]")
    refuse_spent(coupon, now, f"{param}[coupon]")
    discount = work.new(
        "discount", "di", now, customer=customer["id"], start=now, source={"type": "coupon", "coupon": coupon["id"]}
    )
    # A discount has neither.
    for name in ("created", "livemode"):
        del discount[name]
    discount |= of
    if coupon["duration"] == "repeating":
        discount["end"] = after_months(now, coupon["duration_in_months"], datetime.fromtimestamp(now, UTC).day)
    discount["promotion_code"] = promotion["id"] if promotion else None
    for each in (coupon, promotion):
        if each is not None:
            each["times_redeemed"] += 1
    if coupon["max_redemptions"] is not None and coupon["times_redeemed"] >= coupon["max_redemptions"]:
        coupon["valid"] = False
    return work.store.add(discount, customer["id"])


def refuse_spent(thing: Thing, now: int, param: str) -> None:
    """Raise Refusal where a coupon or a code has run out."""
    until = thing.get("redeem_by") or thing.get("expires_at")
    used_up = thing["max_redemptions"] is not None and thing["times_redeemed"] >= thing["max_redemptions"]
    off = thing.get("active") is False or thing.get("valid") is False
    if used_up or off or (until is not None and until < now):
        noun = thing["object"].replace("_", " ")
        code = "coupon_expired" if thing["object"] == "coupon" else "promotion_code_inactive"
        raise invalid(f"This {noun} is expired or can no longer be redeemed: {thing['id']}", param, code)


def reduction(work: Work, discount: Thing, amounts: list[int], currency: str, now: int) -> list[int]:
    """Return by how much a discount lowers each of some amounts, in minor units; an amount off is shared among them."""
    coupon = work.store.find(discount["source"]["coupon"])
    assert coupon is not None
    if discount["end"] is not None and discount["end"] <= now:
        return [0] * len(amounts)
    if coupon["percent_off"] is not None:
        share = Decimal(str(coupon["percent_off"])) / 100
        return [int((amount * share).to_integral_value("ROUND_HALF_UP")) for amount in amounts]
    total = sum(amount for amount in amounts if amount > 0)
    left = min(coupon["amount_off"], total) if coupon["currency"] == currency else 0
    off, found = left, []
    for amount in amounts:
        part = min(off, round(left * amount / total)) if amount > 0 else 0
        found.append(part)
        off -= part
    # What rounding left over goes where there is room.
    for place, amount in enumerate(amounts):
        more = min(off, max(0, amount - found[place]))
        found[place] += more
        off -= more
    return found


def _has_paid(work: Work, customer: Thing) -> bool:
    return any(each["amount_paid"] > 0 for each in work.store.owned("invoice", customer["id"]))


HANDLERS: Final[dict[str, Handler]] = {
    "coupons.create": _create_coupon,
    "coupons.update": _update_coupon,
    "coupons.delete": _delete_coupon,
    "coupons.retrieve": lambda ask: ask.named("coupon", "coupon"),
    "coupons.list": lambda ask: ask.page(ask.work.store.all("coupon")),
    "promotion_codes.create": _create_code,
    "promotion_codes.update": _update_code,
    "promotion_codes.retrieve": lambda ask: ask.named("promotion_code", "promotion_code"),
    "promotion_codes.list": _list_codes,
}
