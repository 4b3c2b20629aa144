"""What goes into and comes out of the sign-in endpoints."""

from __future__ import annotations

from typing import Annotated, cast
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from hub.permissions import effective
from hub.who import Role


class Login(BaseModel):
    """Email address and password; `tenant_id` picks the company when there are several."""

    model_config = ConfigDict(extra="forbid")

    email: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=254)]
    password: Annotated[str, Field(min_length=1, max_length=1024)]
    tenant_id: UUID | None = None


class Switch(BaseModel):
    """The company to go on in."""

    model_config = ConfigDict(extra="forbid")

    tenant_id: UUID


class Logout(BaseModel):
    """Whether to end every session of this person, or only this one."""

    model_config = ConfigDict(extra="forbid")

    everywhere: Annotated[bool, Field(strict=True)] = False


class User(BaseModel):
    """A person."""

    id: UUID
    email: str
    name: str


class Tenant(BaseModel):
    """A company."""

    id: UUID
    name: str


class Membership(BaseModel):
    """A company the person belongs to, and as what."""

    id: UUID
    name: str
    role: str
    role_name: str | None = Field(default=None, description="What the role is called, where it is one of the company's own.")


class Standing(Membership):
    """A membership with what a role of the company's own allows there; only the current company's is shown."""

    granted: frozenset[str] | None = None

    @property
    def permissions(self) -> list[str]:
        """What the person may do there."""
        return sorted(effective(cast(Role, self.role), self.granted))


class SignedIn(BaseModel):
    """An access token and who it speaks for. The refresh token is in an httpOnly cookie."""

    access_token: str
    expires_in: int
    user: User
    tenant: Tenant
    role: str
    role_name: str | None
    permissions: list[str]
    tenants: list[Membership]
    needs_second_factor: bool = Field(
        description="The company wants a second factor that was not shown: nothing can be done but to set one up, or to confirm "
        "with the one there is."
    )


class Me(BaseModel):
    """Who is signed in."""

    user: User
    tenant: Tenant
    role: str
    role_name: str | None
    permissions: list[str]
    tenants: list[Membership]
    session_id: UUID
