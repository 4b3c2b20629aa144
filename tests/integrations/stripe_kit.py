"""A Stripe sandbox with a shop in it, and an endpoint that keeps what is sent to it."""

from dataclasses import dataclass, field
from typing import Any

import stripe
from aiohttp import ClientSession, web

from integrations.sandbox.stripe import StripeSandbox
from tests.integrations.stripe_specification import CheckedClient

DAY_S = 86_400
# 1 January 2027, midnight UTC: a month of 31 days.
START = 1_798_761_600


@dataclass
class Endpoint:
    """A server for webhooks: it keeps them, and answers 200 when `answers` has nothing else."""

    url: str = ""
    taken: list[tuple[bytes, str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.taken.append((await request.read(), request.headers["Stripe-Signature"]))
        return web.Response(status=self.answers.pop(0) if self.answers else 200)


@dataclass
class Shop:
    """What is sold, and the client to sell it with."""

    sandbox: StripeSandbox
    client: stripe.StripeClient
    http: CheckedClient
    prices: dict[str, str] = field(default_factory=dict)
    meter: str = ""

    @property
    def v1(self) -> Any:
        """The operations of the API; untyped, as tests pass what types would forbid, too."""
        return self.client.v1

    async def stock(self) -> None:
        """Sell seats, monthly and yearly, in two plans, and minutes that are metered."""
        self.meter = (
            await self.v1.billing.meters.create_async(
                {"display_name": "Call minutes", "event_name": "call_minutes", "default_aggregation": {"formula": "sum"}}
            )
        ).id
        for plan, monthly in (("basic", 1_500), ("pro", 3_000)):
            product = await self.v1.products.create_async({"name": plan.title(), "unit_label": "seat"})
            for interval, amount in (("month", monthly), ("year", monthly * 10)):
                await self._price(f"{plan}_{interval}", product=product.id, unit_amount=amount, recurring={"interval": interval})
        minutes = await self.v1.products.create_async({"name": "Call minutes"})
        metered = {"interval": "month", "usage_type": "metered", "meter": self.meter}
        await self._price("minutes", product=minutes.id, unit_amount_decimal="1.5", recurring=metered)

    async def _price(self, key: str, **fields: Any) -> None:
        self.prices[key] = (await self.v1.prices.create_async({"currency": "usd", "lookup_key": key} | fields)).id

    async def clock(self) -> str:
        """Make a test clock that stands at the start of 2027."""
        return str((await self.v1.test_helpers.test_clocks.create_async({"frozen_time": START})).id)

    async def advance(self, clock: str, to: int) -> None:
        """Move a test clock on, and wait until it is ready."""
        await self.v1.test_helpers.test_clocks.advance_async(clock, {"frozen_time": to})
        while (await self.v1.test_helpers.test_clocks.retrieve_async(clock)).status != "ready":
            pass

    async def customer(self, card: str | None = "pm_card_visa", **fields: Any) -> Any:
        """Make a customer whose card, if any, is the usual one."""
        customer = await self.v1.customers.create_async({"email": "ada@example.com", "name": "Ada"} | fields)
        if card:
            await self.give_card(customer.id, card)
        return customer

    async def give_card(self, customer: str, card: str) -> str:
        """Let a customer pay with another card from now on."""
        method = await self.v1.payment_methods.attach_async(card, {"customer": customer})
        await self.v1.customers.update_async(customer, {"invoice_settings": {"default_payment_method": method.id}})
        return str(method.id)

    async def subscribe(self, customer: str, price: str = "pro_month", quantity: int = 3, **fields: Any) -> Any:
        """Subscribe to some seats."""
        items = [{"price": self.prices[price], "quantity": quantity}]
        return await self.v1.subscriptions.create_async({"customer": customer, "items": items} | fields)

    def kinds(self, about: str = "") -> list[str]:
        """Return the kinds of the events so far, of one thing if one is named."""
        found = self.sandbox.events
        return [each["type"] for each in found if about in ("", each["data"]["object"].get("id"))]


async def post(url: str, **form: str) -> tuple[int, str, str]:
    """Send a form as a browser does: the status, where it leads, and the page."""
    async with ClientSession() as session, session.post(url, data=form, allow_redirects=False) as response:
        return response.status, response.headers.get("Location", ""), await response.text()


async def fetch(url: str) -> tuple[int, bytes]:
    """Open a page."""
    async with ClientSession() as session, session.get(url) as response:
        return response.status, await response.read()
