"""Billing as it goes in and out. Amounts are in minor units."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from hub.http.paging import EARLIEST, LATEST
from hub.plans.models import StandingName, StandingReason
from hub.plans.table import Every, Feature, PlanName


class PlanWanted(BaseModel):
    """A plan, how often it is paid, and for how many people."""

    model_config = ConfigDict(extra="forbid")

    plan: PlanName
    every: Every
    seats: Annotated[int, Field(ge=1, le=100_000)]


class PlanChange(PlanWanted):
    """A change as it was shown. `at` is the moment of the preview, so that it costs what was shown."""

    at: Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST)]


class CodeGiven(BaseModel):
    """A promotion code."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")]


class OtherSubscription(BaseModel):
    """A subscription that lives besides the one that counts. `paid_minor` is given back when it is ended.

    `plan` is empty where somebody made it by hand at the provider, out of other prices.
    """

    id: str
    plan: str
    every: str
    seats: int
    status: str
    paid_minor: int
    currency: str
    created_at: datetime


class OtherEnded(BaseModel):
    """What became of it: how much was given back."""

    returned_minor: int
    currency: str


class OtherNamed(BaseModel):
    """A subscription by the provider's id."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9_]+$")]


class BillingAccount(BaseModel):
    """What the company has bought, and how it stands."""

    plan: PlanName
    every: Every
    seats: int
    standing: StandingName
    reason: StandingReason
    until: datetime | None
    trial_ends_at: datetime
    status: str
    is_subscribed: bool
    period_ends_at: datetime | None
    cancel_at: datetime | None
    card: str
    coupon: str
    balance_minor: int
    currency: str
    mirrored_at: datetime | None
    others: list[OtherSubscription]


class UsedMetered(BaseModel):
    """What was used since the period began, and what that costs."""

    meter: str
    title: str
    unit: str
    quantity: int
    amount_minor: int


class BillingDifference(BaseModel):
    """What the nightly comparison with the provider found, and whether it was mended."""

    field: str
    ours: str
    theirs: str
    mended: bool
    found_at: datetime


class Billing(BaseModel):
    """Everything about the plan. `account` is null where no payment provider is set up: everything is allowed."""

    account: BillingAccount | None
    seats_used: int
    used: list[UsedMetered]
    differences: list[BillingDifference]


class Invoice(BaseModel):
    """An invoice. While it is open, `due_minor` is still to be paid; `next_attempt_at` is when the card is tried again."""

    id: UUID
    number: str
    status: Literal["draft", "open", "paid", "void", "uncollectible"]
    total_minor: int
    due_minor: int
    paid_minor: int
    currency: str
    period_start: datetime
    period_end: datetime
    attempts: int
    next_attempt_at: datetime | None
    created_at: datetime


class InvoicePage(BaseModel):
    """A page of invoices, newest first."""

    data: list[Invoice]
    next_cursor: str | None


class PlanPreviewLine(BaseModel):
    """A line of what would be billed."""

    words: str
    amount_minor: int


class PlanPreview(BaseModel):
    """What a change would cost. What is below zero stays as credit for the invoices to come.

    During a trial nothing is due now (`is_now` is false): the total is what the first payment will be.
    """

    total_minor: int
    due_minor: int
    currency: str
    lines: list[PlanPreviewLine]
    at: datetime
    is_now: bool


class PlanAsked(BaseModel):
    """Which plan is asked about."""

    model_config = ConfigDict(extra="forbid")

    plan: PlanName


class PlanEffect(BaseModel):
    """What a plan does to something that is in use, in words for who is about to choose it."""

    feature: Feature
    title: str
    words: str


class PlanEffects(BaseModel):
    """What another plan puts to rest, and what it brings back."""

    rests: list[PlanEffect]
    back: list[PlanEffect]


class Elsewhere(BaseModel):
    """A page of the payment provider to go to."""

    url: str


class InvoiceLinks(BaseModel):
    """Where an invoice can be seen and paid, and its PDF; empty while it is a draft."""

    page: str
    pdf: str
