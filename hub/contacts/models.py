"""What goes into and comes out of the contact endpoints."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from hub.http.paging import EARLIEST, LATEST, PageQuery

Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Stage = Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)]
CustomKey = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
CustomValue = (
    Annotated[str, StringConstraints(max_length=5000)] | bool | Annotated[int, Field(ge=-(2**53), le=2**53)] | float | None
)
Custom = Annotated[dict[CustomKey, CustomValue], Field(max_length=200)]


class EmailIn(BaseModel):
    """An email address of a contact."""

    model_config = ConfigDict(extra="forbid")

    address: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=254)]
    label: Label = "work"


class PhoneIn(BaseModel):
    """A telephone number as it is written; it is stored in E.164 form."""

    model_config = ConfigDict(extra="ignore")

    number: Annotated[str | None, StringConstraints(max_length=100)] = None
    e164: Annotated[str | None, StringConstraints(max_length=100)] = None
    label: Label = "work"
    extension: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9*#,]*$", max_length=20)] = ""

    @model_validator(mode="after")
    def _one_number(self) -> PhoneIn:
        if not (self.number or self.e164):
            raise ValueError("Give the telephone number as 'number' or 'e164', for example +14155550100.")
        return self

    @property
    def written(self) -> str:
        """The number as given."""
        return self.number or self.e164 or ""


class ContactFields(BaseModel):
    """The fields of a contact that people set."""

    model_config = ConfigDict(extra="forbid")

    first_name: Short = ""
    last_name: Short = ""
    company: Short = ""
    title: Short = ""
    emails: Annotated[list[EmailIn], Field(max_length=20)] = []
    phones: Annotated[list[PhoneIn], Field(max_length=20)] = []
    tags: Annotated[list[Tag], Field(max_length=100)] = []
    stage: Stage = ""
    owner_id: UUID | None = None
    custom: Custom = {}


class ContactIn(ContactFields):
    """A new contact."""

    @model_validator(mode="after")
    def _somebody(self) -> ContactIn:
        if not (self.first_name or self.last_name or self.company or self.emails or self.phones):
            raise ValueError("Give at least a name, a company, an email address or a telephone number.")
        return self


class ContactPatch(ContactFields):
    """Fields to change; those left out stay. Lists replace, `custom` is merged and null takes an entry out."""

    @model_validator(mode="before")
    @classmethod
    def _no_nulls(cls, value: Any) -> Any:
        if isinstance(value, dict):
            for name, given in value.items():
                if given is None and name != "owner_id":
                    raise ValueError(f"{name} can't be null; leave it out to keep it, or send an empty value to clear it.")
        return value


class Email(BaseModel):
    """An email address."""

    address: str
    label: str


class Phone(BaseModel):
    """A telephone number: E.164, what kind of line it is, and the time zones it may be in."""

    e164: str
    label: str
    kind: str
    time_zones: list[str]
    extension: str


class Contact(BaseModel):
    """A contact."""

    id: UUID
    first_name: str
    last_name: str
    company: str
    title: str
    emails: list[Email]
    phones: list[Phone]
    tags: list[str]
    stage: str
    owner_id: UUID | None
    custom: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class ContactPage(BaseModel):
    """A page of contacts."""

    data: list[Contact]
    next_cursor: str | None


Sort = Literal["created_at", "-created_at", "updated_at", "-updated_at", "name", "-name", "company", "-company"]


def _as_utc(value: Any) -> Any:
    # A number would be taken for seconds since 1970.
    if isinstance(value, int | float):
        raise ValueError("Write the time as text, for example 2026-03-01T10:00:00Z.")
    # A time without a zone is taken as UTC, and a plus sign that a URL turned into a space is put back.
    if isinstance(value, str):
        value = value.strip().replace(" ", "+") if "T" in value else value.strip()
        if len(value) == 10:
            value += "T00:00:00"
        if not value.endswith(("Z", "z")) and "+" not in value[10:] and "-" not in value[10:]:
            value += "Z"
    return value


Moment = Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST), BeforeValidator(_as_utc)]


class ContactFilter(PageQuery):
    """Which contacts, and in which order."""

    owner_id: UUID | None = None
    stage: Annotated[str | None, Field(max_length=60)] = None
    tag: Annotated[str | None, Field(max_length=60)] = None
    company: Annotated[str | None, Field(max_length=200, description="The company's name or its beginning.")] = None
    updated_since: Moment | None = None
    sort: Sort = "-created_at"


class SearchQuery(BaseModel):
    """What was typed into the search box."""

    model_config = ConfigDict(extra="forbid")

    q: Annotated[str, Field(max_length=200)] = ""
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class Owner(BaseModel):
    """A member who may own contacts."""

    id: UUID
    name: str


class Facets(BaseModel):
    """The values there are to filter by."""

    stages: list[str]
    tags: list[str]
    owners: list[Owner]
