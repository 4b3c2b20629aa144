"""Looking what became of a step that is under way: a mail that was sent or could not be, a task that was done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg

from hub.db import Tx
from hub.sequences import moving
from hub.sequences.rules import load_rules
from hub.sqlfiles import load_sql

_SQL = load_sql("enrolments")

# Mail is over soon; a task may take days.
_MAIL_AGAIN_S = 20.0
_TASK_AGAIN_S = 10.0
_LIVE = ("active", "paused")
# Why an enrolment ended whose mail could not be sent.
NOT_SENT = "not_sent"


def look_at(after_s: float) -> datetime:
    """When to look again, in real time: providers and people go by that."""
    return datetime.now(UTC) + timedelta(seconds=after_s)


async def settle(tx: Tx, run_id: UUID, now: datetime) -> bool:
    """See whether a step is over, and let its enrolment go on then; False when it is still under way."""
    enrolment_id = await tx.fetchval(_SQL["enrolment_of_run"], id=run_id)
    enrolment = await moving.claim(tx, enrolment_id) if enrolment_id is not None else None
    run = await tx.fetchrow(_SQL["claim_run"], id=run_id) if enrolment is not None else None
    if enrolment is None or run is None:
        return False
    state, words = _outcome(run)
    if state == "intended":
        again = look_at(_TASK_AGAIN_S if run["task_id"] is not None else _MAIL_AGAIN_S)
        await moving.note_run(tx, run_id, "intended", look_at=again)
        return False
    slot_at = run["slot_at"]
    if run["was_given_up"] and state == "done":
        # A person sent it in the end: from then on it counts, and the next step waits.
        slot_at = run["counts_at"] or now
    await moving.note_run(tx, run_id, state, done_at=now, words=words, slot_at=slot_at)
    if enrolment["state"] not in _LIVE or enrolment["phase"] != "settle":
        return True
    rules = (await load_rules(tx, [enrolment["sequence_id"]])).get(enrolment["sequence_id"])
    if rules is None or state == "failed":
        await moving.end(tx, [enrolment], "failed", NOT_SENT, words or "The sequence was taken away.", now)
        return True
    step = rules.step(enrolment["step_id"])
    position = step.position + 1 if step is not None else await tx.fetchval(_SQL["position_of"], id=enrolment["step_id"])
    await moving.go_on(tx, enrolment, rules, position, slot_at, now)
    if state == "canceled" and enrolment["state"] == "active":
        row = await moving.claim(tx, enrolment["id"])
        if row is not None and row["state"] == "active":
            await moving.hold(tx, row, "mail_canceled", f"{words} Resume it to go on with the next step.", None)
            await moving.announce(tx, [enrolment["id"]])
    return True


async def take_up(tx: Tx, run_id: UUID, now: datetime) -> bool:
    """A person has a step's mail sent after all that had failed, or that they had taken back: the step is under way again.

    An enrolment that ended because of it goes on, unless its contact has answered meanwhile, was enrolled anew or can't be
    written to. False when the step was not given up. May be repeated.
    """
    enrolment_id = await tx.fetchval(_SQL["enrolment_of_run"], id=run_id)
    if enrolment_id is None:
        return False
    enrolment = await moving.lock(tx, enrolment_id)
    if not await tx.execute(_SQL["take_run_up"], id=run_id):
        return False
    if (enrolment["state"], enrolment["reason"]) != ("failed", NOT_SENT) or enrolment["step_id"] is None:
        return True
    stands = await tx.fetchrow(_SQL["may_go_on"], id=enrolment_id, run_id=run_id)
    if stands is not None and stands["is_last"] and not stands["is_elsewhere"] and not stands["was_answered"]:
        # As before the failure: it waits for what comes of its mail.
        fields = {"state": "active", "phase": "settle", "due_at": now, "reason": None, "words": "", "finished_at": None}
        await moving.change(tx, enrolment_id, **fields)
        await moving.announce(tx, [enrolment_id])
    return True


def _outcome(run: asyncpg.Record) -> tuple[str, str]:
    """The state of a step and its words; `intended` while it is under way."""
    if run["task_id"] is not None:
        if not run["task_is_there"]:
            return "skipped", "The task was deleted."
        return ("done", "The task is done.") if run["task_done_at"] is not None else ("intended", "")
    if run["mail_state"] == "sent":
        return "done", ""
    if run["mail_state"] == "failed":
        return "failed", run["mail_error"] or "The mail could not be sent."
    if run["mail_state"] == "canceled":
        return "canceled", run["mail_error"] or "The mail was taken back."
    if run["mail_state"] == "draft":
        return "canceled", "The mail was taken back into the drafts."
    if run["send_id"] is not None and run["mail_state"] is None:
        return "failed", "The mail was deleted."
    return "intended", ""
