"""What people do to enrolments, one by one or many at once: pause, resume, stop, skip, move, write from another mailbox."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import asyncpg
import orjson

from hub.db import Tx
from hub.errors import Conflict, HubError, Invalid
from hub.sequences import moving, queries
from hub.sequences.enrolling import not_theirs
from hub.sequences.models import BulkIn
from hub.sequences.rules import Rules, load_rules
from hub.sqlfiles import load_sql

_SQL = load_sql("enrolments")


async def pause(tx: Tx, enrolment_id: UUID, until: datetime | None, reason: str, now: datetime) -> str:
    """Hold one contact up, until somebody resumes it or a moment comes; the enrolment's JSON. May be repeated."""
    row = await _live(tx, enrolment_id)
    if until is not None and until <= now:
        raise Invalid.field("until", "This moment is past.")
    words = reason or f"{tx.who.name or 'Somebody'} paused it."
    await moving.hold(tx, row, "person", words, until)
    return await _told(tx, enrolment_id)


async def resume(tx: Tx, enrolment_id: UUID, now: datetime) -> str:
    """Let a paused contact go on; the enrolment's JSON. One that is active stays as it is."""
    row = await _live(tx, enrolment_id)
    if row["state"] == "active":
        return await queries.read_enrolment(tx, enrolment_id)
    await moving.wake(tx, row, now)
    return await _told(tx, enrolment_id)


async def stop(tx: Tx, enrolment_id: UUID, reason: str, now: datetime) -> str:
    """Take a contact out of the sequence for good; the enrolment's JSON."""
    row = await _live(tx, enrolment_id)
    await moving.end(tx, [row], "stopped", "person", reason or f"{tx.who.name or 'Somebody'} stopped it.", now)
    return await queries.read_enrolment(tx, enrolment_id)


async def skip(tx: Tx, enrolment_id: UUID, now: datetime) -> str:
    """Leave the next step out; the enrolment's JSON. Raises Conflict while that step is under way."""
    row = await _live(tx, enrolment_id)
    rules = await _still(tx, row)
    step = rules.step(row["step_id"])
    if step is None:
        raise Conflict("This step was taken away.", code="step_is_gone")
    await moving.write_run(tx, row, step, "skipped", now, words=f"{tx.who.name or 'Somebody'} left it out.")
    await moving.go_on(tx, row, rules, step.position + 1, now, now)
    return await queries.read_enrolment(tx, enrolment_id)


async def move(tx: Tx, enrolment_id: UUID, position: int, now: datetime) -> str:
    """Go on at another step; the enrolment's JSON. Raises Conflict for a step that this contact has had."""
    row = await _live(tx, enrolment_id)
    rules = await _still(tx, row)
    step = next((one for one in rules.steps if one.position == position), None)
    if step is None:
        raise Invalid.field("position", f"The sequence has steps from 1 to {len(rules.steps)}.")
    had = {one["step_id"] for one in await tx.fetch(_SQL["steps_had"], enrolment_id=enrolment_id)}
    if step.id in had:
        raise Conflict(f"Step {position} was taken already, and no step is taken twice.", code="step_was_taken")
    await moving.plan_anew(tx, enrolment_id, now, step_id=step.id, base_at=now)
    return await _told(tx, enrolment_id)


async def swap_mailbox(tx: Tx, enrolment_id: UUID, mailbox_id: UUID, now: datetime) -> str:
    """Write from another mailbox from now on; the enrolment's JSON. Raises Conflict for one that who acts can't write from."""
    row = await _live(tx, enrolment_id)
    if not any(one["id"] == mailbox_id for one in await tx.fetch(_SQL["own_mailboxes"])):
        raise not_theirs()
    if row["phase"] == "settle":
        await moving.change(tx, enrolment_id, mailbox_id=mailbox_id)
    else:
        await moving.plan_anew(tx, enrolment_id, now, mailbox_id=mailbox_id)
    return await _told(tx, enrolment_id)


async def change_many(tx: Tx, given: BulkIn, now: datetime) -> str:
    """One action for many enrolments; each is done or refused by itself (answers.BulkDone as JSON)."""
    changed = 0
    refused: list[dict[str, str]] = []
    # In one order, so that two who change the same ones do not wait for each other.
    for enrolment_id in sorted(set(given.ids)):
        try:
            if given.action == "pause":
                await pause(tx, enrolment_id, given.until, given.reason, now)
            elif given.action == "resume":
                await resume(tx, enrolment_id, now)
            elif given.action == "stop":
                await stop(tx, enrolment_id, given.reason, now)
            elif given.action == "skip":
                await skip(tx, enrolment_id, now)
            else:
                assert given.mailbox_id is not None
                await swap_mailbox(tx, enrolment_id, given.mailbox_id, now)
            changed += 1
        except HubError as exc:
            # Each of these looks before it writes, so what is refused has changed nothing.
            refused.append({"id": str(enrolment_id), "why": exc.message})
    return orjson.dumps({"changed": changed, "refused": refused}).decode()


async def _live(tx: Tx, enrolment_id: UUID) -> asyncpg.Record:
    row = await moving.lock(tx, enrolment_id)
    if row["state"] not in ("active", "paused"):
        raise Conflict(f"This enrolment is over ({row['state']}).", code="enrolment_is_over")
    return row


async def _still(tx: Tx, row: asyncpg.Record) -> Rules:
    """The rules of an enrolment whose step is not under way."""
    if row["phase"] == "settle":
        raise Conflict("A step is under way just now. Try again in a moment, or stop the enrolment.", code="step_is_under_way")
    rules = (await load_rules(tx, [row["sequence_id"]])).get(row["sequence_id"])
    if rules is None:
        raise queries.no_sequence()
    return rules


async def _told(tx: Tx, enrolment_id: UUID) -> str:
    await moving.announce(tx, [enrolment_id])
    return await queries.read_enrolment(tx, enrolment_id)
