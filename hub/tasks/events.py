"""What happens to tasks."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hub.events import Event, declare
from hub.tasks.models import Task


class TaskData(BaseModel):
    """The task as it is now, or was at last."""

    task: Task


@declare
@dataclass(frozen=True, slots=True)
class TaskCreated(Event):
    """There is something new to do."""

    type = "task.created"
    subject_kind = "task"
    data_model = TaskData


@declare
@dataclass(frozen=True, slots=True)
class TaskUpdated(Event):
    """A task was changed, put off, handed over or opened again."""

    type = "task.updated"
    subject_kind = "task"
    data_model = TaskData


@declare
@dataclass(frozen=True, slots=True)
class TaskDone(Event):
    """Somebody has done a task."""

    type = "task.done"
    subject_kind = "task"
    data_model = TaskData


@declare
@dataclass(frozen=True, slots=True)
class TaskDeleted(Event):
    """A task is gone."""

    type = "task.deleted"
    subject_kind = "task"
    data_model = TaskData
