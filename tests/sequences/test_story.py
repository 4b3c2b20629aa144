"""The one long test: five steps, the sample file's contacts, a month in under a minute, and workers and Redis that die meanwhile.

Beside them some wait for nothing but an answer, however long it takes.

`RINGSIDE_STORY_CONTACTS` says how many contacts (40 by default; 500 take some minutes on two cores).
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from benchmarks.crashes import let_time_pass
from hub.embedded import ValkeyServer
from tests.conftest import TestDatabase
from tests.harness import Api, until
from tests.patience import PATIENCE_S
from tests.sequences.support import Floor, open_floor, sample_people

CONTACTS = int(os.environ.get("RINGSIDE_STORY_CONTACTS", "40"))
# About nine days of the sequence in 25 seconds, longer where there is more to send than Gmail takes in that time.
SPEED = 30_000.0 * min(1.0, 120 / CONTACTS)
BEGINS = datetime(2031, 3, 3, 8, 0, tzinfo=UTC)
# What is not worth a word.
MOMENT = timedelta(seconds=150)
HELLO = "<p>Hello {{ contact.first_name | default: 'there' }}</p>"
STEPS: list[dict[str, Any]] = [
    {"kind": "email", "wait_minutes": 0, "variants": [{"subject": "A word about {{ contact.company }}", "html": HELLO}]},
    {"kind": "email", "wait_business_days": 1, "thread": "reply", "variants": [{"html": HELLO}]},
    {"kind": "task", "wait_minutes": 1440, "note": "Look at their website"},
    {"kind": "wait", "wait_business_days": 2},
    {"kind": "email", "wait_minutes": 0, "variants": [{"subject": "Goodbye {{ contact.first_name }}", "html": HELLO}]},
]
# Nobody does this task: how fast time flies, and however late an answer is read, only the answer ends it.
WAITING: list[dict[str, Any]] = [
    STEPS[0],
    {"kind": "task", "wait_minutes": 0, "note": "Wait for word from them", "is_blocking": True},
    STEPS[4],
]
# What the contacts of that sequence do, by how their addresses begin, and what ends it for them.
ANSWERS = {"reply": "reply", "bounce": "bounce", "complain": "unsubscribe", "unsub": "unsubscribe", "meet": "meeting"}


async def test_each_step_is_taken_once_and_none_after_its_stop(
    database: TestDatabase, valkey: ValkeyServer, tmp_path: Path
) -> None:
    async with open_floor(database, valkey.url, tmp_path / "objects", shown=BEGINS, speed=SPEED) as floor:
        rep = floor.server.as_member(floor.company)
        boxes = await floor.mailboxes(max(4, CONTACTS // 20))
        sequence_id = await _enrolled(rep, "A month", STEPS, boxes, await floor.contacts(sample_people(CONTACTS)))
        waiting = [{"Company": "Answers", "Email": f"{kind}-{place}@answers{place}.test"} for place, kind in enumerate(ANSWERS)]
        await _enrolled(rep, "Until they answer", WAITING, boxes, await floor.contacts(waiting))
        for kill_valkey in (False, True, False):
            async with floor.worker() as worker:
                await asyncio.sleep(2.5)
                if kill_valkey:
                    valkey.kill()
                    await asyncio.sleep(1.0)
                worker.kill()
            if kill_valkey:
                valkey.restart()
            await let_time_pass(floor.admin)
        async with floor.worker():
            try:
                await until(lambda: _is_over(floor), seconds=2 * PATIENCE_S + 2 * CONTACTS)
            except AssertionError:
                raise AssertionError(await _left(floor)) from None
        await _check(floor, rep, sequence_id)


async def _enrolled(rep: Api, name: str, steps: list[dict[str, Any]], boxes: list[UUID], contacts: list[UUID]) -> str:
    """A sequence of these steps, with everybody in it."""
    schedule = {"zone": "contact", "fallback": "UTC", "days": {str(day): [480, 1080] for day in range(1, 6)}}
    made = await rep.post("/sequences", {"name": name, "schedule": schedule, "steps": steps})
    assert made.status == 201, made.body
    sequence_id = str(made.body["id"])
    assert (await rep.post(f"/sequences/{sequence_id}/start")).status == 200
    for place, box in enumerate(boxes):
        given = {"contact_ids": [str(one) for one in contacts[place :: len(boxes)]], "mailbox_id": str(box)}
        enrolled = await rep.post(f"/sequences/{sequence_id}/enrolments", given)
        assert (enrolled.status, enrolled.body["refused"]) == (202, []), enrolled.body
    return sequence_id


async def _is_over(floor: Floor) -> bool:
    live = await floor.admin.fetchval("SELECT count(*) FROM enrolments WHERE state IN ('active', 'paused')")
    understood = await floor.admin.fetchval("SELECT count(*) FROM mail_bounces WHERE kind = 'bounce' AND permanent")
    return live == 0 and floor.gmail.people.waiting == 0 and understood == floor.gmail.people.answered["bounce"]


async def _left(floor: Floor) -> list[str]:
    """What is still not over, in words."""
    rows = await floor.admin.fetch(
        "SELECT state, phase, due_at, resume_at, words, explanation::text AS why, count(*) FROM enrolments"
        " WHERE state IN ('active', 'paused') GROUP BY 1, 2, 3, 4, 5, 6 LIMIT 20"
    )
    return [f"At {floor.clock.now()}, {floor.gmail.people.waiting} answers to come:", *(str(dict(row)) for row in rows)]


async def _check(floor: Floor, rep: Api, sequence_id: str) -> None:
    runs = await floor.admin.fetch(
        """
        SELECT e.id, e.state AS enrolment, e.reason, e.words AS why, s.position, s.kind, s.wait_minutes, r.state, r.slot_at,
            r.explanation::text AS explanation, lag(r.slot_at) OVER (PARTITION BY e.id ORDER BY s.position) AS base_at,
            m.message_id, m.state AS mail, e.state = 'stopped' AND m.asked_at > e.changed_at AS is_late,
            e.state = 'finished'
                AND e.changed_at > least(r.replied_at, r.bounced_at, r.unsubscribed_at) + interval '5 s' AS is_deaf
        FROM enrolments e
        JOIN sequence_steps s ON s.tenant_id = e.tenant_id AND s.sequence_id = e.sequence_id
        LEFT JOIN step_runs r ON r.tenant_id = e.tenant_id AND r.enrolment_id = e.id AND r.step_id = s.id
        LEFT JOIN mail_sends m ON m.tenant_id = r.tenant_id AND m.id = r.send_id
        ORDER BY e.id, s.position
        """
    )
    enrolments = {row["id"]: row for row in runs}
    assert len(enrolments) == CONTACTS + len(ANSWERS)
    assert {row["enrolment"] for row in runs} <= {"finished", "stopped"}

    # Each mail once, and none that nobody asked for.
    gone_out = Counter(letter.original_id or letter.message_id for letter in floor.gmail.sent)
    asked_for = {row["message_id"] for row in runs if row["mail"] == "sent"}
    assert [mail for mail, count in gone_out.items() if count > 1] == []
    assert set(gone_out) == asked_for

    # Whoever came to the end has been through every step; whoever was stopped hears nothing more, and it says why: what was on
    # its way in the moment of the stop was begun before it.
    assert [row for row in runs if row["enrolment"] == "finished" and row["state"] != "done"] == []
    assert [row for row in runs if row["is_late"]] == []
    assert all(row["why"] for row in runs if row["enrolment"] == "stopped")

    # Every delay is explained: what a step did not wait by itself, its reasons lead up to.
    for row in runs:
        reasons = orjson.loads(row["explanation"] or "[]")
        assert all(one["words"] for one in reasons)
        if row["slot_at"] is None or row["base_at"] is None:
            continue
        known = row["base_at"] + timedelta(minutes=row["wait_minutes"] or 0)
        last = datetime.fromisoformat(reasons[-1]["until"]) if reasons else known
        assert abs(row["slot_at"] - last) < MOMENT, (row["kind"], row["slot_at"], row["base_at"], reasons)

    # Whoever is known to have answered, or not to exist, does not come to the end.
    assert [row for row in runs if row["is_deaf"]] == []
    # How many of the month's contacts answer in time is the machine's affair: days pass in seconds. Those who wait for nothing
    # else tell that each way to answer is understood, and ends it.
    ended = await floor.admin.fetch(
        """
        SELECT a.address, e.state, e.reason FROM enrolments e
        JOIN contact_emails a ON a.tenant_id = e.tenant_id AND a.contact_id = e.contact_id
        WHERE e.sequence_id <> $1
        """,
        UUID(sequence_id),
    )
    understood = {address.partition("-")[0]: (state, reason) for address, state, reason in ended}
    assert understood == {kind: ("stopped", reason) for kind, reason in ANSWERS.items()}
    answered = floor.gmail.people.answered
    stopped = Counter(row["reason"] for row in enrolments.values() if row["enrolment"] == "stopped")
    # One address may have sent two back before its first was read.
    assert all(0 < stopped[kind] <= answered[kind] for kind in ("bounce", "reply")), f"{stopped} where people answered {answered}"
    results = await rep.get(f"/sequences/{sequence_id}/results")
    assert results.status == 200
