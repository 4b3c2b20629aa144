"""What happens to sequences and enrolments."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from hub.events import Event, declare
from hub.sequences.answers import Enrolment, SequenceOut


class SequenceData(BaseModel):
    """The sequence as it is now."""

    sequence: SequenceOut


class EnrolmentData(BaseModel):
    """The enrolment as it is now."""

    enrolment: Enrolment


@declare
@dataclass(frozen=True, slots=True)
class SequenceCreated(Event):
    """Somebody made a sequence."""

    type = "sequence.created"
    subject_kind = "sequence"
    data_model = SequenceData
    audited = True


@declare
@dataclass(frozen=True, slots=True)
class SequenceUpdated(Event):
    """A sequence's steps or settings changed."""

    type = "sequence.updated"
    subject_kind = "sequence"
    data_model = SequenceData


@declare
@dataclass(frozen=True, slots=True)
class SequenceStateChanged(Event):
    """A sequence was started, paused or archived."""

    type = "sequence.state_changed"
    subject_kind = "sequence"
    data_model = SequenceData
    audited = True
    audit_fields = ("sequence.state",)


@declare
@dataclass(frozen=True, slots=True)
class SequenceProgressed(Event):
    """Contacts moved on in a sequence, and its counts were taken anew; single enrolments of many may have changed unsaid."""

    type = "sequence.progressed"
    subject_kind = "sequence"
    data_model = SequenceData


@declare
@dataclass(frozen=True, slots=True)
class SequenceDeleted(Event):
    """A sequence was taken away."""

    type = "sequence.deleted"
    subject_kind = "sequence"
    data_model = SequenceData
    audited = True


@declare
@dataclass(frozen=True, slots=True)
class EnrolmentChanged(Event):
    """A contact was enrolled, moved on, was held up, or is through."""

    type = "enrolment.changed"
    subject_kind = "enrolment"
    data_model = EnrolmentData
