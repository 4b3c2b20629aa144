"""What a sequence says, as the planner and the scheduler read it: its hours, its ends, its steps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

import asyncpg

from hub.db import Tx
from hub.sequences import queries
from hub.sequences.hours import Schedule
from hub.sequences.models import Condition, Goal, ScheduleModel, SequenceState, StopOn
from hub.sequences.planning import Step, StepKind
from hub.sqlfiles import load_sql

_SQL = load_sql("sequences")


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step of a sequence."""

    id: UUID
    position: int
    kind: StepKind
    wait_minutes: int
    wait_business_days: int
    thread: Literal["new", "reply"]
    condition: Condition | None
    note: str
    is_blocking: bool

    @property
    def plan(self) -> Step:
        """The step as planning sees it."""
        return Step(self.id, self.position, self.kind, self.wait_minutes, self.wait_business_days)


@dataclass(frozen=True, slots=True)
class Rules:
    """A sequence with its steps in their order."""

    id: UUID
    name: str
    state: SequenceState
    schedule: Schedule
    stop_on: StopOn
    goal: Goal | None
    steps: tuple[StepRow, ...]

    def step(self, step_id: UUID | None) -> StepRow | None:
        """A step by its id; None for one that was taken away."""
        return next((step for step in self.steps if step.id == step_id), None)

    def at(self, position: int) -> StepRow | None:
        """The step at a position, or the first one beyond it; None beyond the last."""
        return next((step for step in self.steps if step.position >= position), None)

    def stops_on(self, why: str, stage: str) -> bool:
        """Whether this ends an enrolment of a contact whose stage is this."""
        if why == "stage":
            return stage in self.stop_on.stage or self.reaches_goal(why, stage)
        return bool(getattr(self.stop_on, why)) or self.reaches_goal(why, stage)

    def reaches_goal(self, why: str, stage: str) -> bool:
        """Whether this is what the sequence is for."""
        return self.goal is not None and self.goal.kind == why and (why != "stage" or self.goal.stage == stage)


def schedule_of(given: ScheduleModel) -> Schedule:
    """The schedule as the planner reads it."""
    return Schedule(dict(given.days), given.holidays, given.zone, given.fallback or "UTC")


async def load_rules(tx: Tx, sequence_ids: Iterable[UUID]) -> dict[UUID, Rules]:
    """The sequences named, those that were taken away left out."""
    ids = list(dict.fromkeys(sequence_ids))
    steps: dict[UUID, list[StepRow]] = {}
    for row in await queries.steps_of(tx, ids):
        steps.setdefault(row["sequence_id"], []).append(_step(row))
    return {
        row["id"]: Rules(
            row["id"],
            row["name"],
            row["state"],
            schedule_of(ScheduleModel.model_validate_json(row["schedule"])),
            StopOn.model_validate_json(row["stop_on"]),
            Goal.model_validate_json(row["goal"]) if row["goal"] else None,
            tuple(steps.get(row["id"], ())),
        )
        for row in await queries.rules_of(tx, ids)
    }


async def quiet_days(tx: Tx) -> dict[date, str]:
    """The days on which the company reaches nobody, with their names."""
    return {row["day"]: row["name"] for row in await tx.fetch(_SQL["quiet_days"])}


def _step(row: asyncpg.Record) -> StepRow:
    return StepRow(
        row["id"],
        row["position"],
        row["kind"],
        row["wait_minutes"] or 0,
        row["wait_business_days"] or 0,
        row["thread"],
        Condition.model_validate_json(row["condition"]) if row["condition"] else None,
        row["note"],
        row["is_blocking"],
    )
