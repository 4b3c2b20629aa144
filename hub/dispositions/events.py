"""What happens to dispositions. They are named by their value, which is no id."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hub.dispositions.models import Disposition
from hub.events import Event, declare


class DispositionData(BaseModel):
    """The disposition as it is now."""

    disposition: Disposition


@declare
@dataclass(frozen=True, slots=True)
class DispositionCreated(Event):
    """An admin added a disposition."""

    type = "disposition.created"
    subject_kind = "disposition"
    data_model = DispositionData
    audited = True


@declare
@dataclass(frozen=True, slots=True)
class DispositionUpdated(Event):
    """An admin changed a disposition, or brought it back."""

    type = "disposition.updated"
    subject_kind = "disposition"
    data_model = DispositionData
    audited = True


@declare
@dataclass(frozen=True, slots=True)
class DispositionArchived(Event):
    """An admin archived a disposition: old calls keep it, no new call gets it."""

    type = "disposition.archived"
    subject_kind = "disposition"
    data_model = DispositionData
    audited = True
