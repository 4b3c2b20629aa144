"""Leases as they go in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

Purpose = Literal["call", "email", "sms", "dialer"]


class Holder(BaseModel):
    """The member who holds a lease."""

    id: UUID
    name: str


class Lease(BaseModel):
    """Who is busy with a contact. It lasts until `until` and is renewed by beats, or lasts as long as the live call."""

    contact_id: UUID
    user: Holder
    purpose: Purpose
    since: datetime
    until: datetime
    call_id: UUID | None


class LeaseList(BaseModel):
    """Every lease that is held."""

    data: list[Lease]
    next_cursor: None


class LeaseIn(BaseModel):
    """What for. Sent again every few seconds it renews the lease."""

    model_config = ConfigDict(extra="forbid")

    purpose: Purpose
