"""What happens to roles."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel

from hub.events import Event, declare
from hub.roles.models import OwnRole


class RoleData(BaseModel):
    """The role as it is now."""

    role: OwnRole


class RoleGone(BaseModel):
    """Which role is gone."""

    role_id: UUID
    name: str


@declare
@dataclass(frozen=True, slots=True)
class RoleCreated(Event):
    """Somebody made a role."""

    type = "role.created"
    subject_kind = "role"
    data_model = RoleData
    audited = True
    audit_fields = ("role.name", "role.base", "role.permissions")


@declare
@dataclass(frozen=True, slots=True)
class RoleUpdated(Event):
    """A role's name, base or permissions changed, for everybody who has it."""

    type = "role.updated"
    subject_kind = "role"
    data_model = RoleData
    audited = True
    audit_fields = ("role.name", "role.base", "role.permissions")


@declare
@dataclass(frozen=True, slots=True)
class RoleDeleted(Event):
    """A role that nobody had is gone."""

    type = "role.deleted"
    subject_kind = "role"
    data_model = RoleGone
    audited = True
    audit_fields = ("name",)
