"""What is asked of, and answered by, whoever collects the money: a port with no vendor's name in it.

Every method of `Payments` raises `Transient`, `Rejected` or `CircuitOpen` of `integrations.errors` and nothing else. A card that
is declined is `Rejected` with status 402. Amounts are minor units, times are in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SoldPlan:
    """A plan as it is sold: a seat for a month and for a year."""

    name: str
    title: str
    monthly_minor: int
    yearly_minor: int


@dataclass(frozen=True, slots=True)
class SoldMeter:
    """What is sold by use; the price of one is in hundredths of a minor unit."""

    name: str
    title: str
    unit: str
    price_centiminor: int


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that is sold."""

    currency: str
    plans: tuple[SoldPlan, ...]
    meters: tuple[SoldMeter, ...]


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a customer has bought. `status` is the provider's word; `reason` why it ended or will."""

    id: str
    status: str
    plan: str
    every: str
    seats: int
    period_starts_at: datetime | None
    period_ends_at: datetime | None
    trial_ends_at: datetime | None
    cancel_at: datetime | None
    ended_at: datetime | None
    unpaid_since: datetime | None
    reason: str
    coupon: str

    @property
    def is_live(self) -> bool:
        """Has it begun, and not ended?"""
        return self.status in ("trialing", "active", "past_due", "unpaid", "paused")


@dataclass(frozen=True, slots=True)
class Invoice:
    """A bill. `status` is draft, open, paid, void or uncollectible."""

    id: str
    number: str
    status: str
    total_minor: int
    due_minor: int
    paid_minor: int
    currency: str
    period_start: datetime
    period_end: datetime
    attempts: int
    next_attempt_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Other:
    """A subscription that lives besides the one that counts. `plan` is empty for one that somebody made by hand out of other
    prices; `paid_minor` is what was paid for it, all of which is given back when it is ended.
    """

    id: str
    plan: str
    every: str
    seats: int
    status: str
    paid_minor: int
    currency: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CheckoutPage:
    """A page to buy on."""

    id: str
    url: str


@dataclass(frozen=True, slots=True)
class Customer:
    """Everything that is known of a customer. `subscription` is the one that counts, `others` lives besides it, which is wrong.

    `balance_minor` is what they have with us: it pays for the invoices to come. `clock_shows` is the time by their test clock.
    """

    id: str
    subscription: Subscription | None
    others: tuple[Other, ...]
    invoices: tuple[Invoice, ...]
    card: str
    balance_minor: int
    currency: str
    clock_shows: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A plan, how often it is paid, and for how many people."""

    plan: str
    every: str
    seats: int


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """One line of what would be billed."""

    words: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would cost. A negative total stays with us as credit. `at` belongs into the change itself.

    During a trial nothing is paid at once (`is_now` is False, nothing is due): the total is the first payment's.
    """

    total_minor: int
    due_minor: int
    currency: str
    lines: tuple[PreviewLine, ...]
    at: datetime
    is_now: bool


@dataclass(frozen=True, slots=True)
class InvoiceLinks:
    """Where an invoice can be seen and paid, and where its PDF is. Empty while it is a draft."""

    page: str
    pdf: str


@dataclass(frozen=True, slots=True)
class PaymentEvent:
    """Something has happened to a customer at the provider; what, is looked up."""

    id: str
    kind: str
    customer: str
    thing: str
    created_at: datetime


class PaymentEventReader(Protocol):
    """Tells the provider's webhooks from forgeries, and reads them."""

    def read(self, body: bytes, signature: str) -> PaymentEvent:
        """The event of a webhook. Raises PermissionError for a forgery, ValueError for what is genuine but no event."""
        ...


class Payments(Protocol):
    """Whoever collects the money."""

    async def stock(self) -> None:
        """Make what is to be sold and is not there yet; what is there stays as it is. It is done by itself when needed."""
        ...

    async def make_customer(self, reference: str, name: str, email: str) -> str:
        """A customer's id. The same one for the same `reference` within a day."""
        ...

    async def describe(self, customer: str, name: str, email: str, *, before: tuple[str, str]) -> None:
        """Give a customer another name and address. What is there and was not `before`, a person typed in: it stays.

        Nothing is done for a customer that the provider does not know.
        """
        ...

    async def fetch(self, customer: str) -> Customer | None:
        """A customer as they are now; None when the provider does not know them."""
        ...

    async def open_checkout(
        self, customer: str, wanted: Wanted, success_url: str, cancel_url: str, *, trial_ends_at: datetime | None = None
    ) -> CheckoutPage:
        """A page to buy on. Pages opened for them before are closed, so that nobody buys twice."""
        ...

    async def close_checkout(self, page: str) -> bool:
        """Close a page, so that nobody can buy on it any more; False when somebody has bought on it."""
        ...

    async def end_other(self, customer: str, subscription: str) -> int:
        """End at once a subscription that lives besides the one that counts, and give back all that was paid for it; how much.

        `Rejected` with the code `the_one_that_counts` for any other. May be repeated: nothing is given back twice.
        """
        ...

    async def open_portal(self, customer: str, return_url: str) -> str:
        """The address of the customer's own pages: cards, tax ids, invoices, cancelling."""
        ...

    async def preview(self, customer: str, subscription: str, wanted: Wanted) -> Preview:
        """What changing to `wanted` would cost now."""
        ...

    async def change(self, subscription: str, wanted: Wanted, at: datetime) -> None:
        """Change it at the price of the moment `at`, and bill the difference at once. A declined card changes nothing."""
        ...

    async def cancel(self, subscription: str) -> None:
        """End it when what is paid for ends."""
        ...

    async def keep(self, subscription: str) -> None:
        """Take a cancellation back."""
        ...

    async def redeem(self, subscription: str, code: str) -> None:
        """Use a promotion code. `Rejected` with the code `no_such_code` when there is none."""
        ...

    async def forget(self, customer: str) -> None:
        """End at once whatever a customer bought, and forget them. One that is gone already is fine."""
        ...

    async def links(self, invoice: str) -> InvoiceLinks:
        """Where an invoice is. Such addresses are good for some weeks only."""
        ...

    async def report_usage(self, customer: str, meter: str, quantity: int, identifier: str, at: datetime) -> None:
        """Count what was used. The same `identifier` counts once.

        `Rejected` with the code `too_old` for what is longer ago than the provider looks back.
        """
        ...

    async def used(self, customer: str, meter: str, since: datetime, until: datetime) -> int:
        """What was counted in a span of time, in whole minutes of the clock (`until` is not in it)."""
        ...
