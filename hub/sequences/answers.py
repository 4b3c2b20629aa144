"""Sequences, enrolments, simulations and results as they go out."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from hub.sequences.models import Condition, EnrolmentState, Goal, RunState, ScheduleModel, SequenceState, StopOn
from hub.sequences.planning import StepKind


class SequencePerson(BaseModel):
    """A member or a contact by name."""

    id: UUID
    name: str


class StepPlace(BaseModel):
    """A step by its place."""

    id: UUID
    position: int
    kind: StepKind


class NamedSequence(BaseModel):
    """A sequence by name."""

    id: UUID
    name: str


class NamedMailbox(BaseModel):
    """A mailbox by address."""

    id: UUID
    address: str


class StepVariant(BaseModel):
    """One way to write a step."""

    id: UUID
    label: str
    weight: int
    subject: str
    html: str
    template_id: UUID | None


class StepOut(BaseModel):
    """A step of a sequence."""

    id: UUID
    position: int
    kind: StepKind
    wait_minutes: int | None
    wait_business_days: int | None
    thread: Literal["new", "reply"]
    condition: Condition | None
    note: str
    is_blocking: bool
    variants: list[StepVariant]


class SequenceCounts(BaseModel):
    """Enrolments by state; `goals` of them reached the goal."""

    active: int
    paused: int
    finished: int
    stopped: int
    failed: int
    goals: int
    total: int


class SequenceOut(BaseModel):
    """A sequence with its steps. `counts` are as of `counted_at`."""

    id: UUID
    name: str
    state: SequenceState
    schedule: ScheduleModel
    stop_on: StopOn
    goal: Goal | None
    owner: SequencePerson | None
    steps: list[StepOut]
    counts: SequenceCounts
    counted_at: datetime
    created_at: datetime
    updated_at: datetime
    version: int


class SequencePage(BaseModel):
    """A page of sequences."""

    data: list[SequenceOut]
    next_cursor: str | None


class DelayReason(BaseModel):
    """One reason why a step waits, and until when."""

    code: str
    until: datetime
    words: str


class Enrolment(BaseModel):
    """A contact in a sequence. An active one takes `step` at `due_at`, and `explanation` says why not sooner.

    `phase`: `plan` while its moment is being found, `act` once it has one, `settle` while a step is under way. A paused one goes
    on at `resume_at`, if there is one. `reason` and `words` say why it is paused or over.
    """

    id: UUID
    sequence: NamedSequence
    contact: SequencePerson
    user: SequencePerson
    mailbox: NamedMailbox | None
    state: EnrolmentState
    phase: Literal["plan", "act", "settle"]
    step: StepPlace | None
    due_at: datetime | None
    zone: str
    reason: str | None
    words: str
    explanation: list[DelayReason]
    resume_at: datetime | None
    goal_at: datetime | None
    created_at: datetime
    finished_at: datetime | None
    version: int


class EnrolmentPage(BaseModel):
    """A page of enrolments."""

    data: list[Enrolment]
    next_cursor: str | None


class NamedVariant(BaseModel):
    """A variant by label."""

    id: UUID
    label: str


class StepRun(BaseModel):
    """What became of a step for a contact. `slot_at` is the planned moment, `explanation` why not sooner, `words` the outcome."""

    id: UUID | None
    step: StepPlace
    variant: NamedVariant | None
    state: RunState
    slot_at: datetime
    done_at: datetime | None
    send_id: UUID | None
    task_id: UUID | None
    message_id: UUID | None
    words: str
    explanation: list[DelayReason]
    replied_at: datetime | None
    bounced_at: datetime | None
    unsubscribed_at: datetime | None


class EnrolmentWithRuns(Enrolment):
    """An enrolment with every step that was taken, and the next as planned."""

    runs: list[StepRun]


class RefusedContact(BaseModel):
    """A contact that was not taken, and why."""

    contact: SequencePerson
    why: str


class Enrolled(BaseModel):
    """What an enrolment of many came to. The first 200 of those refused are named; `more`: a worker goes on with the filter."""

    enrolled: int
    refused_total: int
    refused: list[RefusedContact]
    more: bool


class RefusedEnrolment(BaseModel):
    """An enrolment that an action could not be done for, and why."""

    id: UUID
    why: str


class BulkDone(BaseModel):
    """What a bulk action came to."""

    changed: int
    refused: list[RefusedEnrolment]


class SimulatedSend(BaseModel):
    """A step that would happen. `local_time` is what the contact's clock shows; `delays` say why not sooner."""

    contact: SequencePerson
    step: int
    kind: StepKind
    at: datetime
    local_time: str
    zone: str
    variant: str | None
    delays: list[str]


class DayCount(BaseModel):
    """Mails of a day."""

    day: date
    sends: int


class Simulation(BaseModel):
    """The days ahead as they would go if nobody answered. The first 5,000 steps are listed; `steps_total` are all of them."""

    sends: list[SimulatedSend]
    steps_total: int
    per_day: list[DayCount]
    refused: list[RefusedContact]


class ShareOf(BaseModel):
    """A share with its 95 % interval (Wilson)."""

    count: int
    of: int
    share: float
    low: float
    high: float


class VariantResult(BaseModel):
    """What became of the mails of a variant. Opens and clicks are those of people, where they are tracked."""

    variant: NamedVariant | None
    sent: int
    opened: ShareOf
    clicked: ShareOf
    replied: ShareOf
    bounced: ShareOf
    unsubscribed: ShareOf


class Comparison(BaseModel):
    """Whether variants differ in their replies.

    It is looked at once: over the first `sample` mails of each variant, after each has had a week to answer. Looking earlier or
    again and again would find differences where there are none.
    """

    state: Literal["one_variant", "not_enough", "no_difference", "difference"]
    better: str | None
    p: float | None
    sample: int
    have: int
    words: str


class StepResult(BaseModel):
    """What became of a step."""

    step: StepPlace
    done: int
    skipped: int
    failed: int
    canceled: int
    variants: list[VariantResult]
    comparison: Comparison | None


class SequenceResults(BaseModel):
    """What became of a sequence, counted now."""

    sequence_id: UUID
    counts: SequenceCounts
    reasons: dict[str, int]
    steps: list[StepResult]
