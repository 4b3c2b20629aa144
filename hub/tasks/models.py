"""Tasks as they go in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints, model_validator

from hub.contacts.models import Moment
from hub.http.paging import PageQuery

TaskKind = Literal["callback", "missed_call", "to_do", "call"]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


class TaskPerson(BaseModel):
    """A member of this company."""

    id: UUID
    name: str


class TaskContact(BaseModel):
    """The contact a task is about."""

    id: UUID
    name: str


class Task(BaseModel):
    """Something that somebody is still to do, or has done."""

    id: UUID
    kind: TaskKind
    title: str
    contact: TaskContact | None
    assignee: TaskPerson | None
    call_id: UUID | None
    due_at: datetime
    done_at: datetime | None
    done_by: TaskPerson | None
    created_by: TaskPerson | None
    created_at: datetime


class TaskPage(BaseModel):
    """A page of tasks."""

    data: list[Task]
    next_cursor: str | None


class TaskFilter(PageQuery):
    """Which tasks. In the order in which they are due; with `open` false in the order in which they were done, the last first."""

    assignee_id: UUID | None = None
    contact_id: UUID | None = None
    open: Annotated[bool | None, Field(description="Only what is still to do, or only what is done.")] = None
    due_before: Moment | None = None


class TaskIn(BaseModel):
    """A new task. Left out, the assignee is oneself and it is due now; the assignee null is for whoever takes it."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["to_do", "call", "callback"] = "to_do"
    title: Title
    contact_id: UUID | None = None
    assignee_id: UUID | None = None
    due_at: Moment | None = None


class TaskPatch(BaseModel):
    """What to change; what is left out stays. `done` false opens it again."""

    model_config = ConfigDict(extra="forbid")

    title: Title | None = None
    assignee_id: UUID | None = None
    due_at: Moment | None = None
    done: StrictBool | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_nulls(cls, value: Any) -> Any:
        if isinstance(value, dict):
            for name, given in value.items():
                if given is None and name != "assignee_id":
                    raise ValueError(f"{name} can't be null; leave it out to keep it.")
        return value
