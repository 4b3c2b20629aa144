"""What happens to telephone numbers."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hub.events import Event, declare
from hub.numbers.models import Number


class NumberData(BaseModel):
    """The number as it is now."""

    number: Number


@declare
@dataclass(frozen=True, slots=True)
class NumberCreated(Event):
    """Somebody asked for a number to be bought."""

    type = "number.created"
    subject_kind = "number"
    data_model = NumberData
    audited = True
    audit_fields = ("number.e164",)


@declare
@dataclass(frozen=True, slots=True)
class NumberUpdated(Event):
    """A number was bought or could not be, was assigned, or is answered otherwise."""

    type = "number.updated"
    subject_kind = "number"
    data_model = NumberData
    audited = True
    audit_fields = ("number.e164",)


@declare
@dataclass(frozen=True, slots=True)
class NumberReleased(Event):
    """A number was given back."""

    type = "number.released"
    subject_kind = "number"
    data_model = NumberData
    audited = True
    audit_fields = ("number.e164",)
