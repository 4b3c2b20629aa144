"""What follows from mail that arrives, in sequences that are under way."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from hub.db import Database, tenant_tx
from hub.mail.values import Stored
from hub.replies.actions import follow
from hub.sqlfiles import Statement
from tests.conftest import Company
from tests.meetings import kit
from tests.meetings.kit import a_contact_with_mail, a_mailbox, address_of, address_of_mailbox, arrive, invitation, message

_SEQUENCE = Statement(
    "sequence",
    """WITH made AS (
        INSERT INTO sequences (tenant_id, name, state, schedule, stop_on, owner_id) VALUES (:tenant_id, 'Welcome', 'active',
            '{"days": {"1": [0, 1440], "2": [0, 1440], "3": [0, 1440], "4": [0, 1440], "5": [0, 1440]}, "holidays": "",
              "zone": "UTC", "fallback": "UTC"}',
            '{"reply": true, "bounce": true, "unsubscribe": true, "meeting": true, "colleague_contact": true, "stage": []}',
            :user_id)
        RETURNING id
    ), step AS (
        INSERT INTO sequence_steps (tenant_id, sequence_id, position, kind, wait_minutes)
        SELECT :tenant_id, id, 1, 'task', 0 FROM made RETURNING id
    )
    INSERT INTO enrolments (tenant_id, sequence_id, contact_id, user_id, mailbox_id, step_id, base_at, due_at)
    SELECT :tenant_id, made.id, :contact_id, :user_id, :mailbox_id, step.id, now(), now() FROM made, step RETURNING id""",
)
_ENROLMENT = Statement(
    "enrolment", "SELECT state, reason, words, resume_at FROM enrolments WHERE tenant_id = :tenant_id AND id = :id"
)
_LISTED = Statement("listed", "SELECT value_lc, source FROM suppressions WHERE tenant_id = :tenant_id ORDER BY value_lc")
_TOLD = Statement(
    "told", "SELECT user_id, kind, title, body FROM notifications WHERE tenant_id = :tenant_id AND kind = 'sequence_stopped'"
)
_SEND = Statement(
    "send",
    """INSERT INTO mail_sends (tenant_id, mailbox_id, contact_id, user_id, state, source, recipients_to, message_id, provider_id,
        asked_at, sent_at)
    VALUES (:tenant_id, :mailbox_id, :contact_id, :user_id, 'sent', 'sequence',
        json_build_array(json_build_object('name', '', 'address', :address::text)), :message_id, 'p', now(), now())
    RETURNING id""",
)


class House:
    """A contact whom the rep has in a sequence, and mail between them."""

    def __init__(self, db: Database, company: Company) -> None:
        self.db, self.company = db, company
        self.mailbox_id = self.contact_id = self.enrolment_id = UUID(int=0)
        self.ours = self.theirs = ""

    async def build(self) -> House:
        self.mailbox_id = await a_mailbox(self.db, self.company)
        self.contact_id = await a_contact_with_mail(self.db, self.company)
        self.ours = await address_of_mailbox(self.db, self.company, self.mailbox_id)
        self.theirs = await address_of(self.db, self.company, self.contact_id)
        async with tenant_tx(self.db, self.company.who("rep")) as tx:
            self.enrolment_id = await tx.fetchval(_SEQUENCE, contact_id=self.contact_id, mailbox_id=self.mailbox_id)
        return self

    async def we_wrote(self) -> str:
        """A mail of the sequence's; its Message-ID."""
        message_id = f"<{self.enrolment_id.hex}@ours.test>"
        async with tenant_tx(self.db, self.company.who("rep")) as tx:
            await tx.fetchval(
                _SEND, mailbox_id=self.mailbox_id, contact_id=self.contact_id, address=self.theirs, message_id=message_id
            )
        await arrive(
            self.db,
            self.company,
            self.mailbox_id,
            message(self.ours, self.theirs)
            .replace(b"Message-ID: <", b"X-Was: <")
            .replace(b"MIME-V", f"Message-ID: {message_id}\r\nMIME-V".encode()),
            labels=["sent"],
        )
        return message_id

    async def gets(
        self, raw: bytes, *, mailbox_id: UUID | None = None, sent: bool = False, now: datetime | None = None
    ) -> Stored:
        labels = ["sent"] if sent else ["inbox", "unread"]
        return await arrive(
            self.db,
            self.company,
            mailbox_id or self.mailbox_id,
            raw,
            labels=labels,
            then=lambda tx, stored: follow(tx, stored, now),
        )

    async def enrolment(self) -> tuple[str, str | None]:
        async with tenant_tx(self.db, self.company.who("owner")) as tx:
            row = await tx.fetchrow(_ENROLMENT, id=self.enrolment_id)
        assert row is not None
        return row["state"], row["reason"]

    async def resumes_at(self) -> datetime:
        async with tenant_tx(self.db, self.company.who("owner")) as tx:
            row = await tx.fetchrow(_ENROLMENT, id=self.enrolment_id)
        assert row is not None
        at: datetime = row["resume_at"]
        return at

    async def listed(self) -> list[tuple[str, str]]:
        async with tenant_tx(self.db, self.company.who("owner")) as tx:
            return [(row["value_lc"], row["source"]) for row in await tx.fetch(_LISTED)]

    def report(self, message_id: str, recipient: str, status: str = "5.1.1") -> bytes:
        """A delivery status notification (RFC 3464)."""
        action = "failed" if status.startswith("5") else "delayed"
        return "\r\n".join(
            [
                "From: Mail Delivery Subsystem <mailer-daemon@example.com>",
                f"To: {self.ours}",
                "Subject: Delivery Status Notification",
                f"Message-ID: <dsn-{status}-{recipient}>",
                f"In-Reply-To: {message_id}",
                f"References: {message_id}",
                "Auto-Submitted: auto-replied",
                'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
                "",
                "--b\r\nContent-Type: text/plain\r\n\r\nIt did not arrive.",
                "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; example.com\r\n",
                f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}",
                f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {message_id}\r\n--b--\r\n",
            ]
        ).encode()


@pytest.fixture
async def house(db: Database, acme: Company) -> House:
    return await House(db, acme).build()


async def test_an_answer_stops_the_sequence_and_whoever_had_enrolled_them_hears_why(house: House) -> None:
    await house.gets(message(house.theirs, house.ours, "Tell me more."))
    assert await house.enrolment() == ("stopped", "reply")
    async with tenant_tx(house.db, house.company.who("rep")) as tx:
        (told,) = await tx.fetch(_TOLD)
    assert (told["user_id"], told["title"]) == (house.company.members["rep"], "Ada Lovelace has left the sequence Welcome")


async def test_an_answer_from_another_address_of_theirs_counts_by_what_it_answers(house: House) -> None:
    message_id = await house.we_wrote()
    await house.gets(message("ada@home.example", house.ours, "Hello from home", in_reply_to=message_id))
    assert await house.enrolment() == ("stopped", "reply")


async def test_somebody_elses_mail_stops_nothing(house: House) -> None:
    await house.gets(message("stranger@example.net", house.ours))
    assert (await house.enrolment())[0] == "active"


@pytest.mark.parametrize("header", ["Auto-Submitted: auto-replied", "Precedence: bulk"])
async def test_a_programs_answer_is_nobodys(house: House, header: str) -> None:
    await house.gets(message(house.theirs, house.ours, "We received your message.", headers=[header]))
    assert (await house.enrolment())[0] == "active"


async def test_out_of_office_pauses_until_the_day_after_the_one_it_names(house: House) -> None:
    now = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    text = "I am out of the office until 3 December 2026."
    headers = ["Auto-Submitted: auto-replied"]
    raw = message(house.theirs, house.ours, text, subject="Out of office: Hello", headers=headers, written=now)
    await house.gets(raw, now=now)
    assert await house.enrolment() == ("paused", "out_of_office")
    assert await house.resumes_at() == datetime(2026, 12, 4, tzinfo=UTC)


async def test_a_mail_that_came_back_for_good_stops_it_and_one_that_is_late_does_not(house: House) -> None:
    message_id = await house.we_wrote()
    await house.gets(house.report(message_id, house.theirs, "4.2.2"))
    assert (await house.enrolment())[0] == "active"
    await house.gets(house.report(message_id, house.theirs))
    assert await house.enrolment() == ("stopped", "bounce")
    assert await house.listed() == [(house.theirs, "bounce")]


async def test_a_made_up_report_about_somebody_stops_nothing(house: House) -> None:
    await house.gets(house.report("<never-sent@ours.test>", house.theirs))
    assert (await house.enrolment())[0] == "active"
    assert await house.listed() == []


async def test_who_asks_for_no_more_mail_gets_none(house: House) -> None:
    message_id = await house.we_wrote()
    await house.gets(message("ada@home.example", house.ours, "Please unsubscribe me.", in_reply_to=message_id))
    assert await house.enrolment() == ("stopped", "unsubscribe")
    assert {value for value, _ in await house.listed()} >= {"ada@home.example", house.theirs}


async def test_an_invitation_is_a_meeting(house: House) -> None:
    calendar = invitation(house.theirs, house.ours, "uid-1@example.com")
    await house.gets(message(house.theirs, house.ours, "Shall we meet?", calendar=calendar))
    assert await house.enrolment() == ("stopped", "meeting")
    assert [one["state"] for one in await kit.meetings_with(house.db, house.company, house.contact_id)] == ["confirmed"]


async def test_a_colleagues_mail_stops_it_and_the_sequences_own_does_not(house: House) -> None:
    colleagues = await a_mailbox(house.db, house.company, "manager")
    theirs = await address_of_mailbox(house.db, house.company, colleagues)
    await house.gets(message(house.ours, house.theirs), sent=True)
    assert (await house.enrolment())[0] == "active", "the rep's own mail"
    await house.gets(message(theirs, house.theirs), mailbox_id=colleagues, sent=True)
    assert await house.enrolment() == ("stopped", "colleague_contact")


async def test_old_mail_that_is_brought_along_stops_nothing(house: House) -> None:
    raw = message(house.theirs, house.ours)
    await arrive(house.db, house.company, house.mailbox_id, raw, is_fresh=False, then=lambda tx, stored: follow(tx, stored))
    assert (await house.enrolment())[0] == "active"


async def test_the_same_message_again_is_not_followed_again(house: House) -> None:
    raw = message(house.theirs, house.ours)
    first = await house.gets(raw)
    again = await house.gets(raw)
    assert (first.is_new, again.is_new) == (True, False)
    async with tenant_tx(house.db, house.company.who("rep")) as tx:
        assert len(await tx.fetch(_TOLD)) == 1
