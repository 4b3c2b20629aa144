"""What happens to a company's plan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel

from hub.events import Event, declare
from hub.plans.models import PlanInForce


class BillingChangedData(BaseModel):
    """The plan as it is now: no amounts, since everybody in the company is told."""

    plan: PlanInForce


@declare
@dataclass(frozen=True, slots=True)
class BillingChanged(Event):
    """The plan, its seats or how the company stands changed."""

    type = "billing.changed"
    subject_kind = "plan"
    data_model = BillingChangedData
    audited = True
    audit_fields = ("plan.plan", "plan.seats", "plan.standing", "plan.reason")


class InvoicesChangedData(BaseModel):
    """Invoices are there to be read again."""

    at: datetime


@declare
@dataclass(frozen=True, slots=True)
class InvoicesChanged(Event):
    """An invoice came, was paid or failed. For managers and above; those who may read invoices fetch them."""

    type = "billing.invoices_changed"
    subject_kind = "plan"
    data_model = InvoicesChangedData
