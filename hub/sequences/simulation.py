"""The days ahead, played with the planner that decides in earnest: what would happen when, and why not sooner."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from hub.db import Tx
from hub.errors import Conflict
from hub.sequences import enrolling
from hub.sequences.conditions import holds
from hub.sequences.diary import boxes_of, open_planner
from hub.sequences.enrolling import Applicant
from hub.sequences.hours import local, moment_of, said, seconds
from hub.sequences.models import SimulateIn
from hub.sequences.planning import Candidate, Delay, Planner, candidate_key, choose_variant
from hub.sequences.rules import Rules, StepRow
from hub.sqlfiles import load_sql

_SEQUENCES = load_sql("sequences")

MOST_CONTACTS = 2000
_MOST_LISTED = 5000
_REFUSED_NAMED = 200
# Nobody answers in a simulation.
_SILENCE: Mapping[str, bool] = {}


@dataclass(frozen=True, slots=True)
class Happening:
    """A step that would happen, in seconds since 1970."""

    applicant: Applicant
    step: StepRow
    at: int
    reasons: tuple[Delay, ...]


def play(rules: Rules, applicants: Sequence[Applicant], planner: Planner, mailbox_id: UUID | None, until: int) -> list[Happening]:
    """What would happen up to a moment if these were enrolled now, in order. Pure: the planner is all it changes."""
    begun = planner.now
    # In the order in which the scheduler plans: by when the step before happened, then by contact.
    waiting: list[tuple[int, UUID, int, Applicant]] = [(begun, one.id, 1, one) for one in applicants]
    heapq.heapify(waiting)
    planned: list[tuple[int, UUID, StepRow, Applicant, tuple[Delay, ...]]] = []
    happened: list[Happening] = []
    while waiting or planned:
        if waiting and (not planned or waiting[0][0] <= planned[0][0]):
            base, _, position, one = heapq.heappop(waiting)
            step = rules.at(position)
            if step is None:
                continue
            planner.now = max(base, begun)
            who = Candidate(candidate_key(rules.id, one.id), base, one.zone, mailbox_id, one.domain)
            found = planner.next_moment(step.plan, who, planner.hours_for(rules.schedule, one.zone))
            if found.at is not None and found.at <= until:
                heapq.heappush(planned, (found.at, one.id, step, one, found.reasons))
            continue
        at, contact_id, step, one, reasons = heapq.heappop(planned)
        position = step.position + 1
        if step.condition is not None and not holds(step.condition, dict(one.facts), _SILENCE)[0]:
            position = step.condition.else_position
        if step.kind not in ("wait", "condition"):
            happened.append(Happening(one, step, at, reasons))
        heapq.heappush(waiting, (at, contact_id, position, one))
    return happened


async def simulate(tx: Tx, sequence_id: UUID, given: SimulateIn, now: datetime) -> str:
    """Play the days ahead for these contacts (answers.Simulation as JSON). Nothing is kept.

    Raises NotFound, Conflict for a sequence without steps and for a mailbox that does not send just now, Invalid for a mailbox.
    """
    rules = await enrolling.enrollable(tx, sequence_id)
    mailbox_id = await enrolling.writing_mailbox(tx, rules, given.mailbox_id)
    boxes = await boxes_of(tx, [mailbox_id]) if mailbox_id is not None else {}
    for box in boxes.values():
        if box.shut is not None:
            raise Conflict(f"Nothing would go out: {box.shut}.", code="mailbox_does_not_send")
    found = await enrolling.applicants(tx, rules, await enrolling.chosen_contacts(tx, given, MOST_CONTACTS))
    taken = [one for one in found if one.why is None]
    settings = await tx.fetchrow(_SEQUENCES["look_at_settings"])
    planner = await open_planner(tx, int(now.timestamp()), settings, boxes.values(), {one.domain for one in taken})
    labels: dict[UUID, list[tuple[UUID, int]]] = {}
    names: dict[UUID, str] = {}
    for row in await tx.fetch(_SEQUENCES["variants_of"], ids=[step.id for step in rules.steps]):
        labels.setdefault(row["step_id"], []).append((row["id"], row["weight"]))
        names[row["id"]] = row["label"]
    until = seconds(now + timedelta(days=given.days))
    happened = await asyncio.to_thread(play, rules, taken, planner, mailbox_id, until)
    day_zone = ZoneInfo(settings["zone"] if settings is not None else "UTC")
    per_day: dict[str, int] = {}
    for one in happened:
        if one.step.kind == "email":
            day = local(day_zone, one.at).date().isoformat()
            per_day[day] = per_day.get(day, 0) + 1
    refused = [one for one in found if one.why is not None]
    return orjson.dumps(
        {
            "sends": [_send(rules, one, labels, names) for one in happened[:_MOST_LISTED]],
            "steps_total": len(happened),
            "per_day": [{"day": day, "sends": sends} for day, sends in sorted(per_day.items())],
            "refused": [enrolling.refusal(one) for one in refused[:_REFUSED_NAMED]],
        }
    ).decode()


def _send(
    rules: Rules, one: Happening, labels: Mapping[UUID, Sequence[tuple[UUID, int]]], names: Mapping[UUID, str]
) -> dict[str, object]:
    zone = ZoneInfo(rules.schedule.zone_of(one.applicant.zone))
    variant = choose_variant(candidate_key(rules.id, one.applicant.id), one.step.id, labels.get(one.step.id, ()))
    return {
        "contact": {"id": str(one.applicant.id), "name": one.applicant.name},
        "step": one.step.position,
        "kind": one.step.kind,
        "at": moment_of(one.at),
        "local_time": said(zone, one.at),
        "zone": zone.key,
        "variant": names[variant] if variant is not None else None,
        "delays": [delay.words for delay in one.reasons],
    }
