"""Taking a step: what is asked for is written down first, in the same transaction as the mail, task or message it asks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import orjson

from hub.clock import Clock
from hub.db import Tx
from hub.mail.sending import queue_mail
from hub.mail.values import MailOut
from hub.messages.actions import write_message
from hub.messages.models import MessageIn
from hub.notifications.actions import notify
from hub.sequences import moving
from hub.sequences.conditions import asks_of_mails, holds
from hub.sequences.diary import Box, Used, boxes_of
from hub.sequences.hours import seconds
from hub.sequences.planning import PEOPLE, candidate_key, choose_variant
from hub.sequences.rules import Rules, StepRow, load_rules
from hub.sequences.settling import look_at
from hub.sqlfiles import load_sql
from hub.tasks.actions import create_task
from hub.templates.actions import note_use
from hub.templates.facts import facts_for
from hub.templates.rendering import MissingValue, Rendered, TemplateProblem, render
from integrations.mime import Address

_SQL = load_sql("enrolments")
_SEQUENCES = load_sql("sequences")

# A step that is later than this (in real time) lost its place: it is planned anew, because caps count by the planned moments.
LATE_S = 25.0
# When to look again at a step under way: soon at first, then less often.
_FIRST_LOOK_S = 20.0
_TRY_AGAIN_S = 60.0


@dataclass
class Book:
    """What one round of the scheduler has read of a company, so that it is not read for every step."""

    sms_from: str = ""
    used: Used = field(default_factory=Used)
    _rules: dict[UUID, Rules] = field(default_factory=dict)
    _boxes: dict[UUID, Box] = field(default_factory=dict)
    _variants: dict[UUID, list[tuple[UUID, int]]] = field(default_factory=dict)

    async def rules(self, tx: Tx, sequence_id: UUID) -> Rules | None:
        """A sequence's rules; None when it was taken away."""
        if sequence_id not in self._rules:
            self._rules |= await load_rules(tx, [sequence_id])
        return self._rules.get(sequence_id)

    async def box(self, tx: Tx, mailbox_id: UUID) -> Box | None:
        """A mailbox."""
        if mailbox_id not in self._boxes:
            self._boxes |= await boxes_of(tx, [mailbox_id])
        return self._boxes.get(mailbox_id)

    async def variants(self, tx: Tx, step_id: UUID) -> list[tuple[UUID, int]]:
        """The variants of a step with their weights."""
        if step_id not in self._variants:
            rows = await tx.fetch(_SEQUENCES["variants_of"], ids=[step_id])
            self._variants[step_id] = [(row["id"], row["weight"]) for row in rows]
        return self._variants[step_id]


@dataclass(frozen=True, slots=True)
class _Turn:
    """An enrolment whose step is due, with everything about it."""

    row: asyncpg.Record
    rules: Rules
    step: StepRow
    contact: asyncpg.Record
    now: datetime

    @property
    def slot(self) -> datetime:
        """The planned moment, from which the next step counts."""
        slot: datetime = self.row["due_at"]
        return slot


async def act(tx: Tx, book: Book, enrolment_id: UUID, clock: Clock) -> bool:
    """Take the step of an enrolment that is due; False when there was nothing to do, or it was put off."""
    now = clock.now()
    row = await moving.claim(tx, enrolment_id)
    if row is None or (row["state"], row["phase"], row["sequence_state"]) != ("active", "act", "active") or row["due_at"] > now:
        return False
    rules = await book.rules(tx, row["sequence_id"])
    step = rules.step(row["step_id"]) if rules is not None else None
    if rules is None or step is None or now - row["due_at"] > timedelta(seconds=LATE_S * max(clock.speed, 1.0)):
        await moving.plan_anew(tx, enrolment_id, now)
        return False
    contact = await tx.fetchrow(_SQL["facts_now"], id=row["contact_id"], person_id=row["user_id"])
    if contact is None:
        await moving.end(tx, [row], "stopped", "contact_gone", "The contact was deleted.", now)
        return False
    if rules.stops_on("stage", contact["stage"]):
        words, goal = f"The stage is {contact['stage']} now.", rules.reaches_goal("stage", contact["stage"])
        await moving.end(tx, [row], "stopped", "stage", words, now, reached_goal=goal)
        return False
    if not contact["is_active_member"]:
        await moving.hold(
            tx, row, "member_gone", f"{contact['person'] or 'Whoever enrolled them'} is no active member any more.", None
        )
        await moving.announce(tx, [enrolment_id])
        return False
    turn = _Turn(row, rules, step, contact, now)
    if await tx.fetchval(_SQL["had_step"], enrolment_id=enrolment_id, step_id=step.id):
        await moving.go_on(tx, row, rules, step.position + 1, turn.slot, now)
        return False
    await _ACTS[step.kind](tx, book, turn)
    return True


async def put_off(tx: Tx, enrolment_id: UUID, words: str, clock: Clock) -> None:
    """Try a step again a little later, after something stood in its way."""
    row = await moving.claim(tx, enrolment_id)
    if row is None or row["state"] != "active" or row["phase"] != "act":
        return
    again = clock.now() + timedelta(seconds=_TRY_AGAIN_S)
    reasons = [{"code": "again", "until": again, "words": words}]
    await moving.change(tx, enrolment_id, phase="plan", due_at=again, explanation=orjson.dumps(reasons).decode())
    await moving.announce(tx, [enrolment_id])


async def _email(tx: Tx, book: Book, turn: _Turn) -> None:
    row = turn.row
    box = await book.box(tx, row["mailbox_id"]) if row["mailbox_id"] is not None else None
    if box is None or box.shut is not None or row["caps_key"] != box.caps.key:
        # The caps are others than those it was planned by, or nothing goes out at all.
        await moving.plan_anew(tx, row["id"], turn.now)
        return
    if turn.contact["address"] is None:
        await moving.end(tx, [row], "failed", "no_address", "The contact has no email address any more.", turn.now)
        return
    written = await _written(tx, book, turn, box.id)
    if written is None:
        return
    variant, mail = written
    earlier = await tx.fetchrow(_SQL["last_mail"], enrolment_id=row["id"]) if turn.step.thread == "reply" else None
    if not mail.subject and earlier is None:
        await _hold(tx, turn, "template", "The mail has no subject, and there is none before it to answer.")
        return
    if not await book.used.take_place(tx, box, row["domain_lc"], seconds(turn.slot)):
        await _give_way(tx, turn)
        return
    run_id = await moving.write_run(tx, row, turn.step, "intended", turn.now, variant=variant)
    assert run_id is not None
    send_id = await queue_mail(
        tx,
        MailOut(
            mailbox_id=box.id,
            to=(
                Address(turn.contact["name"] if turn.contact["name"] != turn.contact["address"] else "", turn.contact["address"]),
            ),
            subject=mail.subject,
            html=mail.html,
            text=mail.text,
            user_id=row["user_id"],
            contact_id=row["contact_id"],
            follows_send_id=earlier["send_id"] if earlier is not None else None,
            source="sequence",
            step_run_id=run_id,
        ),
    )
    await moving.note_run(tx, run_id, "intended", send_id=send_id, look_at=look_at(_FIRST_LOOK_S))
    if variant["template_id"] is not None:
        await note_use(tx, send_id, variant["template_id"], variant["current_version"])
    await _under_way(tx, turn)


async def _give_way(tx: Tx, turn: _Turn) -> None:
    """Mail that people wrote is never held up: what was planned before it waits for another place, and says so."""
    words = f"Mail that people wrote used up its place of {turn.slot:%a %d %b %H:%M} UTC."
    before = [one for one in orjson.loads(turn.row["explanation"]) if one["code"] != PEOPLE]
    reasons = [*before, {"code": PEOPLE, "until": turn.now, "words": words}]
    await moving.change(tx, turn.row["id"], phase="plan", due_at=turn.now, explanation=orjson.dumps(reasons).decode())


async def _sms(tx: Tx, book: Book, turn: _Turn) -> None:
    written = await _written(tx, book, turn, None)
    if written is None:
        return
    variant, text = written
    if not turn.contact["has_phone"]:
        await _done(tx, turn, "skipped", "The contact has no telephone number.")
        return
    given = MessageIn(body=text.text.strip()[:1600])
    message, permit = await write_message(tx, turn.row["contact_id"], given, book.sms_from, writer_id=turn.row["user_id"])
    if message is None:
        await _done(tx, turn, "skipped", permit.explanation)
        return
    known = orjson.loads(message)
    words = f"The message was written, and waits: {known['held_for']}" if known["held_for"] else "The message was written."
    run_id = await moving.write_run(tx, turn.row, turn.step, "done", turn.now, words=words, variant=variant)
    assert run_id is not None
    await moving.note_run(tx, run_id, "done", message_id=UUID(known["id"]))
    await moving.go_on(tx, turn.row, turn.rules, turn.step.position + 1, turn.slot, turn.now)


async def _task(tx: Tx, book: Book, turn: _Turn) -> None:
    row, step = turn.row, turn.step
    title = step.note.strip() or f"{'Call' if step.kind == 'call' else 'Write to'} {turn.contact['name']}"
    task_id = await create_task(
        tx,
        kind="call" if step.kind == "call" else "to_do",
        title=title[:300],
        contact_id=row["contact_id"],
        assignee_id=row["user_id"],
        due_at=turn.slot,
    )
    await notify(
        tx, row["user_id"], "task_assigned", title[:300], f"The sequence {turn.rules.name} asks for it.", "task", task_id
    )
    if step.is_blocking:
        run_id = await moving.write_run(tx, row, step, "intended", turn.now, words="It waits until the task is done.")
        assert run_id is not None
        await moving.note_run(tx, run_id, "intended", task_id=task_id, look_at=look_at(1.0))
        await _under_way(tx, turn)
        return
    run_id = await moving.write_run(tx, row, step, "done", turn.now, words="The task was added.")
    assert run_id is not None
    await moving.note_run(tx, run_id, "done", task_id=task_id)
    await moving.go_on(tx, row, turn.rules, step.position + 1, turn.slot, turn.now)


async def _wait(tx: Tx, book: Book, turn: _Turn) -> None:
    await _done(tx, turn, "done", "")


async def _condition(tx: Tx, book: Book, turn: _Turn) -> None:
    condition = turn.step.condition
    assert condition is not None
    mails = await tx.fetchrow(_SQL["mails_of"], enrolment_id=turn.row["id"]) if asks_of_mails(condition) else None
    yes, what = holds(condition, dict(turn.contact), dict(mails) if mails is not None else {})
    position = turn.step.position + 1 if yes else condition.else_position
    await _done(tx, turn, "done", f"{'Yes' if yes else 'No'}: {what}.", position)


_ACTS = {"email": _email, "sms": _sms, "call": _task, "task": _task, "wait": _wait, "condition": _condition}


async def _written(tx: Tx, book: Book, turn: _Turn, mailbox_id: UUID | None) -> tuple[asyncpg.Record, Rendered] | None:
    """The step's words for this contact; None when something is missing in them, and the enrolment waits for a person."""
    row = turn.row
    key = candidate_key(row["sequence_id"], row["contact_id"])
    chosen = choose_variant(key, turn.step.id, await book.variants(tx, turn.step.id))
    variant = await tx.fetchrow(_SEQUENCES["get_variant"], id=chosen) if chosen is not None else None
    if variant is None or variant["is_gone"]:
        await _hold(tx, turn, "template", "The template of this step was taken away." if variant else "This step says nothing.")
        return None
    facts = await facts_for(tx, row["contact_id"], user_id=row["user_id"], mailbox_id=mailbox_id)
    try:
        rendered = render(variant["subject"], variant["html"], facts)
    except (MissingValue, TemplateProblem) as exc:
        await _hold(tx, turn, "missing_value" if isinstance(exc, MissingValue) else "template", exc.message)
        return None
    if not rendered.text.strip() and not rendered.html.strip():
        await _hold(tx, turn, "template", "This step says nothing.")
        return None
    return variant, rendered


async def _hold(tx: Tx, turn: _Turn, reason: str, words: str) -> None:
    await moving.hold(tx, turn.row, reason, words, None)
    await moving.announce(tx, [turn.row["id"]])


async def _done(tx: Tx, turn: _Turn, state: str, words: str, position: int | None = None) -> None:
    await moving.write_run(tx, turn.row, turn.step, state, turn.now, words=words)
    await moving.go_on(tx, turn.row, turn.rules, position or turn.step.position + 1, turn.slot, turn.now)


async def _under_way(tx: Tx, turn: _Turn) -> None:
    await moving.change(tx, turn.row["id"], phase="settle")
    await moving.announce(tx, [turn.row["id"]])
