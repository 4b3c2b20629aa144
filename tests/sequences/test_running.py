"""Sequences that run: steps one after another, each once, none after its stop, at the caps exactly."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest

from hub.db import Database
from hub.mail import delivering
from hub.sequences import actions
from hub.sequences.models import SequenceSettings, SimulateIn
from tests.conftest import Company
from tests.sequences.kit import MONDAY, Office, email, sql

DAY = 1440


@pytest.fixture
def office(db: Database, acme: Company) -> Office:
    return Office(db, acme)


async def test_steps_follow_each_other_and_the_second_answers_in_the_thread(office: Office) -> None:
    """Given a mail, a task, and an answer to the first mail, when days pass, then each happens once, at its time."""
    mailbox = await office.mailbox()
    [pat] = await office.contacts(1)
    steps = [
        email(),
        {"kind": "call", "wait_minutes": DAY, "note": "Ask about the demo"},
        email(thread="reply", wait_minutes=DAY, variants=[{"html": "<p>Did you see my mail?</p>"}]),
    ]
    sequence = await office.sequence(steps)
    told = await office.enrol(sequence, [pat], mailbox_id=mailbox)
    assert (told["enrolled"], told["refused"]) == (1, [])

    await office.run_for(1.5)
    await office.run_for(2)

    [enrolment] = await office.enrolments()
    assert (enrolment["state"], enrolment["reason"]) == ("finished", "end")
    assert [run["step"]["kind"] for run in enrolment["runs"]] == ["email", "call", "email"]
    assert {run["state"] for run in enrolment["runs"]} == {"done"}
    first, second, third = (datetime.fromisoformat(run["slot_at"]) for run in enrolment["runs"])
    assert second - first == timedelta(days=1)
    assert third - second == timedelta(days=1)
    one, other = await office.mails()
    assert (one["subject"], one["source"]) == ("Hello Pat1", "sequence")
    assert other["follows_send_id"] == one["id"]
    [task] = await office.rows("SELECT title, kind FROM tasks WHERE tenant_id = :tenant_id")
    assert (task["title"], task["kind"]) == ("Ask about the demo", "call")


async def test_caps_are_kept_exactly_and_every_delay_is_explained(office: Office) -> None:
    """Given five mails an hour and nine a day, when twenty are enrolled, then so many go out and the others say why they wait."""
    mailbox = await office.mailbox(per_hour=5, per_day=9)
    contacts = await office.contacts(20)
    sequence = await office.sequence()
    await office.enrol(sequence, contacts, mailbox_id=mailbox)
    await office.run_for(4)
    enrolments = await office.enrolments()
    moments = sorted(datetime.fromisoformat(e["runs"][0]["slot_at"]) for e in enrolments)
    assert len(await office.mails()) == 20
    by_day = [sum(1 for one in moments if one.date() == MONDAY.date() + timedelta(days=n)) for n in range(4)]
    assert by_day == [9, 9, 2, 0]
    for moment in moments:
        assert sum(1 for one in moments if moment <= one < moment + timedelta(hours=1)) <= 5
    fifth = moments[4]
    explained = [e["runs"][0]["explanation"] for e in enrolments if datetime.fromisoformat(e["runs"][0]["slot_at"]) > fifth]
    assert len(explained) == 15
    assert all(explained)


async def test_the_simulation_shows_what_then_happens(office: Office) -> None:
    """Given hours, holidays and caps, when it is simulated and then run, then every mail has the moment that was shown."""
    mailbox = await office.mailbox(per_day=4, min_gap_s=60)
    contacts = await office.contacts(10)
    steps = [email(), email(thread="reply", wait_business_days=2), {"kind": "task", "wait_minutes": 90}]
    schedule: dict[str, Any] = {"days": {str(n): [540, 1020] for n in range(1, 6)}, "holidays": "US", "zone": "contact"}
    sequence = await office.sequence(steps, schedule=schedule)
    async with office.tx() as tx:
        asked = SimulateIn.model_validate({"contact_ids": contacts, "mailbox_id": mailbox})
        shown = await actions.simulate(tx, sequence, asked, office.now)
    assert not await office.enrolments()
    told = orjson.loads(shown)
    assert told["steps_total"] == 30
    thanksgiving = [day for day in told["per_day"] if day["day"] == "2026-11-26"]
    assert thanksgiving == []
    await office.enrol(sequence, contacts, mailbox_id=mailbox)
    await office.run_for(20)
    happened = {
        (enrolment["contact"]["id"], run["step"]["position"]): datetime.fromisoformat(run["slot_at"])
        for enrolment in await office.enrolments()
        for run in enrolment["runs"]
    }
    for one in told["sends"]:
        assert happened[one["contact"]["id"], one["step"]] == datetime.fromisoformat(one["at"]), one


async def test_a_reply_stops_what_is_planned_and_takes_back_what_waits(office: Office) -> None:
    mailbox = await office.mailbox()
    answers, silent = await office.contacts(2)
    sequence = await office.sequence([email(), email(wait_minutes=DAY)], goal={"kind": "reply"})
    await office.enrol(sequence, [answers, silent], mailbox_id=mailbox)
    await office.run_for(0.1)
    first = next(mail for mail in await office.mails() if mail["contact_id"] == answers)
    async with office.tx() as tx:
        stopped = await actions.stop_for(tx, [answers], "reply", words="Pat replied.", send_id=first["id"])
    assert len(stopped) == 1
    await office.run_for(3)
    [enrolment] = await office.enrolments(answers)
    assert (enrolment["state"], enrolment["reason"], enrolment["words"]) == ("stopped", "reply", "Pat replied.")
    assert enrolment["goal_at"]
    assert [(run["state"], run["replied_at"] is not None) for run in enrolment["runs"]] == [("done", True), ("canceled", False)]
    assert [mail["contact_id"] for mail in await office.mails()].count(answers) == 1
    assert [mail["contact_id"] for mail in await office.mails()].count(silent) == 2


async def test_mail_that_is_not_sent_yet_is_taken_back(office: Office) -> None:
    mailbox = await office.mailbox()
    [pat] = await office.contacts(1)
    await office.enrol(await office.sequence(), [pat], mailbox_id=mailbox)
    await office.tick()
    await office.tick(after=timedelta(seconds=1), sent=False)
    async with office.tx() as tx:
        await actions.stop_for(tx, [pat], "meeting", words="A meeting was booked.")
    [mail] = await office.mails()
    assert mail["state"] == "canceled"
    [enrolment] = await office.enrolments()
    assert (enrolment["state"], enrolment["runs"][0]["state"]) == ("stopped", "canceled")


async def test_mail_that_is_begun_while_a_stop_waits_for_it_was_begun_before_the_stop(office: Office) -> None:
    mailbox = await office.mailbox()
    [pat] = await office.contacts(1)
    await office.enrol(await office.sequence(), [pat], mailbox_id=mailbox)
    await office.tick()
    await office.tick(after=timedelta(seconds=1), sent=False)
    [mail] = await office.mails()
    async with office.tx() as stopping:
        async with office.tx() as tx:
            assert await delivering.intend(tx, mail["id"], office.now)
        assert len(await actions.stop_for(stopping, [pat], "reply", words="Pat replied.")) == 1
    [times] = await office.rows(
        "SELECT e.state, m.state AS mail, m.asked_at < e.changed_at AS was_before FROM enrolments e"
        " JOIN mail_sends m ON m.tenant_id = e.tenant_id WHERE e.tenant_id = :tenant_id"
    )
    assert tuple(times) == ("stopped", "sending", True)


async def test_only_what_a_sequence_stops_on_stops_it(office: Office) -> None:
    mailbox = await office.mailbox()
    [pat] = await office.contacts(1)
    sequence = await office.sequence([email(), email(wait_minutes=DAY)], stop_on={"reply": False, "colleague_contact": True})
    await office.enrol(sequence, [pat], mailbox_id=mailbox)
    async with office.tx() as tx:
        assert await actions.stop_for(tx, [pat], "reply", words="") == []
        assert await actions.stop_for(tx, [pat], "colleague_contact", words="", except_user=office.who.user_id) == []
        assert len(await actions.stop_for(tx, [pat], "colleague_contact", words="A colleague wrote.")) == 1


async def test_an_absence_holds_up_until_the_business_day_after(office: Office) -> None:
    """Given somebody who is away until a Friday, then their next mail goes out on the Monday after it."""
    mailbox = await office.mailbox()
    [pat] = await office.contacts(1)
    schedule: dict[str, Any] = {"days": {str(n): [540, 1020] for n in range(1, 6)}, "zone": "contact"}
    await office.enrol(await office.sequence([email(), email(wait_minutes=DAY)], schedule=schedule), [pat], mailbox_id=mailbox)
    await office.run_for(0.1)
    async with office.tx() as tx:
        assert len(await actions.pause_for(tx, [pat], date(2026, 12, 4), "Away until 4 December.")) == 1
        assert await actions.pause_for(tx, [pat], date(2026, 12, 1), "Away.") == []
    [enrolment] = await office.enrolments()
    assert (enrolment["state"], enrolment["reason"], enrolment["words"]) == ("paused", "out_of_office", "Away until 4 December.")
    await office.run_for(20)
    [enrolment] = await office.enrolments()
    assert enrolment["state"] == "finished"
    assert datetime.fromisoformat(enrolment["runs"][1]["slot_at"]).astimezone(UTC).date() == date(2026, 12, 7)


async def test_a_missing_value_stops_the_send_and_says_what_is_missing(office: Office) -> None:
    mailbox = await office.mailbox()
    [pat] = await office.contacts(1, first_name="")
    await office.enrol(await office.sequence(), [pat], mailbox_id=mailbox)
    await office.run_for(0.1)
    [enrolment] = await office.enrolments()
    assert (enrolment["state"], enrolment["reason"]) == ("paused", "missing_value")
    assert "first name" in enrolment["words"]
    assert not await office.mails()


async def test_a_stage_that_ends_the_sequence_stops_it_before_the_next_step(office: Office) -> None:
    mailbox = await office.mailbox()
    [pat] = await office.contacts(1)
    sequence = await office.sequence([email(), email(wait_minutes=DAY)], stop_on={"stage": ["customer"]})
    await office.enrol(sequence, [pat], mailbox_id=mailbox)
    await office.run_for(0.1)
    async with office.tx() as tx:
        await tx.execute(sql("UPDATE contacts SET stage = 'customer', updated_at = now() WHERE tenant_id = :tenant_id"))
    await office.tick()
    [enrolment] = await office.enrolments()
    assert (enrolment["state"], enrolment["reason"]) == ("stopped", "stage")


async def test_a_mail_that_can_not_be_sent_fails_its_enrolment_with_the_words(office: Office) -> None:
    mailbox = await office.mailbox()
    [pat] = await office.contacts(1)
    await office.enrol(await office.sequence([email(), email(wait_minutes=DAY)]), [pat], mailbox_id=mailbox)
    await office.tick()
    await office.tick(after=timedelta(seconds=1), sent=False)
    await office.send_all("failed", "pat1@firm1.example is on the suppression list.")
    await office.tick()
    [enrolment] = await office.enrolments()
    assert (enrolment["state"], enrolment["reason"]) == ("failed", "not_sent")
    assert enrolment["words"] == "pat1@firm1.example is on the suppression list."


async def test_conditions_lead_on_or_leave_out(office: Office) -> None:
    """Given a step for those with a telephone only, when one has none, then it is left out for them."""
    await office.mailbox()
    with_phone = await office.contacts(1)
    without = await office.contacts(1, phones=[])
    steps: list[dict[str, Any]] = [
        {"kind": "condition", "condition": {"if": "has_phone", "else_position": 3}},
        {"kind": "call"},
        {"kind": "task", "note": "Write a letter"},
    ]
    await office.enrol(await office.sequence(steps), with_phone + without)
    await office.run_for(1)
    one, other = await office.enrolments()
    assert [run["step"]["position"] for run in one["runs"]] == [1, 2, 3]
    assert [run["step"]["position"] for run in other["runs"]] == [1, 3]
    assert other["runs"][0]["words"] == "No: there is a telephone number."


async def test_a_blocking_task_is_waited_for(office: Office) -> None:
    await office.mailbox()
    [pat] = await office.contacts(1)
    await office.enrol(await office.sequence([{"kind": "task", "is_blocking": True}, {"kind": "task"}]), [pat])
    await office.run_for(3)
    [enrolment] = await office.enrolments()
    assert (enrolment["phase"], len(enrolment["runs"])) == ("settle", 1)
    async with office.tx() as tx:
        await tx.execute(sql("UPDATE tasks SET done_at = now() WHERE tenant_id = :tenant_id"))
        await tx.execute(sql("UPDATE step_runs SET look_at = now() WHERE tenant_id = :tenant_id"))
    await office.run_for(0.1)
    [enrolment] = await office.enrolments()
    assert [run["state"] for run in enrolment["runs"]] == ["done", "done"]


async def test_what_was_late_is_planned_anew_so_that_caps_still_hold(office: Office) -> None:
    """Given a worker that was down over a whole morning, when it is back, then not everything goes out at once."""
    mailbox = await office.mailbox(per_hour=2)
    await office.enrol(await office.sequence(), await office.contacts(6), mailbox_id=mailbox)
    await office.tick(sent=False)
    await office.tick(after=timedelta(hours=5))
    assert len(await office.mails()) == 0
    await office.run_for(1)
    moments = sorted(datetime.fromisoformat(e["runs"][0]["slot_at"]) for e in await office.enrolments())
    assert moments[0] >= MONDAY + timedelta(hours=5)
    assert all(sum(1 for one in moments if moment <= one < moment + timedelta(hours=1)) <= 2 for moment in moments)


async def test_a_mailbox_that_stopped_itself_sends_nothing_and_says_so(office: Office) -> None:
    mailbox = await office.mailbox()
    await office.enrol(await office.sequence(), await office.contacts(1), mailbox_id=mailbox)
    async with office.tx() as tx:
        await tx.execute(sql("UPDATE mailboxes SET stopped_reason = 'too many bounces' WHERE tenant_id = :tenant_id"))
    await office.tick()
    [enrolment] = await office.enrolments()
    assert enrolment["explanation"][-1]["words"] == "rep@acme.test has stopped itself: too many bounces."
    async with office.tx() as tx:
        await tx.execute(sql("UPDATE mailboxes SET stopped_reason = NULL WHERE tenant_id = :tenant_id"))
    await office.run_for(0.1)
    assert len(await office.mails()) == 1


async def test_a_domain_is_not_flooded_over_several_mailboxes(office: Office) -> None:
    first, second = await office.mailbox("one@acme.test"), await office.mailbox("two@acme.test")
    async with office.tx(office.company.who("owner")) as tx:
        await actions.save_settings(tx, SequenceSettings(domain_per_day=2))
    people = [(await office.contacts(1, emails=[{"address": f"p{n}@zenith.example"}]))[0] for n in range(6)]
    sequence = await office.sequence()
    await office.enrol(sequence, people[:3], mailbox_id=first)
    await office.enrol(sequence, people[3:], mailbox_id=second)
    await office.run_for(5)
    days = [datetime.fromisoformat(e["runs"][0]["slot_at"]).date() for e in await office.enrolments()]
    assert sorted(days.count(day) for day in set(days)) == [2, 2, 2]
