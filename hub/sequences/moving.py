"""The one place that moves enrolments: on to the next step, into a pause and out of it, to their end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg
import orjson

from hub.db import Tx
from hub.mail.sending import cancel_mail
from hub.messages.actions import take_back
from hub.sequences import queries
from hub.sequences.events import EnrolmentChanged
from hub.sequences.rules import Rules, StepRow
from hub.sqlfiles import load_sql

_SQL = load_sql("enrolments")

Ending = Literal["finished", "stopped", "failed"]


async def lock(tx: Tx, enrolment_id: UUID) -> asyncpg.Record:
    """The enrolment, held until the transaction ends. Raises NotFound."""
    row = await tx.fetchrow(_SQL["lock_enrolment"], id=enrolment_id)
    if row is None:
        raise queries.no_enrolment()
    return row


async def claim(tx: Tx, enrolment_id: UUID) -> asyncpg.Record | None:
    """The enrolment, unless somebody else has it in hand."""
    return await tx.fetchrow(_SQL["claim_enrolment"], id=enrolment_id)


async def change(tx: Tx, enrolment_id: UUID, **fields: Any) -> None:
    """Set these fields of an enrolment that is held."""
    await tx.execute(_SQL["move_enrolment"], id=enrolment_id, **fields, **{f"set_{name}": True for name in fields})


async def announce(tx: Tx, enrolment_ids: Sequence[UUID]) -> None:
    """Tell everybody how these enrolments stand."""
    for enrolment_id, text in (await queries.read_enrolments(tx, enrolment_ids)).items():
        tx.emit(EnrolmentChanged(enrolment_id, {"enrolment": orjson.Fragment(text)}))


async def go_on(tx: Tx, enrolment: asyncpg.Record, rules: Rules, position: int, base: datetime, now: datetime) -> None:
    """Let an enrolment that is held go on at a position: its step is planned next, counted from `base`; after the last it is
    finished. One that is paused stays paused, before that step."""
    step = rules.at(position)
    said = {} if enrolment["state"] == "paused" else {"reason": None, "words": ""}
    if step is None:
        said = {"reason": "end", "words": "Every step was taken."}
        await change(tx, enrolment["id"], state="finished", finished_at=now, explanation="[]", resume_at=None, **said)
    else:
        await change(tx, enrolment["id"], phase="plan", step_id=step.id, base_at=base, due_at=now, explanation="[]", **said)
    await announce(tx, [enrolment["id"]])


async def plan_anew(tx: Tx, enrolment_id: UUID, now: datetime, **fields: Any) -> None:
    """Have the next step's moment found anew."""
    await change(tx, enrolment_id, phase="plan", due_at=now, explanation="[]", **fields)


async def hold(tx: Tx, enrolment: asyncpg.Record, reason: str, words: str, resume_at: datetime | None) -> None:
    """Pause an enrolment that is held; its place in the mailbox's day is free for others."""
    phase = {} if enrolment["phase"] == "settle" else {"phase": "plan"}
    await change(tx, enrolment["id"], state="paused", reason=reason, words=words, resume_at=resume_at, explanation="[]", **phase)


async def wake(tx: Tx, enrolment: asyncpg.Record, now: datetime) -> None:
    """Let a paused enrolment go on; its next step is planned anew, a step under way is waited for."""
    await change(tx, enrolment["id"], state="active", due_at=now, reason=None, words="", resume_at=None)


async def end(
    tx: Tx,
    enrolments: Sequence[asyncpg.Record],
    state: Ending,
    reason: str,
    words: str,
    now: datetime,
    *,
    reached_goal: bool = False,
    tell: bool = True,
) -> None:
    """End enrolments that are held: planned steps are given up, mail that is not sent yet is taken back.

    Many at once need not be told of one by one (`tell`): the sequence's own event is enough then.
    """
    ids = [one["id"] for one in enrolments]
    for run in await tx.fetch(_SQL["open_runs_of"], ids=ids):
        # What can't be taken back goes its way; the scheduler sees what comes of it.
        if run["send_id"] is None or await cancel_mail(tx, run["send_id"], words):
            await note_run(tx, run["id"], "canceled", done_at=now, words=words)
    for run in await tx.fetch(_SQL["waiting_messages_of"], ids=ids):
        # In quiet hours they wait, and their step counted as taken.
        if await take_back(tx, run["message_id"], words):
            await note_run(tx, run["id"], "canceled", done_at=now, words=words)
    for one in enrolments:
        if one["state"] == "active" and one["phase"] == "act":
            await write_run(tx, one, None, "canceled", now, words=words)
        more = {"goal_at": now} if reached_goal else {}
        await change(tx, one["id"], state=state, reason=reason, words=words, finished_at=now, resume_at=None, **more)
    if tell:
        await announce(tx, ids)


async def write_run(
    tx: Tx,
    enrolment: asyncpg.Record,
    step: StepRow | None,
    state: str,
    now: datetime,
    *,
    words: str = "",
    variant: asyncpg.Record | None = None,
) -> UUID | None:
    """Write down that an enrolment's step is taken, or will not be; None when it was written down before.

    Without `step` it is the planned one, whose kind the database knows.
    """
    kind = step.kind if step is not None else await tx.fetchval(_SQL["kind_of_step"], id=enrolment["step_id"])
    run_id: UUID | None = await tx.fetchval(
        _SQL["insert_run"],
        enrolment_id=enrolment["id"],
        sequence_id=enrolment["sequence_id"],
        step_id=enrolment["step_id"],
        variant_id=variant["id"] if variant is not None else None,
        kind=kind,
        state=state,
        slot_at=enrolment["due_at"],
        done_at=None if state == "intended" else now,
        mailbox_id=enrolment["mailbox_id"] if kind == "email" else None,
        domain_lc=enrolment["domain_lc"] if kind == "email" else None,
        template_id=variant["template_id"] if variant is not None else None,
        template_version=variant["current_version"] if variant is not None else None,
        words=words,
        explanation=enrolment["explanation"],
    )
    return run_id


async def note_run(tx: Tx, run_id: UUID, state: str, **fields: Any) -> None:
    """What a step came to."""
    await tx.execute(_SQL["note_run"], id=run_id, state=state, **fields, **{f"set_{name}": True for name in fields})
