"""What goes into and comes out of signing up, inviting and accepting."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from hub.contacts.addresses import AddressError, parse_email
from hub.http.paging import PageQuery
from hub.tenants.models import MemberRole


def _one_line(text: str) -> str:
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in text):
        raise ValueError("It should be one line without control characters.")
    return text


def _address(text: str) -> str:
    try:
        return parse_email(text)
    except AddressError as exc:
        raise ValueError(str(exc)) from None


def _zone(text: str) -> str:
    if text not in available_timezones():
        raise ValueError("It should be a time zone's name, such as Europe/Berlin.")
    return text


Address = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=254), AfterValidator(_address)]
PersonName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120), AfterValidator(_one_line)]
CompanyName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_one_line)]
Zone = Annotated[str, Field(max_length=64, description="A time zone's name, such as Europe/Berlin."), AfterValidator(_zone)]
Token = Annotated[str, Field(min_length=1, max_length=200, description="What stands behind `token=` in the letter's link.")]
NewPassword = Annotated[str, Field(min_length=1, max_length=1024)]


class SignUpIn(BaseModel):
    """A company that wants to be, and who will own it."""

    model_config = ConfigDict(extra="forbid")

    company: CompanyName
    name: PersonName
    email: Address
    zone: Zone = "UTC"


class SignUpIsOpen(BaseModel):
    """May companies sign up here by themselves?"""

    open: bool


class LetterSent(BaseModel):
    """What is said whatever became of it: nobody learns here whether an address has an account."""

    message: str


class TokenIn(BaseModel):
    """The token of a letter's link."""

    model_config = ConfigDict(extra="forbid")

    token: Token


class NewPerson(BaseModel):
    """Who has no account yet gets one: the token proves the address."""

    model_config = ConfigDict(extra="forbid")

    token: Token
    name: PersonName
    password: NewPassword


SignUpState = Literal["open", "used", "expired"]
InvitationState = Literal["open", "accepted", "withdrawn", "expired"]


class SignUpSeen(BaseModel):
    """What the holder of the letter has before them.

    With an account of this address they sign in first, unless it belongs to no company: nobody can sign in with it then.
    """

    state: SignUpState
    company: str
    name: str
    email: str
    has_account: bool
    has_company: bool


class InvitationSeen(BaseModel):
    """What an invited person has before them. `has_account` and `has_company` are as of a sign-up."""

    state: InvitationState
    company: str
    name: str
    email: str
    role: MemberRole
    inviter: str
    has_account: bool
    has_company: bool


class Joined(BaseModel):
    """The company somebody is in now, and the address they sign in with."""

    tenant_id: UUID
    company: str
    email: str


class InvitedTeam(BaseModel):
    """A team somebody is to be in."""

    id: UUID
    name: str


class Inviter(BaseModel):
    """Who invited."""

    id: UUID
    name: str


class Invitation(BaseModel):
    """Somebody was asked to join. Nobody gets to see the token but who gets the letter."""

    id: UUID
    email: str
    name: str
    role: MemberRole
    role_id: UUID | None
    role_name: str | None
    teams: list[InvitedTeam]
    state: InvitationState
    invited_by: Inviter | None
    created_at: datetime
    sent_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    withdrawn_at: datetime | None


class InvitationPage(BaseModel):
    """A page of invitations."""

    data: list[Invitation]
    next_cursor: str | None


class InvitationFilter(PageQuery):
    """Which invitations."""

    state: Literal["open", "all"] = "all"


class InvitationIn(BaseModel):
    """Whom to invite, as what, into which teams."""

    model_config = ConfigDict(extra="forbid")

    email: Address
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=120), AfterValidator(_one_line)] = ""
    role: Annotated[MemberRole | None, Field(description="A built-in role; rep if nothing is said.")] = None
    role_id: Annotated[UUID | None, Field(description="A role of the company's own, in place of a built-in one.")] = None
    team_ids: Annotated[list[UUID], Field(max_length=50)] = []

    @model_validator(mode="after")
    def _one_role(self) -> InvitationIn:
        if self.role is not None and self.role_id is not None:
            raise ValueError("Give role for a built-in role, or role_id for one of the company's own, not both.")
        return self
