"""What happens to a company."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel

from hub.company.models import Company
from hub.events import Event, declare


class CompanyData(BaseModel):
    """The company as it is now."""

    company: Company


class OwnershipData(BaseModel):
    """Who owned the company, and who does now."""

    from_id: UUID
    to_id: UUID


class Departed(BaseModel):
    """Who has left."""

    member_id: UUID


@declare
@dataclass(frozen=True, slots=True)
class CompanyUpdated(Event):
    """The company's name or time zone changed."""

    type = "company.updated"
    subject_kind = "company"
    data_model = CompanyData
    audited = True
    audit_fields = ("company.name", "company.zone")


@declare
@dataclass(frozen=True, slots=True)
class OwnershipTransferred(Event):
    """An owner made somebody else owner in their place."""

    type = "company.transferred"
    subject_kind = "company"
    data_model = OwnershipData
    audited = True
    audit_fields = ("from_id", "to_id")


@declare
@dataclass(frozen=True, slots=True)
class MemberLeft(Event):
    """Somebody left the company by themselves."""

    type = "member.left"
    subject_kind = "member"
    data_model = Departed
    audited = True
