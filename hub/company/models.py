"""The company as it goes in and out."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from hub.joining.models import CompanyName, PersonName, Zone


class Company(BaseModel):
    """A company. `zone` is where its day begins and ends unless something has a time zone of its own."""

    id: UUID
    name: str
    zone: str
    created_at: datetime


class CompanyPatch(BaseModel):
    """What to change of the company; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: CompanyName | None = None
    zone: Zone | None = None


class Transfer(BaseModel):
    """Who is to own the company."""

    model_config = ConfigDict(extra="forbid")

    to_id: UUID


class Rename(BaseModel):
    """How one wants to be called, in every company one belongs to."""

    model_config = ConfigDict(extra="forbid")

    name: PersonName


class Renamed(BaseModel):
    """A person, as they are called now."""

    id: UUID
    name: str
