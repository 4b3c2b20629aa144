"""Members as they go in and out."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

MemberRole = Literal["owner", "admin", "manager", "rep"]
MemberStatus = Literal["active", "deactivated"]


class Member(BaseModel):
    """A person of this company."""

    id: UUID
    name: str
    email: str
    role: MemberRole
    status: MemberStatus


class MemberPage(BaseModel):
    """A page of members."""

    data: list[Member]
    next_cursor: str | None


class MemberPatch(BaseModel):
    """What to change of a member; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    role: MemberRole | None = None
    status: MemberStatus | None = None
