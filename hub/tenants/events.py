"""What happens to members."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hub.events import Event, declare
from hub.tenants.models import Member


class MemberData(BaseModel):
    """The member as they are now."""

    member: Member


@declare
@dataclass(frozen=True, slots=True)
class MemberUpdated(Event):
    """A member's role or status changed."""

    type = "member.updated"
    subject_kind = "member"
    data_model = MemberData
    audited = True
    audit_fields = ("member.role", "member.status")
