"""What happens on the way in."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hub.events import Event, declare
from hub.joining.models import Invitation
from hub.tenants.events import MemberData


class InvitationData(BaseModel):
    """The invitation as it is now."""

    invitation: Invitation


@declare
@dataclass(frozen=True, slots=True)
class InvitationCreated(Event):
    """Somebody was invited."""

    type = "invitation.created"
    subject_kind = "invitation"
    data_model = InvitationData
    audited = True
    audit_fields = ("invitation.role",)


@declare
@dataclass(frozen=True, slots=True)
class InvitationSent(Event):
    """An invitation was sent again; what was sent before is worth nothing now."""

    type = "invitation.sent"
    subject_kind = "invitation"
    data_model = InvitationData
    audited = True


@declare
@dataclass(frozen=True, slots=True)
class InvitationWithdrawn(Event):
    """An invitation was taken back."""

    type = "invitation.withdrawn"
    subject_kind = "invitation"
    data_model = InvitationData
    audited = True


@declare
@dataclass(frozen=True, slots=True)
class InvitationAccepted(Event):
    """Somebody who was invited is in."""

    type = "invitation.accepted"
    subject_kind = "invitation"
    data_model = InvitationData
    audited = True
    audit_fields = ("invitation.role",)


@declare
@dataclass(frozen=True, slots=True)
class MemberJoined(Event):
    """There is somebody new in the company."""

    type = "member.joined"
    subject_kind = "member"
    data_model = MemberData
    audited = True
    audit_fields = ("member.role",)
