"""The mailbox port on the real client, against the sandbox: what is Gmail's own, and what happens when things go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from integrations.budget import Budget
from integrations.errors import RateLimited, Rejected, Transient
from integrations.gmail import Google
from integrations.gmail import account as gmail_account
from integrations.gmail import google as gmail_google
from integrations.gmail.mapping import LABELS
from integrations.mail import MailLabel, MessageRef
from integrations.sandbox.gmail import GmailSandbox
from integrations.sandbox.gmail.mailbox import Label
from tests.integrations.mail_worlds import STRANGER, GmailWorld, client_of, gmail_world, letter, quick_retry
from tests.loop_clock import LIMIT_S, given_up_after

SOON = timedelta(minutes=1)


@pytest.fixture
async def sandbox() -> AsyncIterator[GmailSandbox]:
    async with GmailSandbox() as sandbox:
        yield sandbox


@pytest.fixture
async def world(sandbox: GmailSandbox) -> AsyncIterator[GmailWorld]:
    async with gmail_world(sandbox) as world:
        yield world


@pytest.fixture
async def hasty(sandbox: GmailSandbox) -> AsyncIterator[GmailWorld]:
    """One that does not try again."""
    async with gmail_world(sandbox, timeout_s=LIMIT_S, attempts=1) as world:
        yield world


def offer(world: GmailWorld, message_id: str = "<ours@ringside.example>") -> bytes:
    return letter("Our offer", sender=world.address, to=STRANGER, Message_ID=message_id)


async def test_a_reply_joins_its_thread(world: GmailWorld) -> None:
    first = await world.mailbox.send(offer(world))
    reply = letter("Re: Our offer", sender=world.address, to=STRANGER, In_Reply_To=first.message_id, References=first.message_id)

    second = await world.mailbox.send(reply, thread_id=first.ref.thread_id)

    assert second.ref.thread_id == first.ref.thread_id


async def test_a_thread_that_is_gone_is_done_without(world: GmailWorld) -> None:
    sent = await world.mailbox.send(offer(world), thread_id="00000000000000ff")

    assert sent.ref.id
    assert len(await world.handed_over()) == 1


@pytest.mark.parametrize("keeps", [True, False])
async def test_our_message_id_is_found_whether_gmail_keeps_it_or_not(world: GmailWorld, keeps: bool) -> None:
    world.sandbox.keeps_message_id = keeps
    sent = await world.mailbox.send(offer(world))

    found = await world.mailbox.find_sent("<ours@ringside.example>", to=STRANGER, since=datetime.now(UTC) - SOON)

    assert found == sent
    assert (sent.message_id == "<ours@ringside.example>") is keeps


async def test_a_sent_message_is_found_among_many(world: GmailWorld) -> None:
    before = datetime.now(UTC) - SOON
    world.sandbox.keeps_message_id = False
    await world.mailbox.send(offer(world))
    await asyncio.gather(*(world.mailbox.send(offer(world, f"<{number}@ringside.example>")) for number in range(60)))

    assert await world.mailbox.find_sent("<ours@ringside.example>", to=STRANGER, since=before) is not None


async def test_a_sent_message_in_the_trash_is_found_all_the_same(world: GmailWorld) -> None:
    sent = await world.mailbox.send(offer(world))
    await world.mailbox.change_labels(sent.ref, add=["trash"])

    assert await world.mailbox.find_sent("<ours@ringside.example>", to=STRANGER, since=datetime.now(UTC) - SOON) is not None


async def test_a_lost_answer_to_sending_is_ambiguous_and_sent_once(world: GmailWorld) -> None:
    world.sandbox.fail("messages.send", "lost")

    with pytest.raises(Transient) as lost:
        await world.mailbox.send(offer(world))

    assert lost.value.ambiguous
    assert len(await world.handed_over()) == 1
    assert await world.mailbox.find_sent("<ours@ringside.example>", to=STRANGER, since=datetime.now(UTC) - SOON) is not None


async def test_a_send_that_hangs_is_given_up_as_ambiguous(hasty: GmailWorld) -> None:
    faults = hasty.sandbox.faults
    hasty.sandbox.fail("messages.send", "hang")

    with pytest.raises(Transient, match=f"no answer within {LIMIT_S:g} s") as hanging:
        await given_up_after(LIMIT_S, hasty.mailbox.send(offer(hasty)), lambda: not faults.waiting)

    assert hanging.value.ambiguous


async def test_a_send_that_fails_is_not_repeated_by_itself(world: GmailWorld) -> None:
    world.sandbox.fail("messages.send", "500")

    with pytest.raises(Transient):
        await world.mailbox.send(offer(world))

    assert await world.handed_over() == []


async def test_a_sent_message_counts_as_sent_even_when_it_can_not_be_looked_at(hasty: GmailWorld) -> None:
    hasty.sandbox.fail("messages.get", "500")

    sent = await hasty.mailbox.send(offer(hasty))

    assert sent.message_id == "<ours@ringside.example>"


async def test_a_large_message_is_uploaded(world: GmailWorld) -> None:
    raw = letter("Large", sender=world.address, to=STRANGER, text="All work and no play. \n" * 100_000)

    await world.mailbox.send(raw)

    [received] = await world.handed_over()
    assert len(received) > 2_000_000


async def test_reading_is_repeated_after_a_fault_of_the_server(world: GmailWorld) -> None:
    await world.deliver(letter())
    for operation in ("messages.list", "messages.get", "history.list"):
        world.sandbox.fail(operation, "500")
        world.sandbox.fail(operation, "drop")
    profile = await world.mailbox.profile()

    [message] = await world.mailbox.fetch((await world.mailbox.list_messages()).refs)

    assert message.raw
    assert (await world.mailbox.changes(profile.cursor)).added == ()


async def test_a_batch_asks_again_for_what_was_refused_alone(world: GmailWorld) -> None:
    for number in range(10):
        await world.deliver(letter(f"Number {number}"))
    refs = (await world.mailbox.list_messages()).refs
    world.sandbox.fail("messages.get", "429", 3)
    before = world.sandbox.calls.get("messages.get", 0)

    assert len(await world.mailbox.fetch(refs)) == 10
    assert world.sandbox.calls["messages.get"] - before <= 13


async def test_a_pace_that_is_too_fast_is_no_fault_of_the_credential(hasty: GmailWorld) -> None:
    hasty.sandbox.fail("getProfile", "403", reason="userRateLimitExceeded")

    with pytest.raises(RateLimited):
        await hasty.mailbox.profile()


async def test_a_403_is_the_credentials_fault(hasty: GmailWorld) -> None:
    hasty.sandbox.fail("getProfile", "403", reason="insufficientPermissions")

    with pytest.raises(Rejected) as refused:
        await hasty.mailbox.profile()

    assert refused.value.is_credential_fault


async def test_an_access_token_that_ended_early_is_replaced(world: GmailWorld) -> None:
    await world.mailbox.profile()
    world.sandbox.grants.expire_access(world.address)

    assert (await world.mailbox.profile()).address == world.address
    await world.deliver(letter())
    refs = (await world.mailbox.list_messages()).refs
    world.sandbox.grants.expire_access(world.address)
    assert len(await world.mailbox.fetch(refs)) == 1


async def test_a_revoked_consent_is_told_as_such(world: GmailWorld) -> None:
    await world.mailbox.profile()
    world.sandbox.revoke(world.address)

    with pytest.raises(Rejected) as refused:
        await world.mailbox.profile()

    assert refused.value.is_credential_fault
    assert refused.value.code == "invalid_grant"
    assert world.refresh_token not in str(refused.value)


async def test_a_consent_that_is_revoked_before_a_batch_is_told_as_such(world: GmailWorld) -> None:
    await world.deliver(letter())
    refs = (await world.mailbox.list_messages()).refs
    world.sandbox.revoke(world.address)

    with pytest.raises(Rejected) as refused:
        await world.mailbox.fetch(refs)

    assert refused.value.is_credential_fault


async def test_many_who_ask_at_once_share_one_access_token(world: GmailWorld) -> None:
    asked: list[str] = []
    refresh = world.sandbox.grants.refresh

    def counted(token: str) -> tuple[str, frozenset[str]]:
        asked.append(token)
        return refresh(token)

    world.sandbox.grants.refresh = counted  # type: ignore[method-assign, assignment]
    await asyncio.gather(*(world.mailbox.profile() for _ in range(20)))

    assert len(asked) == 1


async def test_a_mailboxs_quota_is_spent_by_what_each_call_costs(sandbox: GmailSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gmail_google, "QUOTA_BUDGET", Budget(per_s=0.01, burst=120, longest_wait_s=0.5))
    async with gmail_world(sandbox) as world:
        for number in range(3):
            await world.deliver(letter(f"Number {number}"))
        refs = (await world.mailbox.list_messages()).refs
        await world.mailbox.send(offer(world))

        with pytest.raises(RateLimited) as over:
            await world.mailbox.fetch(refs)

        assert len(await world.mailbox.fetch(refs[:2])) == 2
    assert over.value.retry_after


async def test_mail_that_comes_out_of_spam_is_news(world: GmailWorld) -> None:
    cursor = (await world.mailbox.profile()).cursor
    stored = world.sandbox.deliver(world.address, letter(), frozenset({LABELS["spam"]}))
    hidden = await world.mailbox.changes(cursor)
    world.sandbox.mailboxes[world.address].change_labels(stored, ("INBOX",), ("SPAM",))

    assert hidden.added == ()
    assert [each.id for each in (await world.mailbox.changes(hidden.cursor)).added] == [stored.id]


async def test_a_long_history_is_told_in_parts(world: GmailWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.gmail.client.HISTORY_PAGE", 3)
    monkeypatch.setattr("integrations.gmail.client.HISTORY_PAGES", 2)
    cursor = (await world.mailbox.profile()).cursor
    for number in range(20):
        await world.deliver(letter(f"Number {number}"))

    seen: list[MessageRef] = []
    parts = 0
    while True:
        changes = await world.mailbox.changes(cursor)
        seen, cursor, parts = [*seen, *changes.added], changes.cursor, parts + 1
        if not changes.more:
            break

    assert len(seen) == len(set(seen)) == 20
    assert parts >= 3


async def test_own_labels_have_names_and_are_set_by_their_ids(world: GmailWorld) -> None:
    await world.deliver(letter())
    world.sandbox.mailboxes[world.address].labels["Label_7"] = Label("Label_7", "Customers")
    [ref] = (await world.mailbox.list_messages()).refs

    assert await world.mailbox.labels() == [MailLabel("Label_7", "Customers")]
    await world.mailbox.change_labels(ref, add=["Label_7"])
    [message] = await world.mailbox.fetch([ref])
    assert "Label_7" in message.labels


async def test_large_messages_are_not_all_held_at_once(world: GmailWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gmail_account, "LARGEST_BATCH", 200_000)
    for number in range(6):
        await world.deliver(letter(f"Number {number}", text="x" * 70 + "\n" + "A line of text.\n" * 5_000))

    found = await world.mailbox.fetch((await world.mailbox.list_messages()).refs)

    assert len(found) == 6


async def test_a_watch_needs_a_topic_and_lasts_a_week(world: GmailWorld) -> None:
    watch = await world.mailbox.watch()

    assert watch is not None
    assert timedelta(days=6) < watch.expires_at - datetime.now(UTC) <= timedelta(days=7)
    await world.mailbox.unwatch()


async def test_a_topic_that_gmail_may_not_publish_to_leaves_the_mailbox_to_be_asked(sandbox: GmailSandbox) -> None:
    for topic in ("projects/elsewhere/topics/mail", "no topic", ""):
        async with Google.open(replace(client_of(sandbox), topic=topic), None, retry=quick_retry()) as google:
            world = GmailWorld(sandbox, google, "rep@ringside.example")
            assert await world.mailbox.watch() is None
            assert (await world.mailbox.profile()).address == world.address


async def test_an_answer_that_can_not_be_read_is_no_reason_to_ask_for_ever(
    world: GmailWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.deliver(letter())
    refs = (await world.mailbox.list_messages()).refs
    monkeypatch.setattr("integrations.sandbox.gmail.payload.encoded", lambda raw: "é")

    with pytest.raises(Rejected) as unreadable:
        await world.mailbox.fetch(refs)

    assert not unreadable.value.is_credential_fault


async def test_ten_mailboxes_are_read_at_once_and_nobody_gets_anothers_mail(sandbox: GmailSandbox) -> None:
    async with Google.open(client_of(sandbox), None, retry=quick_retry()) as google:
        worlds = [GmailWorld(sandbox, google, f"rep-{number}@ringside.example") for number in range(10)]
        for world in worlds:
            for number in range(30):
                await world.deliver(letter(f"{world.address} {number}"))

        async def read(world: GmailWorld) -> bool:
            found = await world.mailbox.fetch((await world.mailbox.list_messages()).refs)
            return len(found) == 30 and all(world.address.encode() in each.raw for each in found)

        assert all(await asyncio.gather(*(read(world) for world in worlds)))
