"""Invitations that come by mail, and what they say later."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from hub.db import Database
from integrations.mime import Address, make_reply
from tests.conftest import Company
from tests.meetings import kit
from tests.meetings.kit import END, START, a_contact_with_mail, a_mailbox, arrive, invitation, meetings_with, message

UID = "meeting-1@example.com"


class Table:
    """A contact and a mailbox of ours, and what goes between them."""

    def __init__(self, db: Database, company: Company, mailbox_id: UUID, contact_id: UUID, ours: str, theirs: str) -> None:
        self.db, self.company, self.mailbox_id, self.contact_id = db, company, mailbox_id, contact_id
        self.ours, self.theirs = ours, theirs

    async def comes(self, calendar: bytes, *, sender: str = "", is_fresh: bool = True) -> None:
        raw = message(sender or self.theirs, self.ours, calendar=calendar)
        await arrive(self.db, self.company, self.mailbox_id, raw, is_fresh=is_fresh)

    async def goes(self, calendar: bytes) -> None:
        await arrive(self.db, self.company, self.mailbox_id, message(self.ours, self.theirs, calendar=calendar), labels=["sent"])

    async def meeting(self) -> dict[str, object]:
        (only,) = await meetings_with(self.db, self.company, self.contact_id)
        return only

    def asks(self, **more: object) -> bytes:
        return invitation(self.theirs, self.ours, UID, **more)

    def we_ask(self, **more: object) -> bytes:
        return invitation(self.ours, self.theirs, UID, **more)

    def they_say(self, status: str) -> bytes:
        host, guest = Address("", self.ours), Address("", self.theirs)
        return make_reply(uid=UID, sequence=0, organizer=host, attendee=guest, status=status, now=START, start=START)  # type: ignore[arg-type]


async def table(db: Database, company: Company, visibility: str = "everyone") -> Table:
    mailbox_id = await a_mailbox(db, company, visibility=visibility)
    contact_id = await a_contact_with_mail(db, company)
    ours = await kit.address_of_mailbox(db, company, mailbox_id)
    return Table(db, company, mailbox_id, contact_id, ours, await kit.address_of(db, company, contact_id))


async def test_an_invitation_stands_on_the_contact_and_its_timeline(db: Database, acme: Company) -> None:
    at = await table(db, acme)
    await at.comes(at.asks(location="Room 4"))
    meeting = await at.meeting()
    assert (meeting["direction"], meeting["state"], meeting["summary"]) == ("inbound", "confirmed", "Demo")
    assert [kind for kind, _, _ in await kit.events_of(db, acme, "meeting.")] == ["meeting.planned"]
    told = [data["activity"] for _, _, data in await kit.events_of(db, acme, "activity.created")]
    assert [one["meeting"]["location"] for one in told if one["kind"] == "meeting"] == ["Room 4"]


async def test_the_same_invitation_again_changes_nothing_but_a_newer_one_does(db: Database, acme: Company) -> None:
    at = await table(db, acme)
    await at.comes(at.asks(sequence=2))
    later = {"start": START + timedelta(days=1), "end": END + timedelta(days=1)}
    await at.comes(at.asks(sequence=1, **later))
    assert (await at.meeting())["start_at"] == START, "an older version came late"
    await at.comes(at.asks(sequence=3, **later))
    assert (await at.meeting())["start_at"] == START + timedelta(days=1)


async def test_they_call_it_off(db: Database, acme: Company) -> None:
    at = await table(db, acme)
    await at.comes(at.asks())
    await at.comes(at.asks(method="CANCEL", sequence=1))
    assert (await at.meeting())["state"] == "canceled"
    assert [kind for kind, _, _ in await kit.events_of(db, acme, "meeting.")] == ["meeting.planned", "meeting.canceled"]


async def test_what_we_send_from_elsewhere_counts_and_their_answer_settles_it(db: Database, acme: Company) -> None:
    at = await table(db, acme)
    await at.goes(at.we_ask())
    assert (await at.meeting())["state"] == "tentative"
    await at.comes(at.they_say("tentative"))
    assert (await at.meeting())["state"] == "tentative"
    await at.comes(at.they_say("accepted"))
    assert (await at.meeting())["state"] == "confirmed"
    await at.comes(at.they_say("declined"))
    assert (await at.meeting())["state"] == "declined"


async def test_nobody_moves_or_ends_a_meeting_that_is_ours(db: Database, acme: Company) -> None:
    at = await table(db, acme)
    await at.goes(at.we_ask())
    await at.comes(at.asks(method="CANCEL", sequence=9))
    await at.comes(at.asks(sequence=9, start=START + timedelta(days=1), end=END + timedelta(days=1)))
    meeting = await at.meeting()
    assert (meeting["state"], meeting["start_at"]) == ("tentative", START)


async def test_somebody_else_cannot_end_their_meeting(db: Database, acme: Company) -> None:
    at = await table(db, acme)
    await at.comes(at.asks())
    await at.comes(at.asks(method="CANCEL", sequence=9), sender="mallory@example.net")
    assert (await at.meeting())["state"] == "confirmed"


async def test_what_an_old_mailbox_brings_along_is_kept_without_a_word(db: Database, acme: Company) -> None:
    at = await table(db, acme)
    await at.comes(at.asks(), is_fresh=False)
    assert (await at.meeting())["state"] == "confirmed"
    assert await kit.events_of(db, acme, "meeting.") == []


async def test_a_private_mailboxs_meeting_is_told_to_its_owner_alone(db: Database, acme: Company) -> None:
    at = await table(db, acme, visibility="private")
    await at.comes(at.asks())
    assert {audience for _, audience, _ in await kit.events_of(db, acme, "meeting.")} == {f"user:{acme.members['rep']}"}
    told = [(one, data["activity"]["kind"]) for _, one, data in await kit.events_of(db, acme, "activity.created")]
    assert {one for one, kind in told if kind == "meeting"} == {f"user:{acme.members['rep']}"}


async def test_a_calendar_of_the_year_one_is_no_meeting(db: Database, acme: Company) -> None:
    at = await table(db, acme)
    await at.comes(at.asks().replace(b"20310304T", b"00010304T"))
    assert await meetings_with(db, acme, at.contact_id) == []
