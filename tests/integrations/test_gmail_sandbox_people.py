"""The people behind the Gmail sandbox: what each address makes of a message."""

import email
import email.policy
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import cast

import pytest

from integrations.mime import read_message
from integrations.sandbox.gmail import GmailSandbox, GmailSettings, SandboxClock
from integrations.sandbox.gmail.letters import WRITTEN, write
from integrations.sandbox.gmail.people import TABLE, plan_for
from integrations.sandbox.gmail.settings import People
from tests.integrations.conftest import eventually

ADA = "ada@example.com"


@pytest.fixture
async def sandbox() -> AsyncIterator[GmailSandbox]:
    async with GmailSandbox(GmailSettings(clock=SandboxClock(speed=100_000))) as sandbox:
        sandbox.add_mailbox(ADA)
        yield sandbox


def write_to(sandbox: GmailSandbox, *recipients: str, subject: str = "Offer", more: str = "") -> str:
    """Send to all of them; the Message-ID it went out with."""
    raw = f"From: Ada <{ADA}>\r\nTo: {', '.join(recipients)}\r\nSubject: {subject}\r\n{more}\r\nTwenty seats.\r\n".encode()
    return sandbox.send(ADA, raw).message_id


async def answers(sandbox: GmailSandbox) -> list[EmailMessage]:
    """What has come into the inbox, once everybody has answered who will."""
    await eventually(lambda: not sandbox.people.waiting)
    stored = sorted(sandbox.mailboxes[ADA].messages.values(), key=lambda each: each.place)
    return [email.message_from_bytes(each.raw, policy=email.policy.default) for each in stored if "INBOX" in each.labels]


async def answer_of(sandbox: GmailSandbox, recipient: str) -> tuple[str, EmailMessage]:
    message_id = write_to(sandbox, recipient)
    (answer,) = await answers(sandbox)
    return message_id, answer


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


async def test_a_reply_quotes_and_joins_the_thread(sandbox: GmailSandbox) -> None:
    message_id, answer = await answer_of(sandbox, "reply.anna@example.org")

    assert (answer["Subject"], answer["In-Reply-To"]) == ("Re: Offer", message_id)
    assert "> Twenty seats." in text_of(answer)
    assert len(sandbox.mailboxes[ADA].threads) == 1


async def test_replies_come_from_elsewhere_and_without_references_too(sandbox: GmailSandbox) -> None:
    message_id = write_to(sandbox, "reply-other.bo@example.org")
    write_to(sandbox, "reply-noref@example.org")

    elsewhere, bare = sorted(await answers(sandbox), key=lambda each: str(each["Subject"]), reverse=True)

    assert "bo.private@example.org" in elsewhere["From"] and elsewhere["In-Reply-To"] == message_id
    assert bare["In-Reply-To"] is None and bare["Subject"] == "RE: Offer"


@pytest.mark.parametrize(
    ("kind", "mark", "words"),
    [
        ("ooo", "Automatic reply", "back on 25 November 2026"),
        ("ooo-de", "Automatische Antwort", "bis zum 25. November 2026"),
        ("ooo-fr", "Réponse automatique", "jusqu'au 25 novembre 2026"),
        ("ooo-es", "Respuesta automática", "hasta el 25 de noviembre de 2026"),
    ],
)
async def test_an_absence_names_the_day_it_ends(kind: str, mark: str, words: str) -> None:
    clock = SandboxClock.parse("2026-11-20T12:00:00+00:00@2026-11-20T12:00:00+00:00*0.000001")
    fast = SandboxClock(clock.shown, clock.began, 0.000001)
    async with GmailSandbox(GmailSettings(clock=fast)) as sandbox:
        sandbox.add_mailbox(ADA)
        # At that speed nobody would live to see it: answered by hand.
        write_to(sandbox, "silent@example.org")
        sandbox.people.answer(kind, sandbox.sent[0], f"{kind}@example.org")

        (answer,) = await answers_now(sandbox)

    assert answer["Subject"].startswith(mark) and answer["Auto-Submitted"] == "auto-replied"
    assert words in text_of(answer)


async def answers_now(sandbox: GmailSandbox) -> list[EmailMessage]:
    sandbox.people.close()
    return await answers(sandbox)


async def test_the_date_goes_by_the_letter_where_that_is_ahead(sandbox: GmailSandbox) -> None:
    write_to(sandbox, "ooo@example.org", more="Date: Mon, 4 Jan 2044 09:00:00 +0000\r\n")

    (answer,) = await answers(sandbox)

    assert "back on 9 January 2044" in text_of(answer)


async def test_an_absence_is_told_once(sandbox: GmailSandbox) -> None:
    write_to(sandbox, "ooo@example.org")
    await answers(sandbox)
    write_to(sandbox, "ooo@example.org", subject="Another")

    assert len(await answers(sandbox)) == 1


async def test_some_absences_say_less(sandbox: GmailSandbox) -> None:
    write_to(sandbox, "ooo-nodate@example.org")
    write_to(sandbox, "ooo-plain@example.org")

    undated, plain = sorted(await answers(sandbox), key=lambda each: str(each["Subject"]))

    assert undated["Auto-Submitted"] and "2026" not in text_of(undated)
    assert plain["Auto-Submitted"] is None and "out of the office" in text_of(plain)


@pytest.mark.parametrize(
    ("kind", "status", "action"),
    [("bounce", "5.1.1", "failed"), ("bounce-soft", "4.2.2", "failed"), ("bounce-delay", "4.4.1", "delayed")],
)
async def test_a_bounce_is_a_report(sandbox: GmailSandbox, kind: str, status: str, action: str) -> None:
    message_id, answer = await answer_of(sandbox, f"{kind}@example.org")

    assert answer.get_content_type() == "multipart/report" and answer["In-Reply-To"] == message_id
    machine = list(answer.walk())[2]
    blocks = cast(Sequence[EmailMessage], machine.get_payload())
    assert (blocks[1]["Status"], blocks[1]["Action"]) == (status, action)
    assert blocks[1]["Final-Recipient"] == f"rfc822; {kind}@example.org"
    assert len(sandbox.mailboxes[ADA].threads) == 1


async def test_a_bounce_may_be_nothing_but_words(sandbox: GmailSandbox) -> None:
    message_id, answer = await answer_of(sandbox, "bounce-plain@example.org")

    assert answer.get_content_type() == "text/plain"
    assert "<bounce-plain@example.org>:" in text_of(answer) and message_id in text_of(answer)


async def test_a_complaint_is_a_feedback_report(sandbox: GmailSandbox) -> None:
    message_id, answer = await answer_of(sandbox, "complain@example.org")

    assert answer.get_param("report-type") == "feedback-report"
    types = [part.get_content_type() for part in answer.walk()]
    assert types[2] == "message/feedback-report" and message_id.encode() in answer.as_bytes()


async def test_an_invitation_comes_with_a_calendar(sandbox: GmailSandbox) -> None:
    _, answer = await answer_of(sandbox, "meet.gina@example.org")

    calendar = next(part for part in answer.walk() if part.get_content_type() == "text/calendar")
    assert (
        "METHOD:REQUEST" in calendar.get_content()
        and "ORGANIZER;CN=Meet Gina:mailto:meet.gina@example.org" in calendar.get_content()
    )


async def test_no_more_mail_is_asked_for_in_words(sandbox: GmailSandbox) -> None:
    write_to(sandbox, "unsub@example.org")
    write_to(sandbox, "unsub-de@example.org")

    said = sorted(text_of(each).splitlines()[0] for each in await answers(sandbox))

    assert said == ["Bitte abmelden, ich möchte keine weiteren E-Mails von Ihnen.", "Please unsubscribe me."]


async def test_nobody_answers_a_machine_but_servers_do(sandbox: GmailSandbox) -> None:
    write_to(sandbox, "reply@example.org", "ooo@example.org", "bounce@example.org", more="Auto-Submitted: auto-generated\r\n")

    assert [each.get_content_type() for each in await answers(sandbox)] == ["multipart/report"]


@pytest.mark.parametrize("kind", WRITTEN)
async def test_what_they_write_is_read_as_what_it_is(sandbox: GmailSandbox, kind: str) -> None:
    letter = sandbox.send(ADA, f"From: {ADA}\r\nTo: p@example.org\r\nSubject: Offer\r\n\r\nTwenty seats.\r\n".encode())

    read = read_message(write(kind, letter, f"{kind}@example.org", datetime(2026, 11, 20, 12, tzinfo=UTC)))

    expected = {"ooo": "out_of_office", "bounce": "bounce", "complain": "complaint", "meet": "calendar"}
    wanted = "auto_reply" if kind == "bounce-delay" else expected.get(kind.partition("-")[0], "human")
    assert (read.kind, read.problems) == (wanted, ())
    known = [read.in_reply_to, *(each.original_message_id for each in (read.bounce, read.complaint) if each)]
    assert (letter.message_id in known) is (kind != "reply-noref")


async def test_the_silent_are_silent(sandbox: GmailSandbox) -> None:
    write_to(sandbox, "silent@example.org", "anybody@example.org")

    assert await answers(sandbox) == []


def test_addresses_without_a_telling_name_go_by_a_hash_of_theirs() -> None:
    plans = [plan_for(f"person{number}@example.org", "hash") for number in range(4000)]
    kinds = Counter(plan.kind for plan in plans)

    shares = {kind: round(100 * count / len(plans)) for kind, count in kinds.items()}
    assert shares == pytest.approx({"reply": 10, "ooo": 5, "bounce": 3, "complain": 1, "unsub": 2, "silent": 79}, abs=1.5)
    assert {plan.on_number for plan in plans if plan.kind == "reply"} == {1, 2, 3}
    assert {plan.on_number for plan in plans if plan.kind == "bounce"} == {0}
    assert plans[0] == plan_for("Person0@example.org", "hash")


async def test_the_patient_wait_for_their_message() -> None:
    mode: People = "hash"
    third = next(
        address
        for address in (f"person{number}@example.org" for number in range(400))
        if plan_for(address, mode).kind == "reply" and plan_for(address, mode).on_number == 3
    )
    async with GmailSandbox(GmailSettings(clock=SandboxClock(speed=100_000), people=mode)) as sandbox:
        sandbox.add_mailbox(ADA)
        for count in (0, 0, 1, 1):
            write_to(sandbox, third)
            assert len(await answers(sandbox)) == count


def test_the_longer_beginning_wins() -> None:
    names = [kind for kind, _, _ in TABLE]

    assert [plan_for(f"{name}.x@example.org", "silent").kind for name in names] == names


def test_the_clock_runs_as_it_is_told() -> None:
    clock = SandboxClock.parse("2026-11-20T12:00:00+00:00@2020-01-01T00:00:00+00:00*1")

    assert clock.now() - SandboxClock().now() > timedelta(days=365 * 6)
    assert SandboxClock.parse("", 4.0).real_s(2.0) == 0.5
