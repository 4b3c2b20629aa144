"""What happens to queues and sessions."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hub.dialer.models import Pace, Queue, Session
from hub.events import Event, declare


class QueueData(BaseModel):
    """The queue as it is now."""

    queue: Queue


class QueuePaceData(BaseModel):
    """The queue, and what the abandonment cap leaves."""

    queue: Queue
    pace: Pace


class SessionData(BaseModel):
    """The session as it is now."""

    session: Session


@declare
@dataclass(frozen=True, slots=True)
class QueueCreated(Event):
    """A queue was made; a job may still be filling it."""

    type = "queue.created"
    subject_kind = "queue"
    data_model = QueueData
    audited = True


@declare
@dataclass(frozen=True, slots=True)
class QueueUpdated(Event):
    """A queue was changed, started, paused, or is done."""

    type = "queue.updated"
    subject_kind = "queue"
    data_model = QueueData


@declare
@dataclass(frozen=True, slots=True)
class QueueDeleted(Event):
    """A queue was taken away."""

    type = "queue.deleted"
    subject_kind = "queue"
    data_model = QueueData
    audited = True


@declare
@dataclass(frozen=True, slots=True)
class QueueProgressed(Event):
    """Its items were counted again."""

    type = "queue.progressed"
    subject_kind = "queue"
    data_model = QueueData


@declare
@dataclass(frozen=True, slots=True)
class QueueFellToOneLine(Event):
    """The abandonment cap is near: reps who asked for several lines get one."""

    type = "queue.fell_to_one_line"
    subject_kind = "queue"
    data_model = QueuePaceData


@declare
@dataclass(frozen=True, slots=True)
class DialSessionChanged(Event):
    """A session was joined, moved to another state, or has another contact prepared."""

    type = "dial_session.changed"
    subject_kind = "dial_session"
    data_model = SessionData
