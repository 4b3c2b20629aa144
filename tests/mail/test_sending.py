"""Mail goes out exactly once, whatever the provider does, against the sandbox."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from uuid import UUID, uuid4

import orjson
import pytest

from hub.clock import Clock
from hub.db import tenant_tx
from hub.mail import delivering
from hub.mail.composing import begin_draft, change_draft, retry, send_draft
from hub.mail.models import MailAddressIn, MailDraftIn, MailDraftPatch
from hub.mail.sending import cancel_mail
from hub.mailboxes.rows import MailboxRow
from hub.permits.actions import suppress
from hub.sealing import Seals
from hub.who import Who
from integrations.errors import Transient
from integrations.mail import MessageRef, SentMail
from integrations.mime import Address
from tests.mail.kit import Post, arrive, letter
from workers import mail


@pytest.fixture
async def box(post: Post) -> MailboxRow:
    """The rep's mailbox."""
    return await post.mailbox("rep@acme.test")


async def test_a_mail_is_sent_once_and_is_a_message_of_its_thread(post: Post, box: MailboxRow) -> None:
    ada = await post.contact("ada@example.com")
    send_id = await post.queue(box, "ada@example.com", source="composer", user_id=post.company.members["rep"])
    await post.work()
    await post.work(hurry=True)
    sent = await post.send(send_id)
    assert (sent["state"], sent["contact_id"], sent["error"]) == ("sent", ada, None)
    assert len(post.sandbox.sent) == 1
    message = (await post.rows("SELECT * FROM mail_messages"))[0]
    assert (message["direction"], message["send_id"], message["provider_id"]) == ("outbound", send_id, sent["provider_id"])
    assert message["new_text"].strip() == "Good morning" and message["object_key"]
    assert (await post.rows("SELECT messages, unread, contact_id FROM mail_threads"))[0] == {
        "messages": 1,
        "unread": 0,
        "contact_id": ada,
    }
    assert [row["kind"] for row in await post.rows("SELECT kind FROM activities")] == ["email"]
    kinds = [kind for kind, _ in await post.events()]
    assert kinds.count("mail.sent") == 1


async def test_an_answer_goes_into_the_thread_that_it_answers(post: Post, box: MailboxRow) -> None:
    there = post.sandbox.deliver("rep@acme.test", letter())
    came = await arrive(post.db, post.company, box.id, letter(), there.id, there.thread_id)
    send_id = await post.queue(box, "ada@example.com", subject="", reply_to_message_id=came.message_id)
    await post.work()
    sent = await post.send(send_id)
    raw = message_from_bytes(post.sandbox.mailboxes["rep@acme.test"].messages[sent["provider_id"]].raw)
    assert (raw["In-Reply-To"], raw["References"], raw["Subject"]) == ("<a1@example.com>", "<a1@example.com>", "Re: Question")
    assert sent["thread_id"] == came.thread_id
    assert post.sandbox.mailboxes["rep@acme.test"].messages[sent["provider_id"]].thread_id == there.thread_id
    again = await post.queue(box, "ada@example.com", subject="", follows_send_id=send_id)
    await post.work()
    assert (await post.send(again))["thread_id"] == came.thread_id
    raw = message_from_bytes(post.sandbox.mailboxes["rep@acme.test"].messages[(await post.send(again))["provider_id"]].raw)
    own = (await post.rows("SELECT message_id FROM mail_messages WHERE send_id = $1", send_id))[0]["message_id"]
    assert raw["In-Reply-To"] == own and raw["Subject"] == "Re: Question"


@pytest.mark.parametrize("keeps", [True, False])
async def test_a_mail_whose_answer_was_lost_is_adopted_and_not_sent_again(post: Post, box: MailboxRow, keeps: bool) -> None:
    post.sandbox.keeps_message_id = keeps
    post.sandbox.fail("messages.send", "lost")
    send_id = await post.queue(box, "ada@example.com")
    await post.work()
    assert (await post.send(send_id))["state"] == "sending"
    await post.work(hurry=True)
    sent = await post.send(send_id)
    assert sent["state"] == "sent" and len(post.sandbox.sent) == 1
    message = (await post.rows("SELECT send_id, message_id FROM mail_messages"))[0]
    assert message["send_id"] == send_id
    assert (message["message_id"] == sent["message_id"]) is keeps
    # Answers refer to the Message-ID that it went out with, bounces to either.
    for number, named in enumerate({message["message_id"], sent["message_id"]}):
        raw = letter("Re: Hello", in_reply_to=named, message_id=f"<r{number}@example.com>", from_="x@elsewhere.test")
        assert (await arrive(post.db, post.company, box.id, raw, f"r{number}")).in_reply_to_send_id == send_id


async def test_a_mail_that_never_reached_the_provider_is_sent_when_that_is_certain(
    post: Post, box: MailboxRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.sandbox.fail("messages.send", "drop")
    send_id = await post.queue(box, "ada@example.com")
    await post.work()
    await post.run("UPDATE jobs SET run_at = now()")
    await post.work()
    assert ((await post.send(send_id))["state"], len(post.sandbox.sent)) == ("sending", 0), "it may still be on its way"
    monkeypatch.setattr(delivering, "DOUBT_S", 0.0)
    await post.work(hurry=True)
    assert ((await post.send(send_id))["state"], len(post.sandbox.sent)) == ("sent", 1)


async def test_what_the_provider_refuses_says_why_and_what_it_can_not_take_now_waits(post: Post, box: MailboxRow) -> None:
    post.sandbox.fail("messages.send", "400")
    refused = await post.queue(box, "ada@example.com")
    await post.work()
    failed = await post.send(refused)
    assert failed["state"] == "failed" and "Precondition" in failed["error"] and failed["asked_at"] is None
    post.sandbox.fail("messages.send", "429")
    late = await post.queue(box, "ada@example.com")
    await post.work()
    waits = await post.send(late)
    if waits["state"] != "sent":
        assert waits["state"] == "queued" and waits["asked_at"] is None
    await post.work(hurry=True)
    assert (await post.send(late))["state"] == "sent" and len(post.sandbox.sent) == 1


async def test_a_thread_that_is_gone_at_the_provider_does_not_keep_the_answer_back(post: Post, box: MailboxRow) -> None:
    came = await arrive(post.db, post.company, box.id, letter(), "1badc0de", "1badc0de")
    send_id = await post.queue(box, "ada@example.com", reply_to_message_id=came.message_id)
    await post.work()
    assert ((await post.send(send_id))["state"], len(post.sandbox.sent)) == ("sent", 1)
    assert (await post.send(send_id))["thread_id"] == came.thread_id


async def test_a_revoked_mailbox_keeps_its_mail_until_it_is_back(post: Post, box: MailboxRow) -> None:
    post.sandbox.revoke("rep@acme.test")
    send_id = await post.queue(box, "ada@example.com")
    await post.work()
    waits = await post.send(send_id)
    assert (waits["state"], waits["asked_at"]) == ("queued", None) and "connected again" in waits["error"]
    assert (await post.rows("SELECT state FROM mailboxes"))[0]["state"] == "revoked"
    assert await delivering.resume_unsettled(post.db) == 0
    token = post.sandbox.add_mailbox("rep@acme.test")
    sealed = Seals(post.settings).seal(token, tenant_id=post.company.tenant_id, kind="mailbox", row_id=box.id)
    await post.run("UPDATE mailboxes SET state = 'active', sealed = $1", sealed)
    assert await delivering.resume_unsettled(post.db) == 1
    await post.work()
    back = await post.send(send_id)
    assert (back["state"], back["error"], back["held"], len(post.sandbox.sent)) == ("sent", None, False, 1)


async def test_what_a_disconnected_mailbox_was_to_send_fails_in_words(post: Post, box: MailboxRow) -> None:
    await post.run("UPDATE mailboxes SET state = 'disconnected'")
    send_id = await post.queue(box, "ada@example.com")
    await post.work()
    failed = await post.send(send_id)
    assert failed["state"] == "failed" and "not connected any more" in failed["error"]


class ServerOfMail:
    """A mail server's mailbox that takes a message and loses its answer, and keeps no copy of what was sent."""

    kind = "imap"

    def __init__(self) -> None:
        self.sent = 0

    def gmail(self, address: str, refresh_token: str) -> ServerOfMail:
        return self

    async def send(self, raw: bytes, *, thread_id: str = "") -> SentMail:
        self.sent += 1
        if self.sent == 1:
            raise Transient("the connection was lost", ambiguous=True)
        return SentMail(MessageRef(""), "")

    async def find_sent(self, message_id: str, *, to: str, since: datetime) -> None:
        return None

    async def close(self) -> None:
        pass


async def test_what_a_server_may_have_sent_is_a_persons_to_decide(
    post: Post, box: MailboxRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "DOUBT_S", 0.0)
    server = ServerOfMail()
    deps = replace(post.deps, mailboxes=server)  # type: ignore[arg-type]
    rep = post.company.members["rep"]
    send_id = await post.queue(box, "ada@example.com", user_id=rep)
    monkeypatch.setattr(mail, "_is_sure", lambda mailbox: False)
    await post.work(deps, hurry=True)
    unsure = await post.send(send_id)
    assert (unsure["state"], server.sent) == ("unsure", 1) and "can't be told" in unsure["error"]
    assert await delivering.resume_unsettled(post.db) == 0
    async with tenant_tx(post.db, post.company.who("rep")) as tx:
        await retry(tx, send_id)
    await post.work(deps)
    assert ((await post.send(send_id))["state"], server.sent) == ("sent", 2)
    assert (await post.rows("SELECT send_id FROM mail_messages"))[0]["send_id"] == send_id


async def test_it_is_taken_back_while_it_waits_and_no_later(post: Post, box: MailboxRow) -> None:
    waits = await post.queue(box, "ada@example.com")
    gone = await post.queue(box, "ben@example.com")
    async with tenant_tx(post.db, Who.system(post.company.tenant_id)) as tx:
        assert await cancel_mail(tx, waits, "They replied.")
        assert not await cancel_mail(tx, waits, "They replied.")
        assert not await cancel_mail(tx, uuid4(), "There is none.")
    await post.work()
    async with tenant_tx(post.db, Who.system(post.company.tenant_id)) as tx:
        assert not await cancel_mail(tx, gone, "They replied.")
    canceled = await post.send(waits)
    assert (canceled["state"], canceled["error"]) == ("canceled", "They replied.")
    assert (await post.send(gone))["state"] == "sent" and len(post.sandbox.sent) == 1


async def test_a_step_has_one_mail_however_often_it_is_asked_for(post: Post, box: MailboxRow) -> None:
    step = uuid4()
    first = await post.queue(box, "ada@example.com", step_run_id=step, source="sequence")
    assert await post.queue(box, "ada@example.com", step_run_id=step, source="sequence") == first
    await post.work()
    assert len(post.sandbox.sent) == 1


async def test_it_waits_for_its_time_of_the_schedules_clock(post: Post, box: MailboxRow) -> None:
    at = datetime.now(UTC) + timedelta(days=3)
    send_id = await post.queue(box, "ada@example.com", send_at=at)
    await post.work()
    assert (await delivering.send_due(post.db, datetime.now(UTC))) == 0
    later = replace(post.deps, clock=Clock(at, datetime.now(UTC), 1.0))
    assert (await delivering.send_due(post.db, later.clock.now())) == 1
    await post.work(later)
    assert ((await post.send(send_id))["state"], len(post.sandbox.sent)) == ("sent", 1)


async def test_who_may_not_be_written_to_is_not(post: Post, box: MailboxRow) -> None:
    await post.contact("ada@example.com")
    async with tenant_tx(post.db, post.company.who("owner")) as tx:
        await suppress(tx, "email", "ada@example.com", "They asked.", "person")
        await suppress(tx, "domain", "silent.test", "They asked.", "person")
    known = await post.queue(box, "ada@example.com")
    unknown = await post.queue(box, "ben@silent.test")
    beside = await post.queue(box, "cy@example.com", cc=(Address("", "ada@example.com"),))
    await post.work()
    for send_id in (known, unknown, beside):
        failed = await post.send(send_id)
        assert failed["state"] == "failed" and "suppression list" in failed["error"], failed
    assert not post.sandbox.sent


async def test_a_mailbox_that_stopped_itself_holds_sequences_and_lets_people_write(post: Post, box: MailboxRow) -> None:
    await post.run("UPDATE mailboxes SET stopped_reason = 'Too many bounces.'")
    by_itself = await post.queue(box, "ada@example.com", source="sequence")
    by_hand = await post.queue(box, "ben@example.com", source="composer")
    await post.work()
    assert ((await post.send(by_itself))["state"], (await post.send(by_itself))["error"]) == ("queued", "Too many bounces.")
    assert (await post.send(by_hand))["state"] == "sent"


async def test_what_nobody_sees_to_is_seen_to(post: Post, box: MailboxRow) -> None:
    send_id = await post.queue(box, "ada@example.com")
    await post.run("UPDATE jobs SET run_at = now() + interval '1 year'")
    assert await delivering.resume_unsettled(post.db) == 0
    await post.run("UPDATE mail_sends SET look_at = now()")
    assert await delivering.resume_unsettled(post.db) == 1
    await post.work()
    assert (await post.send(send_id))["state"] == "sent"


async def test_a_draft_is_shown_at_the_provider_until_it_is_sent(post: Post, box: MailboxRow) -> None:
    who = post.company.who("rep")
    async with tenant_tx(post.db, who) as tx:
        text, _ = await begin_draft(
            tx, MailDraftIn(mailbox_id=box.id, to=[MailAddressIn(address="ada@example.com")], subject="One")
        )
        draft_id = UUID(orjson.loads(text)["id"])
    await post.work(hurry=True)
    async with tenant_tx(post.db, who) as tx:
        await change_draft(tx, draft_id, MailDraftPatch(subject="Two"), None)
    await post.work(hurry=True)
    drafts = post.sandbox.mailboxes["rep@acme.test"].drafts
    assert len(drafts) == 1
    async with tenant_tx(post.db, who) as tx:
        await send_draft(tx, draft_id, None, datetime.now(UTC))
    await post.run("UPDATE mail_sends SET undo_until = now()")
    await post.work(hurry=True)
    assert (await post.send(draft_id))["state"] == "sent" and len(post.sandbox.sent) == 1
    assert not drafts
