"""What happens to text messages."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel

from hub.events import Event, declare
from hub.messages.models import Message, Thread


class MessageData(BaseModel):
    """The message as it is now."""

    message: Message


class ThreadData(BaseModel):
    """The message that came, and its conversation."""

    message: Message
    thread: Thread


class ThreadReadData(BaseModel):
    """Whose conversation was read."""

    contact_id: UUID


@declare
@dataclass(frozen=True, slots=True)
class MessageSent(Event):
    """Somebody wrote to a contact; the message may still wait."""

    type = "message.sent"
    subject_kind = "message"
    data_model = ThreadData


@declare
@dataclass(frozen=True, slots=True)
class MessageReceived(Event):
    """A contact wrote to us."""

    type = "message.received"
    subject_kind = "message"
    data_model = ThreadData


@declare
@dataclass(frozen=True, slots=True)
class MessageStateChanged(Event):
    """A message went on its way, arrived, or did not."""

    type = "message.state_changed"
    subject_kind = "message"
    data_model = MessageData


@declare
@dataclass(frozen=True, slots=True)
class ThreadRead(Event):
    """Somebody read what a contact wrote."""

    type = "message.thread_read"
    subject_kind = "contact"
    data_model = ThreadReadData
