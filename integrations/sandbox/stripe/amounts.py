"""What a quantity of something costs, in minor units, and how lines of invoices say so."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from integrations.sandbox.stripe.periods import day_of
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.world import Work

_SIGNS = {"usd": "$", "eur": "€", "gbp": "£"}


def amount_of(price: Thing, quantity: int) -> int:
    """Return what a quantity costs: per unit, per package, or by tiers."""
    if price["billing_scheme"] == "tiered":
        return _whole(_tiered(price["_tiers"], quantity, is_graduated=price["tiers_mode"] == "graduated"))
    packages = price["transform_quantity"]
    if packages:
        whole, rest = divmod(quantity, packages["divide_by"])
        quantity = whole + (1 if rest and packages["round"] == "up" else 0)
    return _whole(Decimal(price["unit_amount_decimal"]) * quantity)


def _tiered(tiers: list[dict[str, Any]], quantity: int, *, is_graduated: bool) -> Decimal:
    total, below = Decimal(0), 0
    for tier in tiers:
        upto = tier["up_to"]
        is_last = upto is None or quantity <= upto
        if is_graduated and quantity > below:
            inside = (quantity if is_last else upto) - below
            total += Decimal(tier["unit_amount_decimal"] or 0) * inside + Decimal(tier["flat_amount_decimal"] or 0)
        elif not is_graduated and is_last:
            total = Decimal(tier["unit_amount_decimal"] or 0) * quantity + Decimal(tier["flat_amount_decimal"] or 0)
        if is_last:
            break
        below = upto
    return total


def _whole(amount: Decimal) -> int:
    return int(amount.to_integral_value(ROUND_HALF_UP))


def money(amount: int, currency: str) -> str:
    """Return an amount of minor units for people."""
    sign = _SIGNS.get(currency, f"{currency.upper()} ")
    return f"{'-' if amount < 0 else ''}{sign}{abs(amount) // 100:,}.{abs(amount) % 100:02d}"


def product_name(work: Work, price: Thing) -> str:
    """Return what is sold at a price."""
    product = work.store.find(price["product"])
    assert product is not None
    return str(product["name"])


def described(work: Work, price: Thing, quantity: int) -> str:
    """Return a line's words for a whole period, such as `3 × Pro (at $30.00 / month)`."""
    recurring = price["recurring"]
    every = (
        recurring["interval"] if recurring["interval_count"] == 1 else f"{recurring['interval_count']} {recurring['interval']}s"
    )
    if price["billing_scheme"] == "tiered":
        return f"{quantity} × {product_name(work, price)} (Tiered pricing / {every})"
    unit = Decimal(price["unit_amount_decimal"]) / 100
    each = f"{_SIGNS.get(price['currency'], price['currency'].upper() + ' ')}{max(unit.quantize(Decimal('0.01')), unit)}"
    return f"{quantity} × {product_name(work, price)} (at {each} / {every})"


def described_part(work: Work, price: Thing, quantity: int, at: int, *, is_credit: bool) -> str:
    """Return a proration's words, such as `Remaining time on 5 × Pro after 21 Nov 2026`."""
    amount = f"{quantity} × " if quantity != 1 else ""
    return f"{'Unused' if is_credit else 'Remaining'} time on {amount}{product_name(work, price)} after {day_of(at)}"
