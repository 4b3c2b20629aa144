"""What becomes of letters. Whom they are to and what is in them is not said: admins read that."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel

from hub.events import MANAGERS, Event, declare
from hub.post.models import LetterState


class LetterData(BaseModel):
    """Which letter, and how it stands."""

    letter_id: UUID
    state: LetterState


@declare
@dataclass(frozen=True, slots=True)
class LetterChanged(Event):
    """A letter was written, sent, kept or given up."""

    type = "letter.changed"
    subject_kind = "letter"
    data_model = LetterData

    @classmethod
    def of(cls, letter_id: UUID, state: LetterState) -> LetterChanged:
        """The event for this state of a letter."""
        return cls(letter_id, {"letter_id": letter_id, "state": state}, MANAGERS)
