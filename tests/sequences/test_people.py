"""Mail that people write themselves: no cap refuses it, and all of it counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import orjson
import pytest

from hub.db import Database
from hub.mail import composing, delivering
from hub.mail.models import MailAddressIn, MailDraftIn
from hub.sequences import actions
from hub.sequences.models import SequenceSettings, SimulateIn
from tests.conftest import Company
from tests.sequences.kit import Office, email

HOUR = timedelta(hours=1)


@pytest.fixture
def office(db: Database, acme: Company) -> Office:
    return Office(db, acme)


async def write(office: Office, mailbox: UUID, to: str, *, send_at: datetime | None = None) -> UUID:
    """The rep writes a mail in the composer and sends it; the provider is asked as far as our side of it goes."""
    async with office.tx() as tx:
        given = MailDraftIn(mailbox_id=mailbox, to=[MailAddressIn(address=to)], subject="By hand", signature=False)
        draft_id = UUID(orjson.loads((await composing.begin_draft(tx, given))[0])["id"])
        text, permit = await composing.send_draft(tx, draft_id, send_at, office.now)
    assert text is not None, permit
    if send_at is None:
        async with office.tx() as tx:
            assert await delivering.intend(tx, draft_id, office.now)
    return draft_id


def slots(enrolments: list[dict]) -> list[datetime]:  # type: ignore[type-arg]
    return sorted(datetime.fromisoformat(one["runs"][0]["slot_at"]) for one in enrolments)


async def test_what_people_wrote_uses_the_cap_up_and_the_sequence_says_so(office: Office) -> None:
    """Given five mails an hour of which three were written, then two go out by themselves, and the third says why it waits."""
    mailbox = await office.mailbox(per_hour=5)
    for number in range(3):
        await write(office, mailbox, f"by{number}@hand.example")
    contacts = await office.contacts(3)
    sequence = await office.sequence()
    async with office.tx() as tx:
        asked = SimulateIn.model_validate({"contact_ids": contacts, "mailbox_id": mailbox})
        shown = orjson.loads(await actions.simulate(tx, sequence, asked, office.now))
    begun = office.now
    await office.enrol(sequence, contacts, mailbox_id=mailbox)
    await office.run_for(1)
    enrolments = await office.enrolments()
    moments = slots(enrolments)
    assert [moment - begun < HOUR for moment in moments] == [True, True, False]
    last = next(one for one in enrolments if datetime.fromisoformat(one["runs"][0]["slot_at"]) == moments[2])
    [why] = last["runs"][0]["explanation"]
    assert why["words"].startswith("The mailbox's cap of 5 an hour is reached (3 of these mails were written by people), until ")
    assert sorted(datetime.fromisoformat(one["at"]) for one in shown["sends"]) == moments


async def test_what_people_write_takes_the_place_of_what_is_planned_already(office: Office) -> None:
    """Given mails that are planned, when somebody writes as many, then theirs go at once, and the planned ones an hour later."""
    mailbox = await office.mailbox(per_hour=3)
    await office.enrol(await office.sequence([email(wait_minutes=5)]), await office.contacts(3), mailbox_id=mailbox)
    await office.tick()
    planned = office.now + timedelta(minutes=5)
    assert {one["due_at"] for one in await office.enrolments()} == {planned.isoformat()}
    office.now += timedelta(minutes=1)
    begun = office.now
    for number in range(4):
        await write(office, mailbox, f"by{number}@hand.example")
    await office.run_for(1)
    enrolments = await office.enrolments()
    assert all(moment - begun >= HOUR for moment in slots(enrolments))
    for one in enrolments:
        codes = [each["code"] for each in one["runs"][0]["explanation"]]
        assert codes[:2] == ["wait", "people"] and codes[2] in ("hour", "queue"), one["runs"][0]["explanation"]
        assert "used up its place" in one["runs"][0]["explanation"][1]["words"]
    states = [row["state"] for row in await office.mails() if row["source"] == "composer"]
    assert len(states) == 4 and "failed" not in states


async def test_what_people_write_counts_for_the_recipients_domain_as_well(office: Office) -> None:
    first, second = await office.mailbox("one@acme.test"), await office.mailbox("two@acme.test")
    async with office.tx(office.company.who("owner")) as tx:
        await actions.save_settings(tx, SequenceSettings(domain_per_day=2))
    await write(office, first, "by@zenith.example")
    people = [(await office.contacts(1, emails=[{"address": f"p{n}@zenith.example"}]))[0] for n in range(2)]
    await office.enrol(await office.sequence(), people, mailbox_id=second)
    await office.run_for(3)
    enrolments = await office.enrolments()
    today, tomorrow = slots(enrolments)
    assert (today.date(), tomorrow.date()) == (office.now.date() - timedelta(days=3), office.now.date() - timedelta(days=2))
    words = [each["words"] for one in enrolments for each in one["runs"][0]["explanation"]]
    assert len(words) == 1 and "to zenith.example is reached (1 of these mails was written by people)" in words[0]


async def test_a_mail_to_be_sent_later_counts_then_and_one_that_was_taken_back_never(office: Office) -> None:
    mailbox = await office.mailbox(per_day=1)
    tomorrow = office.now + timedelta(days=1)
    later = await write(office, mailbox, "by@hand.example", send_at=tomorrow)
    taken_back = await write(office, mailbox, "no@hand.example", send_at=office.now + timedelta(minutes=5))
    async with office.tx() as tx:
        await composing.undo(tx, taken_back)
    await office.enrol(await office.sequence(), await office.contacts(2), mailbox_id=mailbox)
    await office.tick()
    due = sorted(datetime.fromisoformat(one["due_at"]).date() for one in await office.enrolments())
    assert due == [office.now.date(), tomorrow.date() + timedelta(days=1)]
    [row] = await office.rows("SELECT counts_at FROM mail_sends WHERE tenant_id = :tenant_id AND id = :id", id=later)
    assert row["counts_at"] == tomorrow
    assert not await office.rows("SELECT FROM mail_send_domains WHERE tenant_id = :tenant_id AND send_id = :id", id=taken_back)
