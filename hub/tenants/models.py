"""Members as they go in and out."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

MemberRole = Literal["owner", "admin", "manager", "rep"]
MemberStatus = Literal["active", "deactivated"]


class Member(BaseModel):
    """A person of this company."""

    id: UUID
    name: str
    email: str
    role: MemberRole
    role_id: UUID | None
    role_name: str | None
    status: MemberStatus


class MemberPage(BaseModel):
    """A page of members."""

    data: list[Member]
    next_cursor: str | None


class MemberPatch(BaseModel):
    """What to change of a member; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    role: MemberRole | None = None
    role_id: Annotated[UUID | None, Field(description="A role of the company's own, in place of a built-in one.")] = None
    status: MemberStatus | None = None

    @model_validator(mode="after")
    def _one_role(self) -> MemberPatch:
        if self.role is not None and self.role_id is not None:
            raise ValueError("Give role for a built-in role, or role_id for one of the company's own, not both.")
        return self
