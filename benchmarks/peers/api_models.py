"""The peer's tables and shapes: SQLAlchemy models over Ringside's own tables, and pydantic models of the same fields."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ARRAY, FetchedValue, ForeignKey, Text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

Moment = TIMESTAMP(timezone=True)


class Base(DeclarativeBase):
    """The registry of the models."""

    type_annotation_map = {str: Text, datetime: Moment, dict[str, Any]: JSONB, list[str]: ARRAY(Text)}  # noqa: RUF012


class User(Base):
    """A person."""

    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]


class Email(Base):
    """An email address of a contact."""

    __tablename__ = "contact_emails"
    tenant_id: Mapped[UUID]
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str]
    label: Mapped[str]


class Phone(Base):
    """A telephone number of a contact."""

    __tablename__ = "contact_phones"
    tenant_id: Mapped[UUID]
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    e164: Mapped[str]
    label: Mapped[str]
    kind: Mapped[str]
    time_zones: Mapped[list[str]]
    extension: Mapped[str]


class Tag(Base):
    """A tag of a contact."""

    __tablename__ = "contact_tags"
    tenant_id: Mapped[UUID]
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id"), primary_key=True)
    tag_lc: Mapped[str] = mapped_column(primary_key=True)
    tag: Mapped[str]


class Contact(Base):
    """A contact."""

    # Mapped by its id alone: with the company in the key `selectinload` would send pairs, and cost Postgres three times as much.
    __tablename__ = "contacts"
    tenant_id: Mapped[UUID]
    id: Mapped[UUID] = mapped_column(primary_key=True)
    first_name: Mapped[str]
    last_name: Mapped[str]
    company: Mapped[str]
    title: Mapped[str]
    stage: Mapped[str]
    owner_id: Mapped[UUID | None]
    custom: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
    emails: Mapped[list[Email]] = relationship(order_by=Email.position, lazy="raise", viewonly=True)
    phones: Mapped[list[Phone]] = relationship(order_by=Phone.position, lazy="raise", viewonly=True)
    labels: Mapped[list[Tag]] = relationship(order_by=Tag.tag_lc, lazy="raise", viewonly=True)

    @property
    def tags(self) -> list[str]:
        """The tags' names."""
        return [label.tag for label in self.labels]


class Activity(Base):
    """An entry of a timeline."""

    __tablename__ = "activities"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=FetchedValue())
    contact_id: Mapped[UUID]
    kind: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=FetchedValue())
    actor_id: Mapped[UUID | None]
    body: Mapped[str]


class Counter(Base):
    """How far a company's log has come."""

    __tablename__ = "tenant_counters"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int]


class LogEntry(Base):
    """An event in the log."""

    __tablename__ = "events"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    id: Mapped[UUID]
    type: Mapped[str]
    audience: Mapped[str]
    actor_id: Mapped[UUID | None]
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID | None]
    frame: Mapped[str]


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class EmailOut(_Out):
    """An email address as it goes out."""

    address: str
    label: str


class PhoneOut(_Out):
    """A telephone number as it goes out."""

    e164: str
    label: str
    kind: str
    time_zones: list[str]
    extension: str


class ContactOut(_Out):
    """A contact as it goes out."""

    id: UUID
    first_name: str
    last_name: str
    company: str
    title: str
    emails: list[EmailOut]
    phones: list[PhoneOut]
    tags: list[str]
    stage: str
    owner_id: UUID | None
    custom: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class ContactPageOut(_Out):
    """A page of contacts as it goes out."""

    data: list[ContactOut]
    next_cursor: str | None


class ActorOut(_Out):
    """Who did it."""

    id: UUID
    name: str


class ActivityOut(_Out):
    """An entry of a timeline as it goes out; a note has nothing of the rest."""

    id: UUID
    contact_id: UUID
    kind: str
    at: datetime
    actor: ActorOut | None
    body: str
    call: None = None
    message: None = None
    mail: None = None
    meeting: None = None


class NoteIn(BaseModel):
    """A note on a contact."""

    body: str
