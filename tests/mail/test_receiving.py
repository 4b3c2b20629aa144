"""Messages find their thread and their contact, each once, and only those see them who may."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from hub.db import Database, tenant_tx
from hub.events import TENANT, only_user
from hub.mail import labels, snoozing
from hub.mail.threading import answer_subject, subject_key
from hub.who import Who
from integrations.mail import LabelChange, MessageRef
from tests.conftest import Company
from tests.mail.kit import arrive, insert_mailbox, letter, make_contact


@pytest.fixture
async def box(db: Database, acme: Company) -> UUID:
    """The rep's mailbox, which everybody sees."""
    return await a_mailbox(db, acme, "rep@acme.test")


async def a_mailbox(db: Database, company: Company, address: str, visibility: str = "everyone") -> UUID:
    mailbox_id = uuid4()
    async with tenant_tx(db, company.who("rep")) as tx:
        await insert_mailbox(tx, mailbox_id, company, "rep", "imap", address, visibility, None)
    return mailbox_id


async def rows(db: Database, company: Company, sql: str, *args: object) -> list[dict[str, object]]:
    async with tenant_tx(db, Who.system(company.tenant_id)) as tx:
        return [dict(row) for row in await tx.conn.fetch(sql, *args)]


async def audiences(db: Database, company: Company) -> set[str]:
    sql = "SELECT audience FROM events WHERE type LIKE 'mail.%' OR type = 'activity.created'"
    return {str(row["audience"]) for row in await rows(db, company, sql)}


async def test_a_message_is_stored_once_whoever_brings_it(db: Database, acme: Company, box: UUID) -> None:
    ada = await make_contact(db, acme, "Ada@example.com")
    first = await arrive(db, acme, box, letter(), "p1", "t1")
    again = await arrive(db, acme, box, letter(), "p1", "t1")
    moved = await arrive(db, acme, box, letter(), "p2", "t1")
    assert first.is_new and not again.is_new and not moved.is_new
    assert {first.message_id, again.message_id, moved.message_id} == {first.message_id}
    assert (first.direction, first.kind, first.contact_ids, again.contact_ids) == ("inbound", "human", (ada,), (ada,))
    thread = (await rows(db, acme, "SELECT messages, unread, state, contact_id FROM mail_threads"))[0]
    assert thread == {"messages": 1, "unread": 1, "state": "open", "contact_id": ada}
    events = await rows(db, acme, "SELECT type FROM events ORDER BY seq")
    assert [row["type"] for row in events].count("mail.received") == 1
    # One of two copies goes: the message stays. The other goes: it is out of sight.
    async with tenant_tx(db, Who.system(acme.tenant_id)) as tx:
        assert await labels.note_deleted(tx, box, [MessageRef("p1")]) == 0
        assert await labels.note_deleted(tx, box, [MessageRef("p2")]) == 1
    assert (await rows(db, acme, "SELECT messages FROM mail_threads"))[0]["messages"] == 0


async def test_an_answer_joins_its_thread_by_provider_by_references_or_by_subject(db: Database, acme: Company, box: UUID) -> None:
    first = await arrive(db, acme, box, letter("Offer"), "p1")
    by_reference = await arrive(
        db, acme, box, letter("Something else", message_id="<a2@x.test>", in_reply_to="<A1@example.com>"), "p2"
    )
    by_subject = await arrive(db, acme, box, letter("AW: RE: offer", message_id="<a3@x.test>"), "p3")
    a_stranger = await arrive(
        db, acme, box, letter("Re: Offer", message_id="<a4@x.test>", from_="Eve <eve@elsewhere.test>"), "p4"
    )
    no_answer = await arrive(db, acme, box, letter("Offer", message_id="<a5@x.test>"), "p5")
    assert by_reference.thread_id == by_subject.thread_id == first.thread_id
    assert len({first.thread_id, a_stranger.thread_id, no_answer.thread_id}) == 3
    at_provider = await arrive(db, acme, box, letter("A", message_id="<b1@x.test>"), "p6", "t6")
    same = await arrive(db, acme, box, letter("B", message_id="<b2@x.test>", from_="eve@elsewhere.test"), "p7", "t6")
    # The provider began a new thread although the message answers one of ours: it is one conversation all the same.
    split = await arrive(db, acme, box, letter("C", message_id="<b3@x.test>", references="<a0@x.test> <b1@x.test>"), "p8", "t8")
    later = await arrive(db, acme, box, letter("D", message_id="<b4@x.test>"), "p9", "t8")
    assert at_provider.thread_id == same.thread_id == split.thread_id == later.thread_id != first.thread_id


async def test_whoever_answers_from_another_address_is_whom_we_wrote_to(db: Database, acme: Company, box: UUID) -> None:
    ada = await make_contact(db, acme, "ada@example.com")
    ours = letter(from_="rep@acme.test", to="ada@example.com", message_id="<o1@acme.test>")
    sent = await arrive(db, acme, box, ours, "p1", labels=frozenset({"sent"}))
    assert (sent.direction, sent.contact_ids) == ("outbound", (ada,))
    answer = letter("Re: Question", from_="ada@private.test", message_id="<r1@x.test>", in_reply_to="<o1@acme.test>")
    came = await arrive(db, acme, box, answer, "p2")
    assert (came.contact_ids, came.thread_id, came.in_reply_to_send_id) == ((ada,), sent.thread_id, None)
    cc = letter(from_="Eve <eve@x.test>", to="rep@acme.test, ada@example.com", message_id="<r2@x.test>")
    assert (await arrive(db, acme, box, cc, "p3")).contact_ids == (), "who only gets a copy has not written"
    roles = await rows(db, acme, "SELECT role FROM mail_message_contacts ORDER BY message_id")
    assert [row["role"] for row in roles] == ["recipient", "author", "recipient"]


async def test_a_private_mailbox_is_its_owners_alone(db: Database, acme: Company) -> None:
    box = await a_mailbox(db, acme, "private@acme.test", "private")
    await make_contact(db, acme, "ada@example.com")
    await arrive(db, acme, box, letter(), "p1")
    assert await audiences(db, acme) == {only_user(acme.members["rep"])}


async def test_rules_and_labels_make_mail_private_and_a_rule_reaches_back(db: Database, acme: Company, box: UUID) -> None:
    await make_contact(db, acme, "ada@example.com")
    first = await arrive(db, acme, box, letter(), "p1")
    assert await audiences(db, acme) == {TENANT}
    async with tenant_tx(db, acme.who("rep")) as tx:
        await tx.conn.execute(
            "INSERT INTO mail_privacy_rules (tenant_id, mailbox_id, kind, value_lc) VALUES ($1, $2, 'domain', 'example.com'),"
            " ($1, NULL, 'subject', 'salary'), ($1, $2, 'label', 'label_7')",
            acme.tenant_id,
            box,
        )
    await arrive(db, acme, box, letter("Your SALARY", from_="boss@x.test", message_id="<s@x.test>"), "p2")
    labelled = await arrive(db, acme, box, letter("Doctor", from_="d@x.test", message_id="<d@x.test>"), "p3")
    privacy = "SELECT t.private FROM mail_threads t ORDER BY t.id"
    assert [row["private"] for row in await rows(db, acme, privacy)] == [False, True, False]
    async with tenant_tx(db, Who.system(acme.tenant_id)) as tx:
        assert await labels.reclassify(tx, box, None) is None
        change = LabelChange(MessageRef("p3"), frozenset({"Label_7"}), frozenset({"unread"}))
        assert await labels.change_labels(tx, box, [change, LabelChange(MessageRef("none"), frozenset({"x"}), frozenset())]) == 1
        assert await labels.change_labels(tx, box, [change]) == 0
    assert [row["private"] for row in await rows(db, acme, privacy)] == [True, True, True]
    assert first.thread_id != labelled.thread_id
    assert (await rows(db, acme, "SELECT unread FROM mail_threads WHERE id = $1", labelled.thread_id))[0]["unread"] == 0


async def test_what_is_trashed_is_out_of_sight_and_comes_back(db: Database, acme: Company, box: UUID) -> None:
    stored = await arrive(db, acme, box, letter(), "p1")
    async with tenant_tx(db, Who.system(acme.tenant_id)) as tx:
        await labels.change_labels(tx, box, [LabelChange(MessageRef("p1"), frozenset({"trash"}), frozenset({"inbox"}))])
    assert (await rows(db, acme, "SELECT messages, unread FROM mail_threads"))[0] == {"messages": 0, "unread": 0}
    await arrive(db, acme, box, letter(), "p1")
    assert (await rows(db, acme, "SELECT messages FROM mail_threads WHERE id = $1", stored.thread_id))[0]["messages"] == 1


async def test_an_answer_brings_a_thread_back_and_old_mail_tells_nobody(db: Database, acme: Company, box: UUID) -> None:
    await make_contact(db, acme, "ada@example.com")
    old = await arrive(
        db, acme, box, letter(), "p1", labels=frozenset(), is_fresh=False, received_at=datetime.now(UTC) - timedelta(days=30)
    )
    assert await audiences(db, acme) == set()
    assert (await rows(db, acme, "SELECT state FROM mail_threads"))[0]["state"] == "done", "it was archived long ago"
    line = (await rows(db, acme, "SELECT at FROM activities"))[0]["at"]
    assert isinstance(line, datetime) and line < datetime.now(UTC) - timedelta(days=29)
    await arrive(db, acme, box, letter("Re: Question", message_id="<a2@x.test>", in_reply_to="<a1@example.com>"), "p2")
    assert (await rows(db, acme, "SELECT state, messages FROM mail_threads"))[0] == {"state": "open", "messages": 2}
    until = datetime.now(UTC) + timedelta(days=2)
    async with tenant_tx(db, Who.system(acme.tenant_id)) as tx:
        await tx.conn.execute("UPDATE mail_threads SET state = 'snoozed', snoozed_until = $1", until)
    assert await snoozing.wake(db, datetime.now(UTC)) == 0
    assert await snoozing.wake(db, until) == 1
    assert (await rows(db, acme, "SELECT state FROM mail_threads WHERE id = $1", old.thread_id))[0]["state"] == "open"


async def test_all_of_a_mailbox_is_erased(db: Database, acme: Company, box: UUID) -> None:
    await make_contact(db, acme, "ada@example.com")
    await arrive(db, acme, box, letter(), "p1", object_key="mail/x.eml")
    async with tenant_tx(db, Who.system(acme.tenant_id)) as tx:
        assert await labels.erase(tx, box) == (1, ["mail/x.eml"])
        assert await labels.erase(tx, box) == (0, [])
    for table in ("mail_threads", "mail_messages", "mail_copies", "mail_words", "activities"):
        assert await rows(db, acme, f"SELECT 1 FROM {table}") == []


async def test_mail_that_no_mailbox_program_would_write_is_stored(db: Database, acme: Company, box: UUID) -> None:
    for number, raw in enumerate(
        (b"", b"\x00\xff", b"From: \r\n\r\n", b"Subject: =?x?y?z?=\r\nDate: never\r\n\r\nhi", letter(message_id=""))
    ):
        assert (await arrive(db, acme, box, raw, f"p{number}")).is_new


@pytest.mark.parametrize(
    ("subject", "key"),
    [
        ("Re: Offer", "offer"),
        ("RE[2]: AW: Fwd:  Offer  now", "offer now"),
        ("Regarding: x", "regarding: x"),
        ("re:" * 400 + "x", None),
        ("", ""),
    ],
)
def test_the_subject_without_its_prefixes(subject: str, key: str | None) -> None:
    assert key is None or subject_key(subject) == key
    assert subject_key(answer_subject(subject)) == subject_key(subject) or key is None
