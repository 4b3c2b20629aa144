"""Handovers as they go in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["contacts", "tasks", "sequences", "conversations", "queues", "templates", "numbers", "mailboxes"]
# In the order in which they are handed over: what customers notice first.
KINDS: tuple[Kind, ...] = ("numbers", "tasks", "queues", "contacts", "conversations", "sequences", "mailboxes", "templates")
# What nobody can have as nobody's.
NEED_SOMEBODY: frozenset[Kind] = frozenset({"templates", "mailboxes"})

Kinds = Annotated[
    list[Kind],
    Field(min_length=1, max_length=len(KINDS), description="Mailboxes are handed over with all the mail that is in them."),
]


class HandoverIn(BaseModel):
    """Who takes over, and what. Nobody (null): it is everybody's then, as far as it can be."""

    model_config = ConfigDict(extra="forbid")

    to_id: UUID | None
    kinds: Kinds


class Departure(BaseModel):
    """How somebody goes. Without a handover what is theirs stays in their name, to be handed over later."""

    model_config = ConfigDict(extra="forbid")

    handover: HandoverIn | None = None


class Party(BaseModel):
    """Who hands over, or takes over."""

    id: UUID
    name: str


class Belongings(BaseModel):
    """How much somebody has of each kind. What is counted stops at ten thousand."""

    contacts: int
    tasks: int
    sequences: int
    enrolments: int
    conversations: int
    callbacks: int
    templates: int
    numbers: int
    mailboxes: int


class Handover(BaseModel):
    """What somebody leaves, and how far it is: `counts` is how much there was of each kind, `done` how much is the other's."""

    model_config = ConfigDict(populate_by_name=True)

    id: UUID
    given_by: Party | None = Field(alias="from")
    taken_by: Party | None = Field(alias="to")
    kinds: list[Kind]
    state: Literal["running", "done"]
    counts: dict[str, int]
    done: dict[str, int]
    created_at: datetime
    finished_at: datetime | None


class HandoverPage(BaseModel):
    """A page of handovers."""

    data: list[Handover]
    next_cursor: str | None
