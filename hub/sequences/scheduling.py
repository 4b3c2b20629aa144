"""The scheduler: finds moments for steps, takes steps that are due, and looks what became of them.

All of it is repeatable: each enrolment is moved in a transaction of its own under its lock, and a step that was taken is a row
that can't be written twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import orjson
import structlog

from hub.clock import Clock
from hub.db import Database, Tx, tenant_tx
from hub.errors import HubError
from hub.sequences import acting, editing, moving, queries, settling
from hub.sequences.diary import Box, boxes_of, open_planner
from hub.sequences.events import SequenceProgressed
from hub.sequences.hours import Hours, moment_of, seconds
from hub.sequences.planning import PEOPLE, Candidate, Delay, Planner, candidate_key
from hub.sequences.rules import Rules, load_rules
from hub.sequences.stopping import stop_for
from hub.sqlfiles import load_sql
from hub.who import Who

_SQL = load_sql("enrolments")
_SEQUENCES = load_sql("sequences")
_log = structlog.get_logger("hub.sequences")

# Enrolments that are planned in one transaction, and how many of them are told of one by one.
BATCH = 20_000
TOLD_SINGLY = 100
# A mailbox that can't send, a contact without an open hour: looked at again after this.
_AGAIN_S = 300
_NEVER_S = 86_400
# Stages and suppressions that changed this long ago were seen by the rounds before.
_CHANGED_S = 60.0
_TOGETHER = 200


async def tick(db: Database, clock: Clock, limit: int, *, sms_from: str = "") -> int:
    """Do what is due by now in every company, at most `limit` of each kind; how much that was. May run in several workers.

    Planning costs little and is done for more at once. `sms_from` is the installation's own number, for text messages.
    """
    done = await stop_changed(db, limit)
    done += await resume_due(db, clock, limit)
    done += await settle_due(db, clock, limit)
    done += await act_due(db, clock, limit, sms_from=sms_from)
    done += await plan_due(db, clock, max(limit, 2 * BATCH))
    return done


async def plan_due(db: Database, clock: Clock, limit: int) -> int:
    """Find a moment for every next step that wants one, at most `limit` of them; how many were looked at."""
    planned = 0
    for tenant_id in await queries.tenants_to_plan(db, clock.now(), limit):
        more = True
        while more and planned < limit:
            async with tenant_tx(db, Who.system(tenant_id)) as tx:
                wanted = min(BATCH, limit - planned)
                found = await plan_batch(tx, clock.now(), wanted)
            planned += found
            more = found == wanted
    return planned


async def plan_batch(tx: Tx, now: datetime, limit: int) -> int:
    """Find moments for at most `limit` of a company's enrolments; how many there were. None while somebody else plans."""
    settings = await tx.fetchrow(_SEQUENCES["hold_settings"])
    if settings is None:
        return 0
    rows = await tx.fetch(_SQL["claim_to_plan"], now=now, limit=limit)
    if not rows:
        return 0
    rules = await load_rules(tx, {row["sequence_id"] for row in rows})
    boxes = await boxes_of(tx, {row["mailbox_id"] for row in rows if row["mailbox_id"] is not None})
    planner = await open_planner(tx, int(now.timestamp()), settings, boxes.values(), {row["domain_lc"] for row in rows})
    await tx.execute(_SQL["save_plans"], **_plans(rows, rules, boxes, planner))
    if len(rows) <= TOLD_SINGLY:
        await moving.announce(tx, [row["id"] for row in rows])
    else:
        for sequence_id in rules:
            await editing.announce(tx, SequenceProgressed, sequence_id)
    return len(rows)


def _plans(
    rows: Sequence[asyncpg.Record], rules: dict[UUID, Rules], boxes: dict[UUID, Box], planner: Planner
) -> dict[str, list[object]]:
    plans: dict[str, list[object]] = {
        "ids": [], "phases": [], "dues": [], "slot_kinds": [], "caps_keys": [], "explanations": []
    }  # fmt: skip
    steps = {step.id: (step, step.plan, of.schedule) for of in rules.values() for step in of.steps}
    open_hours: dict[tuple[UUID, str], Hours] = {}
    for row in rows:
        at: int | None = None
        slot_kind = caps_key = None
        row_step = steps.get(row["step_id"])
        box = boxes.get(row["mailbox_id"])
        if row_step is None:
            reasons: Sequence[Delay] = [_look_again(planner.now, "gone", "The next step was taken away.", _NEVER_S)]
        elif row_step[0].kind == "email" and (box is None or box.shut is not None):
            why = box.shut if box is not None else "There is no mailbox to write from"
            reasons = [_look_again(planner.now, "mailbox", f"{why}.", _AGAIN_S)]
        else:
            step, plan, schedule = row_step
            key = candidate_key(row["sequence_id"], row["contact_id"])
            who = Candidate(key, seconds(row["base_at"]), row["zone"], row["mailbox_id"], row["domain_lc"])
            place = (row["sequence_id"], row["zone"])
            hours = open_hours.get(place)
            if hours is None:
                hours = open_hours[place] = planner.hours_for(schedule, row["zone"])
            found = planner.next_moment(plan, who, hours)
            at, reasons = found.at, _with_what_was_before(row["explanation"], found.reasons)
            if at is None:
                reasons = [*reasons, _look_again(planner.now, "never", "No open hour is left within a year.", _NEVER_S)]
            elif step.kind == "email" and box is not None:
                slot_kind, caps_key = "email", box.caps.key
        plans["ids"].append(row["id"])
        plans["phases"].append("plan" if at is None else "act")
        plans["dues"].append(moment_of(reasons[-1].until if at is None else at))
        plans["slot_kinds"].append(slot_kind)
        plans["caps_keys"].append(caps_key)
        plans["explanations"].append(explained(reasons))
    return plans


def _with_what_was_before(explanation: str, reasons: Sequence[Delay]) -> Sequence[Delay]:
    """Why one waits that had a place already, and gave way to mail that people wrote: what had held it up until then, too."""
    kept = orjson.loads(explanation)
    before = [Delay(one["code"], seconds(datetime.fromisoformat(one["until"])), one["words"]) for one in kept]
    if not any(one.code == PEOPLE for one in before):
        return reasons
    return [*before, *[one for one in reasons if one.code not in ("wait", "late")]]


def explained(reasons: Sequence[Delay]) -> str:
    """Reasons as JSON, as enrolments and step runs keep them."""
    return orjson.dumps([{"code": one.code, "until": moment_of(one.until), "words": one.words} for one in reasons]).decode()


def _look_again(now: int, code: str, words: str, after_s: int) -> Delay:
    return Delay(code, now + after_s, words)


async def act_due(db: Database, clock: Clock, limit: int, *, sms_from: str = "") -> int:
    """Take the steps that are due, whoever waits longest first; how many."""
    acted = 0
    books: dict[UUID, acting.Book] = {}
    for tenant_id, enrolment_id in await queries.enrolments_due(db, clock.now(), limit):
        book = books.setdefault(tenant_id, acting.Book(sms_from))
        try:
            async with tenant_tx(db, Who.system(tenant_id)) as tx:
                acted += await acting.act(tx, book, enrolment_id, clock)
        except HubError as exc:
            _log.warning("a step could not be taken", enrolment=str(enrolment_id), error=exc.message)
            async with tenant_tx(db, Who.system(tenant_id)) as tx:
                await acting.put_off(tx, enrolment_id, exc.message, clock)
    return acted


async def settle_due(db: Database, clock: Clock, limit: int) -> int:
    """Look what became of steps that are under way; how many are over."""
    settled = 0
    for tenant_id, run_id in await queries.runs_to_settle(db, limit):
        async with tenant_tx(db, Who.system(tenant_id)) as tx:
            settled += await settling.settle(tx, run_id, clock.now())
    return settled


async def resume_due(db: Database, clock: Clock, limit: int) -> int:
    """Let those go on whose pause is over; how many."""
    resumed = 0
    for tenant_id, enrolment_id in await queries.enrolments_to_resume(db, clock.now(), limit):
        async with tenant_tx(db, Who.system(tenant_id)) as tx:
            row = await moving.claim(tx, enrolment_id)
            if row is not None and row["state"] == "paused" and row["resume_at"] is not None and row["resume_at"] <= clock.now():
                await moving.wake(tx, row, clock.now())
                await moving.announce(tx, [enrolment_id])
                resumed += 1
    return resumed


async def stop_changed(db: Database, limit: int) -> int:
    """Stop those who may not be written to any more, and whose stage ends a sequence; how many."""
    stopped = 0
    since = datetime.now(UTC) - timedelta(seconds=_CHANGED_S)
    for tenant_id, contact_id, why, words in await queries.contacts_to_stop(db, since, limit):
        async with tenant_tx(db, Who.system(tenant_id)) as tx:
            stopped += len(await stop_for(tx, [contact_id], "stage" if why == "stage" else "unsubscribe", words=words))
    return stopped


async def count_moved(db: Database, limit: int) -> int:
    """Count the enrolments of sequences in which something happened, and tell everybody; how many sequences."""
    moved = await queries.sequences_moved(db, 15.0, limit)
    for tenant_id, sequence_id in moved:
        async with tenant_tx(db, Who.system(tenant_id)) as tx:
            await editing.recount(tx, sequence_id)
    return len(moved)
