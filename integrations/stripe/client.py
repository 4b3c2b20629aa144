"""The `Payments` port on Stripe's own SDK.

Everything that writes carries an idempotency key, so it is asked for again when the answer was lost, and is still done once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import stripe
from aiohttp import ClientTimeout
from redis.asyncio import Redis

from integrations.errors import Rejected
from integrations.guard import Guard
from integrations.payments import Catalogue, CheckoutPage, Customer, InvoiceLinks, Preview, PreviewLine, Wanted
from integrations.stripe.duplicates import end_duplicate
from integrations.stripe.readings import (
    METER,
    card_words,
    chosen,
    read_card,
    read_invoice,
    read_other,
    read_subscription,
    seat_item,
)
from integrations.stripe.stocking import Stock, event_name, meter_key, seat_key
from integrations.stripe.wire import Wire

PROVIDER: Final = "stripe"
# The one that the readings were written for; an account's own default may be another.
VERSION: Final = "2026-05-27.dahlia"
_INVOICES: Final = 24
_SHORTEST_TRIAL_S: Final = 48 * 3600 + 60
_TIMEOUT_S: Final = 15.0


class StripePayments:
    """The `Payments` port on one account. Build it inside the running loop. What is sold is made when it is first needed."""

    def __init__(
        self,
        client: stripe.StripeClient,
        guard: Guard,
        catalogue: Catalogue,
        now: Callable[[], datetime] | None = None,
        test_clock: str = "",
    ) -> None:
        # The SDK's parameter types are hundreds of TypedDicts; what is sent is held to the specification by the tests instead.
        self._v1: Any = client.v1
        self._wire = Wire(guard)
        self._stock = Stock(self._v1, self._wire)
        self._catalogue = catalogue
        self._is_stocked = False
        self._now = now or (lambda: datetime.now(UTC))
        self._test_clock = test_clock

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        secret_key: str,
        redis: Redis | None,
        catalogue: Catalogue,
        *,
        api_url: str = "",
        now: Callable[[], datetime] | None = None,
        test_clock: str = "",
    ) -> AsyncIterator[StripePayments]:
        """Connect to an account.

        `api_url` is another host that speaks Stripe's protocol; empty means Stripe itself. `now` is what time it is there.
        Customers that are made go by `test_clock`, where there is one: https://docs.stripe.com/billing/testing/test-clocks
        """
        http = stripe.AIOHTTPClient(timeout=ClientTimeout(total=_TIMEOUT_S, sock_connect=5.0))
        client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": api_url} if api_url else {},
            http_client=http,
            stripe_version=VERSION,
            max_network_retries=0,
        )
        try:
            yield cls(client, Guard(PROVIDER, secret_key, redis, timeout_s=_TIMEOUT_S), catalogue, now, test_clock)
        finally:
            await http.close_async()  # type: ignore[no-untyped-call]

    async def stock(self) -> None:
        """Make what is to be sold and is not there yet."""
        await self._stock.stock(self._catalogue)
        self._is_stocked = True

    async def make_customer(self, reference: str, name: str, email: str) -> str:
        """A customer's id."""
        wanted: dict[str, Any] = {"name": name, "email": email, "metadata": {"tenant_id": reference, "company": name}}
        if self._test_clock:
            wanted["test_clock"] = self._test_clock
        made = await self._wire.write(
            "customers.create",
            lambda options: self._v1.customers.create_async(wanted, options),
            f"ringside-customer-{reference}",
        )
        return str(made.id)

    async def describe(self, customer: str, name: str, email: str, *, before: tuple[str, str]) -> None:
        """Give a customer another name and address; on the invoices stays what somebody typed in at checkout or in the portal."""
        try:
            found = await self._wire.read("customers.retrieve", lambda: self._v1.customers.retrieve_async(customer))
            known = found.to_dict()
            if known.get("deleted"):
                return
            # The metadata always: it is how the operator finds a company that pays under another name.
            asked: dict[str, Any] = {"metadata": {"company": name}}
            for field, wanted, said in (("name", name, before[0]), ("email", email, before[1])):
                if (known.get(field) or "") in ("", said):
                    asked[field] = wanted
            await self._wire.write("customers.update", lambda options: self._v1.customers.update_async(customer, asked, options))
        except Rejected as refusal:
            if refusal.code != "resource_missing":
                raise

    async def fetch(self, customer: str) -> Customer | None:
        """A customer with what they bought and owe."""
        of = {"customer": customer, "limit": 20, "status": "all"}
        of["expand"] = ["data.default_payment_method", "data.discounts", "data.discounts.source.coupon"]
        try:
            person, subscriptions, invoices = await asyncio.gather(
                self._wire.read("customers.retrieve", lambda: self._v1.customers.retrieve_async(customer)),
                self._wire.read("subscriptions.list", lambda: self._v1.subscriptions.list_async(of)),
                self._wire.read(
                    "invoices.list", lambda: self._v1.invoices.list_async({"customer": customer, "limit": _INVOICES})
                ),
            )
        except Rejected as refusal:
            if refusal.code == "resource_missing":
                return None
            raise
        known = person.to_dict()
        if known.get("deleted"):
            return None
        bought, bills = [each.to_dict() for each in subscriptions.data], [each.to_dict() for each in invoices.data]
        counts, others = chosen(bought)
        return Customer(
            id=customer,
            subscription=read_subscription(counts, bills) if counts else None,
            others=tuple(read_other(each, bills) for each in others),
            invoices=tuple(read_invoice(each) for each in bills),
            card=read_card(bought) or await self._card(known),
            # Stripe's sign is the other way round: what is negative there is the customer's.
            balance_minor=-int(known.get("balance") or 0),
            currency=known.get("currency") or "usd",
            clock_shows=await self._shown_by(known.get("test_clock")),
        )

    async def _shown_by(self, test_clock: str | None) -> datetime | None:
        """The time by a test clock; None where there is none."""
        if not test_clock:
            return None
        found = await self._wire.read(
            "test_clocks.retrieve", lambda: self._v1.test_helpers.test_clocks.retrieve_async(test_clock)
        )
        return datetime.fromtimestamp(found.frozen_time, UTC)

    async def _card(self, customer: Mapping[str, Any]) -> str:
        """The card that a customer pays with where their subscription has none of its own."""
        method = (customer.get("invoice_settings") or {}).get("default_payment_method")
        if not method:
            return ""
        found = await self._wire.read("payment_methods.retrieve", lambda: self._v1.payment_methods.retrieve_async(method))
        return card_words(found.to_dict())

    async def open_checkout(
        self, customer: str, wanted: Wanted, success_url: str, cancel_url: str, *, trial_ends_at: datetime | None = None
    ) -> CheckoutPage:
        """A page to buy on."""
        await self._ready()
        opened = await self._wire.read(
            "checkout.sessions.list",
            lambda: self._v1.checkout.sessions.list_async({"customer": customer, "status": "open", "limit": 10}),
        )
        for each in opened.data:
            await self.close_checkout(each.id)
        items: list[dict[str, Any]] = [
            {"price": self._stock.price(seat_key(wanted.plan, wanted.every)), "quantity": wanted.seats}
        ]
        items += [{"price": price} for price in self._stock.metered(wanted.every)]
        asked: dict[str, Any] = {
            "mode": "subscription",
            "customer": customer,
            "line_items": items,
            "success_url": success_url,
            "cancel_url": cancel_url,
            "allow_promotion_codes": True,
            "tax_id_collection": {"enabled": True},
            "customer_update": {"name": "auto", "address": "auto"},
        }
        # Stripe takes the end of a trial only when it is at least two days ahead.
        now = await self._shown_by(self._test_clock) or self._now()
        if trial_ends_at is not None and (trial_ends_at - now).total_seconds() > _SHORTEST_TRIAL_S:
            asked["subscription_data"] = {"trial_end": int(trial_ends_at.timestamp())}
        made = await self._wire.write(
            "checkout.sessions.create", lambda options: self._v1.checkout.sessions.create_async(asked, options)
        )
        return CheckoutPage(str(made.id), str(made.url))

    async def close_checkout(self, page: str) -> bool:
        """Close a page; False when somebody has bought on it."""
        try:
            await self._wire.write(
                "checkout.sessions.expire", lambda options: self._v1.checkout.sessions.expire_async(page, {}, options)
            )
        except Rejected as refusal:
            if refusal.status == 404:
                return True
            if refusal.status != 400:
                raise
            # It was paid, or ran out, meanwhile.
            found = await self._wire.read("checkout.sessions.retrieve", lambda: self._v1.checkout.sessions.retrieve_async(page))
            return str(found.status) != "complete"
        return True

    async def end_other(self, customer: str, subscription: str) -> int:
        """End a subscription that lives besides the one that counts, and give back what was paid for it."""
        return await end_duplicate(self._v1, self._wire, customer, subscription)

    async def open_portal(self, customer: str, return_url: str) -> str:
        """The address of the customer's own pages."""
        await self._ready()
        asked = {"customer": customer, "return_url": return_url, "configuration": self._stock.portal}
        made = await self._wire.write(
            "billing_portal.sessions.create", lambda options: self._v1.billing_portal.sessions.create_async(asked, options)
        )
        return str(made.url)

    async def preview(self, customer: str, subscription: str, wanted: Wanted) -> Preview:
        """What changing to `wanted` would cost now."""
        await self._ready()
        items, now = await self._items(subscription, wanted)
        details: dict[str, Any] = {"items": items, "proration_behavior": "always_invoice"}
        if now is not None:
            details["proration_date"] = int(now.timestamp())
        asked = {"customer": customer, "subscription": subscription, "subscription_details": details}
        found = (
            await self._wire.read("invoices.create_preview", lambda: self._v1.invoices.create_preview_async(asked))
        ).to_dict()
        return Preview(
            total_minor=found["total"],
            due_minor=0 if now is None else found["amount_due"],
            currency=found["currency"],
            lines=tuple(PreviewLine(each.get("description") or "", each["amount"]) for each in found["lines"]["data"]),
            at=now or self._now(),
            is_now=now is not None,
        )

    async def change(self, subscription: str, wanted: Wanted, at: datetime) -> None:
        """Change it at the price of the moment `at`."""
        await self._ready()
        items, now = await self._items(subscription, wanted)
        asked: dict[str, Any] = {
            "items": items,
            "proration_behavior": "always_invoice",
            "payment_behavior": "error_if_incomplete",
        }
        if now is not None:
            asked["proration_date"] = int(at.timestamp())
        await self._update(subscription, asked)

    async def cancel(self, subscription: str) -> None:
        """End it when what is paid for ends."""
        await self._update(subscription, {"cancel_at_period_end": True})

    async def keep(self, subscription: str) -> None:
        """Take a cancellation back, whether it was said here or in the portal."""
        found = await self._subscription(subscription)
        await self._update(subscription, {"cancel_at_period_end": False} if found["cancel_at_period_end"] else {"cancel_at": ""})

    async def redeem(self, subscription: str, code: str) -> None:
        """Use a promotion code."""
        found = await self._wire.read(
            "promotion_codes.list",
            lambda: self._v1.promotion_codes.list_async({"code": code, "active": True, "limit": 1}),
        )
        if not found.data:
            raise Rejected("no_such_code", "There is no such code, or it has run out.", 404)
        await self._update(subscription, {"discounts": [{"promotion_code": found.data[0].id}]})

    async def forget(self, customer: str) -> None:
        """End at once whatever a customer bought, and forget them; their invoices stay, as the law wants."""
        try:
            await self._wire.read("customers.delete", lambda: self._v1.customers.delete_async(customer))
        except Rejected as refusal:
            if refusal.code != "resource_missing":
                raise

    async def links(self, invoice: str) -> InvoiceLinks:
        """Where an invoice is."""
        found = (await self._wire.read("invoices.retrieve", lambda: self._v1.invoices.retrieve_async(invoice))).to_dict()
        return InvoiceLinks(found.get("hosted_invoice_url") or "", found.get("invoice_pdf") or "")

    async def report_usage(self, customer: str, meter: str, quantity: int, identifier: str, at: datetime) -> None:
        """Count what was used."""
        asked = {
            "event_name": event_name(meter),
            "identifier": identifier,
            "timestamp": int(at.timestamp()),
            "payload": {"stripe_customer_id": customer, "value": str(quantity)},
        }
        try:
            await self._wire.write(
                "billing.meter_events.create",
                lambda options: self._v1.billing.meter_events.create_async(asked, options),
                f"ringside-usage-{identifier}",
            )
        except Rejected as refusal:
            if refusal.code == "timestamp_too_far_in_past":
                raise Rejected("too_old", "Stripe takes what was used within the last 35 days only.", 400) from refusal
            # It was counted, and the answer lost.
            if refusal.code != "duplicate_meter_event":
                raise

    async def used(self, customer: str, meter: str, since: datetime, until: datetime) -> int:
        """What the meter counted in a span of time."""
        await self._ready()
        found = await self._stock.meter_id(meter)
        asked = {"customer": customer, "start_time": int(since.timestamp()), "end_time": int(until.timestamp())}
        listed = await self._wire.read(
            "billing.meters.event_summaries", lambda: self._v1.billing.meters.event_summaries.list_async(found, asked)
        )
        return int(sum(each.aggregated_value for each in listed.data))

    async def _ready(self) -> None:
        if not self._is_stocked:
            await self.stock()

    async def _items(self, subscription: str, wanted: Wanted) -> tuple[list[dict[str, Any]], datetime | None]:
        """The items a change needs, and the moment it is reckoned from; None where time plays no part, as in a trial."""
        found = await self._subscription(subscription)
        item = seat_item(found)
        if item is None:
            raise Rejected("not_ours", "This subscription was not made by Ringside. Change it in Stripe's dashboard.", 409)
        items: list[dict[str, Any]] = [
            {"id": item["id"], "price": self._stock.price(seat_key(wanted.plan, wanted.every)), "quantity": wanted.seats}
        ]
        if item["price"]["recurring"]["interval"] != wanted.every:
            # What is metered goes along: everything in a subscription has one interval here.
            for each in found["items"]["data"]:
                meter = (each["price"].get("metadata") or {}).get(METER)
                if meter:
                    items.append({"id": each["id"], "price": self._stock.price(meter_key(meter, wanted.every))})
        if found["status"] == "trialing":
            return items, None
        now = int((await self._shown_by(found.get("test_clock")) or self._now()).timestamp())
        # Their clock is not ours: the moment must lie in the period that runs there.
        at = min(max(now, item["current_period_start"]), item["current_period_end"])
        return items, datetime.fromtimestamp(at, UTC)

    async def _subscription(self, subscription: str) -> dict[str, Any]:
        found = await self._wire.read("subscriptions.retrieve", lambda: self._v1.subscriptions.retrieve_async(subscription))
        plain: dict[str, Any] = found.to_dict()
        return plain

    async def _update(self, subscription: str, asked: dict[str, Any]) -> None:
        await self._wire.write(
            "subscriptions.update", lambda options: self._v1.subscriptions.update_async(subscription, asked, options)
        )
