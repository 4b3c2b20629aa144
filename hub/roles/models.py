"""Roles and permissions as they go in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

RoleName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Base = Literal["admin", "manager", "rep"]
Names = Annotated[list[str], Field(max_length=200, description="Names of permissions, as GET /permissions lists them.")]
_BASE = "The built-in role whose events they hear, and whose say over other people's things they have."


class Permission(BaseModel):
    """One thing that may be done."""

    name: str
    words: str
    for_keys: bool = Field(description="Whether an API key can have it as a scope.")
    needs: list[str] = Field(description="Permissions without which it is worth nothing.")


class BuiltInRole(BaseModel):
    """A role that every company has."""

    role: Literal["owner", "admin", "manager", "rep"]
    permissions: list[str]


class PermissionList(BaseModel):
    """All permissions, and the built-in roles as sets of them."""

    data: list[Permission]
    roles: list[BuiltInRole]


class OwnRole(BaseModel):
    """A role of the company's own; `members` is how many people have it."""

    id: UUID
    name: str
    base: Base
    permissions: list[str]
    members: int
    created_at: datetime
    updated_at: datetime


class RoleList(BaseModel):
    """The roles of the company's own, by name; there are at most a hundred."""

    data: list[OwnRole]


class RoleIn(BaseModel):
    """A new role. It may hold what its maker may do, and no more."""

    model_config = ConfigDict(extra="forbid")

    name: RoleName
    base: Annotated[Base, Field(description=_BASE)] = "rep"
    permissions: Names


class RolePatch(BaseModel):
    """What to change of a role; what is left out stays. The permissions replace those before."""

    model_config = ConfigDict(extra="forbid")

    name: RoleName | None = None
    base: Annotated[Base | None, Field(description=_BASE)] = None
    permissions: Names | None = None
