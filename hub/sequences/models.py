"""Sequences and enrolments as they go in and out."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints, field_validator, model_validator

from hub.contacts.models import Moment
from hub.dialer.models import ContactIds, SavedFilter
from hub.http.paging import PageQuery
from hub.sequences.hours import holiday_countries, is_zone
from hub.sequences.planning import StepKind

SequenceState = Literal["draft", "active", "paused", "archived"]
EnrolmentState = Literal["active", "paused", "finished", "stopped", "failed"]
RunState = Literal["planned", "intended", "done", "skipped", "failed", "canceled"]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Stage = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Cap = Annotated[int, Field(strict=True, ge=1, le=100_000)]
CONTACT_FIELD = r"^(company|title|stage|first_name|last_name|custom\..{1,70})$"
EnrolmentIds = Annotated[list[UUID], Field(min_length=1, max_length=1000)]


class ScheduleModel(BaseModel):
    """When steps happen: by ISO weekday (1 is Monday) from one minute of the day to another; days left out are closed.

    `holidays` is the country (ISO 3166) whose public holidays are left out, "" for none. `zone` is "contact" (each contact's
    own, else `fallback`, the company's if none is given) or the one zone whose clock counts.
    """

    model_config = ConfigDict(extra="forbid")

    days: dict[Annotated[int, Field(ge=1, le=7)], tuple[int, int]] = dict.fromkeys(range(1, 6), (540, 1020))
    holidays: Annotated[str, Field(max_length=8)] = ""
    zone: Annotated[str, Field(max_length=60)] = "contact"
    fallback: Annotated[str | None, Field(max_length=60)] = None

    @field_validator("days")
    @classmethod
    def _hours(cls, value: dict[int, tuple[int, int]]) -> dict[int, tuple[int, int]]:
        if not value:
            raise ValueError("At least one day must be open.")
        for begins, ends in value.values():
            if not 0 <= begins < ends <= 1440 or ends - begins < 15:
                raise ValueError("Hours are minutes of the day, from 0 to 1440, and at least 15 of them, such as [540, 1020].")
        return value

    @field_validator("holidays")
    @classmethod
    def _country(cls, value: str) -> str:
        if value and value.upper() not in holiday_countries():
            raise ValueError(f"{value} is not a country whose holidays are known. Use its two letters, such as US or DE.")
        return value.upper()

    @field_validator("zone", "fallback")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and value != "contact" and not is_zone(value):
            raise ValueError(f"{value} is no time zone. Write it like Europe/Berlin.")
        return value

    @model_validator(mode="after")
    def _falls_somewhere(self) -> ScheduleModel:
        if self.fallback == "contact":
            raise ValueError("The fallback must be a time zone, for contacts whose own is not known.")
        return self


class StopOn(BaseModel):
    """What ends an enrolment. Who unsubscribed is always left alone. `stage` are the stages that end it."""

    model_config = ConfigDict(extra="forbid")

    reply: StrictBool = True
    bounce: StrictBool = True
    unsubscribe: Literal[True] = True
    meeting: StrictBool = True
    colleague_contact: StrictBool = False
    stage: Annotated[list[Stage], Field(max_length=50)] = []


class Goal(BaseModel):
    """What counts as success."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["reply", "meeting", "stage"]
    stage: Stage | None = None

    @model_validator(mode="after")
    def _stage_named(self) -> Goal:
        if (self.kind == "stage") != (self.stage is not None):
            raise ValueError("Name the stage with the kind stage, and only then.")
        return self


class Condition(BaseModel):
    """What a condition step asks about the contact or the mails before it; the answer no goes on at `else_position`.

    With `field`, a field of the contact (company, title, stage, or custom.x) is compared with `equals`; null asks for any value.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    if_: Annotated[
        Literal["opened", "clicked", "replied", "has_phone", "has_email", "field"],
        Field(alias="if", serialization_alias="if"),
    ]
    field: Annotated[
        str | None, Field(max_length=80, pattern=r"^(company|title|stage|first_name|last_name|custom\..{1,70})$")
    ] = None
    equals: Annotated[str | None, Field(max_length=200)] = None
    else_position: Annotated[int, Field(strict=True, ge=2, le=101, description="One beyond the last step ends the sequence.")]

    @model_validator(mode="after")
    def _field_named(self) -> Condition:
        if (self.if_ == "field") != (self.field is not None):
            raise ValueError("Name the field with `if: field`, and only then.")
        return self


class VariantIn(BaseModel):
    """One way to write a step. With `template_id` the template's current version is sent, else `subject` and `html`."""

    model_config = ConfigDict(extra="forbid")

    id: UUID | None = None
    label: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)] = "A"
    weight: Annotated[int, Field(strict=True, ge=0, le=1000)] = 1
    subject: Annotated[str, Field(max_length=1000)] = ""
    html: Annotated[str, Field(max_length=200_000)] = ""
    template_id: UUID | None = None


class StepIn(BaseModel):
    """A step. It waits from the step before (or the enrolment) for minutes or for business days, then happens in the hours."""

    model_config = ConfigDict(extra="forbid")

    id: UUID | None = None
    kind: StepKind
    wait_minutes: Annotated[int | None, Field(strict=True, ge=0, le=525_600)] = None
    wait_business_days: Annotated[int | None, Field(strict=True, ge=1, le=250)] = None
    thread: Literal["new", "reply"] = "new"
    condition: Condition | None = None
    note: Annotated[str, Field(max_length=2000)] = ""
    is_blocking: Annotated[StrictBool, Field(description="A call or task: whether the sequence waits until it is done.")] = False
    variants: Annotated[list[VariantIn], Field(max_length=10)] = []

    @model_validator(mode="after")
    def _fits(self) -> StepIn:
        if self.wait_minutes is not None and self.wait_business_days is not None:
            raise ValueError("Wait for minutes or for business days, not both.")
        if (self.kind == "condition") != (self.condition is not None):
            raise ValueError("A condition step needs its condition, and no other step has one.")
        if self.kind in ("email", "sms") and not self.variants:
            raise ValueError(
                f"An {self.kind} step needs something to say: add a variant." if self.kind == "email" else "Add a variant."
            )
        if self.kind not in ("email", "sms") and self.variants:
            raise ValueError("Only email and sms steps have variants.")
        if self.variants and not any(one.weight for one in self.variants):
            raise ValueError("At least one variant needs a weight above 0.")
        if len({one.label for one in self.variants}) < len(self.variants):
            raise ValueError("Each variant needs a label of its own.")
        if self.is_blocking and self.kind not in ("call", "task"):
            raise ValueError("Only calls and tasks can be waited for.")
        return self


class StepsIn(BaseModel):
    """All steps in their order. Those with an `id` are kept and changed; those left out are taken away."""

    model_config = ConfigDict(extra="forbid")

    steps: Annotated[list[StepIn], Field(max_length=100)]

    @model_validator(mode="after")
    def _lead_onwards(self) -> StepsIn:
        for place, step in enumerate(self.steps, start=1):
            if step.condition is not None and not place < step.condition.else_position <= len(self.steps) + 1:
                raise ValueError(
                    f"Step {place} must lead to a later step: else_position from {place + 1} to {len(self.steps) + 1}."
                )
        named = [step.id for step in self.steps if step.id is not None]
        if len(set(named)) < len(named):
            raise ValueError("A step is in the list twice.")
        return self


class SequenceIn(StepsIn):
    """A new sequence, a draft until it is started. Steps may come with it."""

    name: Name
    schedule: ScheduleModel = ScheduleModel()
    stop_on: StopOn = StopOn()
    goal: Goal | None = None
    steps: Annotated[list[StepIn], Field(max_length=100)] = []


class SequencePatch(BaseModel):
    """What to change; what is left out stays. `goal` null takes the goal away."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    schedule: ScheduleModel | None = None
    stop_on: StopOn | None = None
    goal: Goal | None = None


class SequenceSettings(BaseModel):
    """What holds for all of the company's sequences.

    A day of a mailbox's cap begins at midnight in `zone`, which goes with the company's as long as it is the same. The caps by
    recipient domain hold over all mailboxes together (null: none); free mail providers such as gmail.com only count with
    `caps_free_domains`.
    """

    model_config = ConfigDict(extra="forbid")

    zone: Annotated[str | None, Field(max_length=60)] = None
    domain_per_hour: Cap | None = None
    domain_per_day: Cap | None = None
    domain_per_week: Cap | None = None
    caps_free_domains: StrictBool = False

    @field_validator("zone")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and not is_zone(value):
            raise ValueError(f"{value} is no time zone. Write it like Europe/Berlin.")
        return value


class Chosen(BaseModel):
    """Contacts from a list or a saved filter, and the mailbox they are written from (the own one, where there is only one)."""

    model_config = ConfigDict(extra="forbid")

    contact_ids: ContactIds | None = None
    filter: SavedFilter | None = None
    mailbox_id: UUID | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Chosen:
        if (self.contact_ids is None) == (self.filter is None):
            raise ValueError("Give contact_ids or a filter, one of the two.")
        return self


class EnrolIn(Chosen):
    """Whom to enrol. Who was in the sequence before is refused, unless they are to have it `again` from the start."""

    again: StrictBool = False


class SimulateIn(Chosen):
    """Whom to play it for (at most 2,000 of them), and for how many days."""

    days: Annotated[int, Field(strict=True, ge=1, le=90)] = 30


class PauseIn(BaseModel):
    """How long to pause; without an end until somebody resumes it."""

    model_config = ConfigDict(extra="forbid")

    until: Moment | None = None
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)] = ""


class StopIn(BaseModel):
    """Why it ends."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)] = ""


class MoveIn(BaseModel):
    """Where to go on: the position of a step that this contact has not had."""

    model_config = ConfigDict(extra="forbid")

    position: Annotated[int, Field(strict=True, ge=1, le=100)]


class SwapIn(BaseModel):
    """The mailbox to write from, from now on."""

    model_config = ConfigDict(extra="forbid")

    mailbox_id: UUID


class BulkIn(BaseModel):
    """One action for many enrolments; each is done or refused by itself."""

    model_config = ConfigDict(extra="forbid")

    ids: EnrolmentIds
    action: Literal["pause", "resume", "stop", "skip", "mailbox"]
    until: Moment | None = None
    mailbox_id: UUID | None = None
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)] = ""

    @model_validator(mode="after")
    def _complete(self) -> BulkIn:
        if (self.action == "mailbox") != (self.mailbox_id is not None):
            raise ValueError("Give the mailbox_id with the action mailbox, and only then.")
        if self.until is not None and self.action != "pause":
            raise ValueError("Only a pause has an end.")
        return self


class SequenceQuery(PageQuery):
    """Which sequences, newest first."""

    state: SequenceState | None = None


class EnrolmentQuery(PageQuery):
    """Which enrolments of a sequence, in the order they were made."""

    state: EnrolmentState | None = None
