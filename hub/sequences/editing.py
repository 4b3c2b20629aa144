"""The writes on sequences: making and changing them, their steps, starting and pausing them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import orjson

from hub.company.days import zone_of
from hub.db import Tx
from hub.errors import Conflict, Forbidden, Invalid, PreconditionFailed
from hub.events import Event
from hub.sequences import moving, queries
from hub.sequences.events import SequenceCreated, SequenceDeleted, SequenceProgressed, SequenceStateChanged, SequenceUpdated
from hub.sequences.models import ScheduleModel, SequenceIn, SequencePatch, SequenceSettings, SequenceState, StepIn
from hub.sqlfiles import load_sql
from hub.templates.rendering import check

_SQL = load_sql("sequences")
_ENROLMENTS = load_sql("enrolments")

# Enrolments that are ended in one go when a sequence is archived.
_MOST_TO_END = 5000
# Where a company that never said where it is calls: UTC is nobody's business hours.
_WHERE_MOST_ARE = "America/New_York"


async def create_sequence(tx: Tx, given: SequenceIn) -> tuple[UUID, str, int]:
    """Make a sequence, a draft; its id, JSON and version. Raises Invalid for steps that do not fit, templates there are not."""
    await tx.execute(_SQL["begin_settings"])
    sequence_id: UUID = await tx.fetchval(
        _SQL["insert_sequence"],
        name=given.name,
        schedule=(await _placed(tx, given.schedule)).model_dump_json(),
        stop_on=given.stop_on.model_dump_json(),
        goal=given.goal.model_dump_json() if given.goal else None,
    )
    await _put_steps(tx, sequence_id, given.steps)
    return sequence_id, *await announce(tx, SequenceCreated, sequence_id)


async def update_sequence(tx: Tx, sequence_id: UUID, given: SequencePatch, version: int | None) -> tuple[str, int]:
    """Change what is given; JSON and version. Raises NotFound, Forbidden, PreconditionFailed."""
    await _lock_own(tx, sequence_id, version)
    fields: dict[str, object] = {}
    for name in given.model_fields_set:
        value = getattr(given, name)
        if name == "goal":
            fields[name] = value.model_dump_json() if value else None
        elif isinstance(value, ScheduleModel):
            fields[name] = (await _placed(tx, value)).model_dump_json()
        elif value is not None:
            fields[name] = value if isinstance(value, str) else value.model_dump_json()
    await tx.execute(_SQL["update_sequence"], id=sequence_id, **fields, **{f"set_{name}": True for name in fields})
    return await announce(tx, SequenceUpdated, sequence_id)


async def delete_sequence(tx: Tx, sequence_id: UUID) -> None:
    """Take a sequence away. Raises Conflict while somebody is in it."""
    await _lock_own(tx, sequence_id)
    counted = await queries.census(tx, sequence_id)
    if counted["active"] or counted["paused"]:
        raise Conflict("There are contacts in this sequence. Archive it, or stop them first.", code="sequence_in_use")
    text, _ = await queries.read_sequence(tx, sequence_id)
    await tx.execute(_SQL["delete_sequence"], id=sequence_id)
    tx.emit(SequenceDeleted(sequence_id, {"sequence": orjson.Fragment(text)}))


async def set_steps(tx: Tx, sequence_id: UUID, steps: Sequence[StepIn], version: int | None, now: datetime) -> tuple[str, int]:
    """Set the steps, all of them; JSON and version.

    Those who stand at a step that is gone go on at the one that took its place, or are finished; what is planned is planned anew.
    """
    await _lock_own(tx, sequence_id, version)
    before = await tx.fetch(_SQL["steps_of"], ids=[sequence_id])
    await tx.execute(_SQL["lift_steps"], id=sequence_id)
    await tx.execute(_SQL["lift_variants"], id=sequence_id)
    ids = await _put_steps(tx, sequence_id, steps)
    for row in before:
        if row["id"] in ids:
            continue
        follows = next((one["id"] for one in before if one["position"] > row["position"] and one["id"] in ids), None)
        place = {"sequence_id": sequence_id, "step_id": row["id"], "now": now}
        if follows is not None:
            await tx.execute(_ENROLMENTS["leave_step"], to_step=follows, **place)
        else:
            await tx.execute(_ENROLMENTS["end_at_step"], **place)
    await tx.execute(_ENROLMENTS["replan_sequence"], id=sequence_id, now=now)
    await tx.execute(_SQL["update_sequence"], id=sequence_id)
    return await announce(tx, SequenceUpdated, sequence_id)


async def set_state(tx: Tx, sequence_id: UUID, state: SequenceState, now: datetime) -> tuple[str, int]:
    """Start, pause or archive a sequence; JSON and version. Raises Conflict where it has no steps, or too many in it."""
    sequence = await _lock_own(tx, sequence_id)
    if sequence["state"] == state:
        return await queries.read_sequence(tx, sequence_id)
    if state == "active" and not await tx.fetch(_SQL["steps_of"], ids=[sequence_id]):
        raise Conflict("This sequence has no steps yet.", code="sequence_is_empty")
    if state == "paused" and sequence["state"] != "active":
        raise Conflict("Only a sequence that runs can be paused.", code="sequence_does_not_run")
    if state == "archived":
        await _end_all(tx, sequence_id, now)
    await tx.execute(_SQL["set_state"], id=sequence_id, state=state)
    return await announce(tx, SequenceStateChanged, sequence_id)


async def save_settings(tx: Tx, given: SequenceSettings) -> str:
    """Set what holds for all sequences; as JSON."""
    await tx.execute(_SQL["save_settings"], **given.model_dump())
    return await queries.get_settings(tx)


async def recount(tx: Tx, sequence_id: UUID) -> bool:
    """Count a sequence's enrolments again and tell what changed; whether something had."""
    row = await tx.fetchrow(_SQL["lock_sequence"], id=sequence_id)
    if row is None:
        return False
    now = await queries.census(tx, sequence_id)
    changed: bool = now != orjson.loads(row["counts"])
    await tx.execute(_SQL["keep_census"], id=sequence_id, counts=orjson.dumps(now).decode())
    if changed:
        await announce(tx, SequenceProgressed, sequence_id)
    return changed


async def lock_sequence(tx: Tx, sequence_id: UUID) -> asyncpg.Record:
    """The sequence, held until the transaction ends. Raises NotFound."""
    row = await tx.fetchrow(_SQL["lock_sequence"], id=sequence_id)
    if row is None:
        raise queries.no_sequence()
    return row


async def _lock_own(tx: Tx, sequence_id: UUID, version: int | None = None) -> asyncpg.Record:
    row = await lock_sequence(tx, sequence_id)
    if row["owner_id"] != tx.who.user_id and not tx.who.is_manager:
        raise Forbidden("This is a colleague's sequence; a manager can do this.")
    if version is not None and version != row["version"]:
        raise PreconditionFailed("Somebody changed this sequence since you opened it. Look at it again, then save.")
    return row


async def _end_all(tx: Tx, sequence_id: UUID, now: datetime) -> None:
    rows = await tx.fetch(_ENROLMENTS["live_of_sequence"], id=sequence_id, limit=_MOST_TO_END + 1)
    if len(rows) > _MOST_TO_END:
        raise Conflict(f"More than {_MOST_TO_END} contacts are in it. Pause it, or stop them first.", code="sequence_in_use")
    await moving.end(tx, rows, "stopped", "archived", "The sequence was archived.", now, tell=len(rows) <= 100)
    if rows:
        await tx.execute(_SQL["keep_census"], id=sequence_id, counts=orjson.dumps(await queries.census(tx, sequence_id)).decode())


async def _put_steps(tx: Tx, sequence_id: UUID, steps: Sequence[StepIn]) -> set[UUID]:
    """Put steps and variants into their places; the ids of the steps. Raises Invalid for what is not this sequence's."""
    if not steps:
        return set()
    kinds = {row["id"]: row["kind"] for row in await tx.fetch(_SQL["step_ids"], id=sequence_id)}
    owners = {row["id"]: row["step_id"] for row in await tx.fetch(_SQL["variant_ids"], id=sequence_id)}
    await _check_words(tx, steps)
    ids: set[UUID] = set()
    for position, step in enumerate(steps, start=1):
        if step.id is not None and step.id not in kinds:
            raise Invalid.field(f"steps.{position - 1}.id", "This is no step of the sequence. Leave the id out to add one.")
        if step.id is not None and kinds[step.id] != step.kind:
            raise Invalid.field(f"steps.{position - 1}.kind", "A step stays of its kind. Leave the id out to put a new one here.")
        step_id: UUID = await tx.fetchval(
            _SQL["put_step"],
            id=step.id,
            sequence_id=sequence_id,
            position=position,
            kind=step.kind,
            wait_minutes=step.wait_minutes,
            wait_business_days=step.wait_business_days,
            thread=step.thread,
            condition=step.condition.model_dump_json(by_alias=True) if step.condition else None,
            note=step.note,
            is_blocking=step.is_blocking,
        )
        ids.add(step_id)
        for place, variant in enumerate(step.variants):
            if variant.id is not None and owners.get(variant.id) != step_id:
                raise Invalid.field(f"steps.{position - 1}.variants.{place}.id", "This is no variant of the step.")
            await tx.execute(
                _SQL["put_variant"],
                id=variant.id,
                step_id=step_id,
                label=variant.label,
                weight=variant.weight,
                subject=variant.subject,
                html=variant.html,
                template_id=variant.template_id,
            )
    return ids


async def _check_words(tx: Tx, steps: Sequence[StepIn]) -> None:
    wanted = {variant.template_id for step in steps for variant in step.variants if variant.template_id is not None}
    known = {row["id"] for row in await tx.fetch(_SQL["known_templates"], ids=list(wanted))} if wanted else set()
    for place, step in enumerate(steps):
        for number, variant in enumerate(step.variants):
            where = f"steps.{place}.variants.{number}"
            if variant.template_id is not None:
                if variant.template_id not in known:
                    raise Invalid.field(f"{where}.template_id", "There is no such template.")
                continue
            if not variant.html.strip():
                raise Invalid.field(f"{where}.html", "Write something, or choose a template.")
            if step.kind == "email" and step.thread == "new" and not variant.subject.strip():
                raise Invalid.field(f"{where}.subject", "A new mail needs a subject.")
            try:
                check(variant.subject, variant.html)
            except Invalid as exc:
                raise Invalid.field(f"{where}.html", exc.message) from None


async def announce(tx: Tx, event: type[Event], sequence_id: UUID) -> tuple[str, int]:
    """Tell everybody how a sequence stands; its JSON and version. Raises NotFound."""
    text, version = await queries.read_sequence(tx, sequence_id)
    tx.emit(event(sequence_id, {"sequence": orjson.Fragment(text)}))
    return text, version


async def _placed(tx: Tx, schedule: ScheduleModel) -> ScheduleModel:
    """The schedule with a clock for contacts whose own zone is not known: the company's, where none was given."""
    if schedule.fallback is not None:
        return schedule
    zone = (await zone_of(tx)).key
    return schedule.model_copy(update={"fallback": _WHERE_MOST_ARE if zone == "UTC" else zone})
