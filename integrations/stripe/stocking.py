"""What is sold, made at Stripe where it is not there yet.

Prices are found by their lookup keys. Whoever wants another price makes it in Stripe's dashboard, with the metadata of the old
one, and moves the lookup key to it: it is sold from then on, and those who bought before keep what they have.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import stripe

from integrations.errors import Rejected
from integrations.payments import Catalogue, SoldMeter, SoldPlan
from integrations.stripe.readings import METER, PLAN
from integrations.stripe.wire import Wire

EVERY: Final = ("month", "year")
_PORTAL: Final = "ringside"
_KEYS_AT_ONCE: Final = 10


def seat_key(plan: str, every: str) -> str:
    """The lookup key of a plan's price for a seat."""
    return f"ringside_{plan}_{every}"


def meter_key(meter: str, every: str) -> str:
    """The lookup key of a metered price. Everything in a subscription has one interval, so there is one for each."""
    return f"ringside_{meter}_{every}"


def event_name(meter: str) -> str:
    """What a meter's events are called."""
    return f"ringside_{meter}"


class Stock:
    """The prices by their keys, looked up once."""

    def __init__(self, v1: Any, wire: Wire) -> None:
        self._v1 = v1
        self._wire = wire
        self._prices: dict[str, str] = {}
        self._meters: tuple[str, ...] = ()
        self._portal = ""
        self._turn = asyncio.Lock()

    async def stock(self, catalogue: Catalogue) -> None:
        """Make what is missing."""
        async with self._turn:
            self._meters = tuple(each.name for each in catalogue.meters)
            await self._look(catalogue)
            for plan in catalogue.plans:
                await self._sell_plan(plan, catalogue.currency)
            for meter in catalogue.meters:
                await self._sell_meter(meter, catalogue.currency)
            await self._set_up_portal()

    def price(self, key: str) -> str:
        """The id of a price. Raises Rejected where nothing of this kind is sold."""
        if key not in self._prices:
            raise Rejected("no_such_price", f"There is no price with the lookup key {key} at Stripe.", 404)
        return self._prices[key]

    def metered(self, every: str) -> list[str]:
        """The ids of the metered prices that go with an interval."""
        return [self.price(meter_key(meter, every)) for meter in self._meters]

    @property
    def portal(self) -> str:
        """The id of the portal's configuration."""
        return self._portal

    async def _look(self, catalogue: Catalogue) -> None:
        keys = [seat_key(plan.name, every) for plan in catalogue.plans for every in EVERY]
        keys += [meter_key(meter.name, every) for meter in catalogue.meters for every in EVERY]
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            await self._find(keys[start : start + _KEYS_AT_ONCE])

    async def _find(self, keys: list[str]) -> None:
        asked = {"lookup_keys": keys, "active": True, "limit": 100}
        found = await self._wire.read("prices.list", lambda: self._v1.prices.list_async(asked))
        self._prices |= {each.lookup_key: each.id for each in found.data}

    async def _sell_plan(self, plan: SoldPlan, currency: str) -> None:
        product = f"ringside_{plan.name}"
        for every, amount in zip(EVERY, (plan.monthly_minor, plan.yearly_minor), strict=True):
            if seat_key(plan.name, every) in self._prices:
                continue
            await self._product(product, plan.title, "seat")
            await self._sell(
                seat_key(plan.name, every),
                product=product,
                currency=currency,
                unit_amount=amount,
                recurring={"interval": every},
                metadata={PLAN: plan.name},
            )

    async def _sell_meter(self, meter: SoldMeter, currency: str) -> None:
        missing = [every for every in EVERY if meter_key(meter.name, every) not in self._prices]
        if not missing:
            return
        made_for = await self._meter(meter)
        product = f"ringside_{meter.name}"
        await self._product(product, meter.title, meter.unit)
        for every in missing:
            await self._sell(
                meter_key(meter.name, every),
                product=product,
                currency=currency,
                unit_amount_decimal=f"{meter.price_centiminor / 100:g}",
                recurring={"interval": every, "usage_type": "metered", "meter": made_for},
                metadata={METER: meter.name},
            )

    async def _sell(self, key: str, **fields: Any) -> None:
        wanted = {"lookup_key": key, **fields}
        try:
            made = await self._wire.write("prices.create", lambda options: self._v1.prices.create_async(wanted, options))
        except Rejected as refusal:
            if refusal.code != "resource_already_exists":
                raise
            # Another process has made it meanwhile.
            await self._find([key])
        else:
            self._prices[key] = made.id

    async def _product(self, product: str, title: str, unit: str) -> None:
        wanted = {"id": product, "name": f"Ringside {title}", "unit_label": unit}
        try:
            await self._wire.write("products.create", lambda options: self._v1.products.create_async(wanted, options))
        except Rejected as refusal:
            if refusal.code != "resource_already_exists":
                raise

    async def meter_id(self, name: str) -> str:
        """The id of a meter. Raises Rejected where there is none."""
        found = await self._find_meter(name)
        if found is None:
            raise Rejected("no_such_meter", f"There is no active meter for {event_name(name)} at Stripe.", 404)
        return found

    async def _find_meter(self, name: str) -> str | None:
        listed = await self._wire.read(
            "billing.meters.list", lambda: self._v1.billing.meters.list_async({"status": "active", "limit": 100})
        )
        return next((str(each.id) for each in listed.data if each.event_name == event_name(name)), None)

    async def _meter(self, meter: SoldMeter) -> str:
        found = await self._find_meter(meter.name)
        if found is not None:
            return found
        wanted = {
            "display_name": meter.title,
            "event_name": event_name(meter.name),
            "default_aggregation": {"formula": "sum"},
        }
        made = await self._wire.write(
            "billing.meters.create", lambda options: self._v1.billing.meters.create_async(wanted, options)
        )
        return str(made.id)

    async def _set_up_portal(self) -> None:
        """Cards, tax ids, invoices and cancelling are done there; plans and seats are changed with us, where they are checked."""
        listed = await self._wire.read(
            "billing_portal.configurations.list",
            lambda: self._v1.billing_portal.configurations.list_async({"active": True, "limit": 100}),
        )
        for each in listed.data:
            if (_plain(each).get("metadata") or {}).get("made_by") == _PORTAL:
                self._portal = str(each.id)
                return
        wanted = {
            "business_profile": {"headline": "Ringside"},
            "features": {
                "customer_update": {"enabled": True, "allowed_updates": ["address", "email", "name", "tax_id"]},
                "invoice_history": {"enabled": True},
                "payment_method_update": {"enabled": True},
                "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
            },
            "metadata": {"made_by": _PORTAL},
        }
        made = await self._wire.write(
            "billing_portal.configurations.create",
            lambda options: self._v1.billing_portal.configurations.create_async(wanted, options),
        )
        self._portal = str(made.id)


def _plain(thing: stripe.StripeObject) -> dict[str, Any]:
    return dict(thing.to_dict())
