"""Mail that comes back: the address rests or is left alone, and a mailbox with too much of it stops and says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from hub.bounces.actions import Recorded, record_bounce, record_complaint
from hub.db import tenant_tx
from hub.who import Who
from integrations.mime import Bounce, Complaint
from tests.tracking.kit import Desk

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADA = "ada@mail.example.com"


def a_bounce(recipient: str = ADA, *, permanent: bool = True, others: tuple[str, ...] = ()) -> Bounce:
    return Bounce(recipient, "5.1.1" if permanent else "4.2.2", permanent, "", "no such user\x00 here", others)


async def come_back(
    desk: Desk, mailbox: UUID, send_id: UUID | None, report: Bounce | Complaint, at: datetime | None = None
) -> Recorded:
    async with tenant_tx(desk.db, Who.system(desk.company.tenant_id)) as tx:
        if isinstance(report, Bounce):
            return await record_bounce(tx, mailbox, report, send_id, at=at)
        return await record_complaint(tx, mailbox, report, send_id, at=at)


async def suppressions(desk: Desk) -> list[tuple[str, str, str, bool]]:
    rows = (await desk.api().get("/suppressions")).body["data"]
    return [(s["kind"], s["value"], s["source"], s["expires_at"] is not None) for s in rows]


async def test_an_address_that_does_not_exist_is_not_written_to_again(desk: Desk) -> None:
    ada, mailbox = await desk.contact(ADA), await desk.mailbox()
    send_id = await desk.sent(mailbox, ADA, ada)
    first = await come_back(desk, mailbox, send_id, a_bounce())
    assert (first.contact_ids, first.is_new, first.suppressed) == ([ada], True, True)
    again = await come_back(desk, mailbox, send_id, a_bounce())
    assert not again.is_new
    assert await suppressions(desk) == [("email", ADA, "bounce", False)]
    listed = (await desk.api().get("/mail/bounces", mailbox_id=mailbox)).body["data"]
    assert [(b["kind"], b["address"], b["permanent"], b["status"], b["diagnostic"], b["contact"]["id"]) for b in listed] == [
        ("bounce", ADA, True, "5.1.1", "no such user here", str(ada))
    ]
    assert await desk.events("mail.bounced") == ["mail.bounced"]


async def test_a_report_that_hides_the_address_is_about_whom_the_mail_was_for(desk: Desk) -> None:
    ada, mailbox = await desk.contact(ADA), await desk.mailbox()
    found = await come_back(desk, mailbox, await desk.sent(mailbox, ADA, ada), a_bounce(""))
    assert found.contact_ids == [ada] and (await suppressions(desk))[0][1] == ADA
    nobody = await come_back(desk, mailbox, None, a_bounce(""))
    assert (nobody.contact_ids, nobody.is_new) == ([], False)


async def test_an_address_that_is_none_by_our_rules_suppresses_the_contact(desk: Desk) -> None:
    ada, mailbox = await desk.contact(), await desk.mailbox()
    send_id = await desk.sent(mailbox, "ada..x@mail", ada)
    assert (await come_back(desk, mailbox, send_id, a_bounce("ada..x@mail"))).suppressed
    assert await suppressions(desk) == [("contact", str(ada), "bounce", False)]


async def test_every_address_of_a_report_is_taken_in(desk: Desk) -> None:
    mailbox = await desk.mailbox()
    await come_back(desk, mailbox, None, a_bounce(others=("bob@mail.example.com",)))
    assert {value for _, value, _, _ in await suppressions(desk)} == {ADA, "bob@mail.example.com"}


async def test_the_third_for_the_time_being_lets_the_address_rest(desk: Desk) -> None:
    mailbox, at = await desk.mailbox(), datetime(2027, 1, 1, tzinfo=UTC)
    soft = a_bounce(permanent=False)
    await come_back(desk, mailbox, await desk.sent(mailbox, ADA), soft, at - timedelta(days=40))
    for day in range(3):
        assert await suppressions(desk) == []
        found = await come_back(desk, mailbox, await desk.sent(mailbox, ADA), soft, at + timedelta(days=day))
    assert found.suppressed and await suppressions(desk) == [("email", ADA, "bounce", True)]
    rows = await desk.rows("SELECT expires_at FROM suppressions")
    assert rows[0]["expires_at"] == at + timedelta(days=32)


async def test_a_complaint_is_their_own_word(desk: Desk) -> None:
    ada, mailbox = await desk.contact(ADA), await desk.mailbox()
    await come_back(desk, mailbox, await desk.sent(mailbox, ADA, ada), Complaint("", "", "abuse"))
    assert await suppressions(desk) == [("email", ADA, "complaint", False)]
    assert await desk.events("mail.complained") == ["mail.complained"]


async def test_what_comes_back_to_a_private_mailbox_is_its_owners_to_know(desk: Desk) -> None:
    mailbox = await desk.mailbox()
    await desk.rows("UPDATE mailboxes SET visibility = 'private' RETURNING 1")
    await come_back(desk, mailbox, await desk.sent(mailbox, ADA), a_bounce())
    assert len((await desk.api("rep").get("/mail/bounces")).body["data"]) == 1
    assert (await desk.api("owner").get("/mail/bounces")).body["data"] == []
    told = await desk.rows("SELECT audience FROM events WHERE type = 'mail.bounced'")
    assert [row["audience"] for row in told] == [f"user:{desk.company.members['rep']}"]


async def test_a_mailbox_over_its_limit_stops_says_so_and_begins_anew_when_let_go(desk: Desk) -> None:
    mailbox = await desk.mailbox()
    began = datetime.now(UTC) - timedelta(days=2)
    sends = [await desk.sent(mailbox, f"p{n}@mail.example.com", at=began + timedelta(minutes=n)) for n in range(30)]
    # One of thirty is below the limit of five in a hundred, two are above.
    one = await come_back(desk, mailbox, sends[0], a_bounce("p0@mail.example.com"))
    assert not one.mailbox_stopped
    soft = await come_back(desk, mailbox, sends[1], a_bounce("p1@mail.example.com", permanent=False))
    assert not soft.mailbox_stopped
    two = await come_back(desk, mailbox, sends[2], a_bounce("p2@mail.example.com"))
    assert two.mailbox_stopped
    stood = (await desk.rows("SELECT stopped_reason FROM mailboxes WHERE id = $1", mailbox))[0]["stopped_reason"]
    assert stood.startswith("2 of its last 30 mails came back") and "limit of 5 %" in stood
    assert await desk.events("mailbox.%") == ["mailbox.state_changed"]
    told = (await desk.api("rep").get("/notifications")).body["data"]
    assert [n["kind"] for n in told] == ["mailbox_stopped"]
    assert not (await come_back(desk, mailbox, sends[3], a_bounce("p3@mail.example.com"))).mailbox_stopped
    # A person looked at it and lets it go on: what was before is not held against it again.
    await desk.rows("UPDATE mailboxes SET stopped_reason = NULL WHERE id = $1 RETURNING 1", mailbox)
    assert not (await come_back(desk, mailbox, sends[4], a_bounce("p4@mail.example.com"))).mailbox_stopped


async def test_a_few_mails_say_nothing_about_a_mailbox(desk: Desk) -> None:
    mailbox = await desk.mailbox()
    for n in range(5):
        found = await come_back(
            desk, mailbox, await desk.sent(mailbox, f"p{n}@mail.example.com"), a_bounce(f"p{n}@mail.example.com")
        )
        assert not found.mailbox_stopped
