"""What happens to people's presence."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hub.events import Event, declare
from hub.presence.models import Person


class PersonData(BaseModel):
    """The person as they are now."""

    person: Person


@declare
@dataclass(frozen=True, slots=True)
class PresenceChanged(Event):
    """A person came, went, took or ended a call, or stepped away."""

    type = "presence.changed"
    subject_kind = "user"
    data_model = PersonData
