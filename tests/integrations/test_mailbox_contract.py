"""What every provider's mailbox does alike."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from integrations.errors import Rejected
from integrations.mail import HistoryGone, Mailbox, MessageRef, RawMessage
from integrations.sandbox.gmail import GmailSandbox
from tests.integrations.mail_servers import Dovecot, imap_world, running_dovecot
from tests.integrations.mail_worlds import STRANGER, World, gmail_world, letter

WORLDS = ("gmail", "imap")


class StartedOnce:
    """A mail server that is started when it is first wanted."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._dovecot: Dovecot | None = None

    def get(self) -> Dovecot:
        """The server. Skips the test where none is installed."""
        if self._dovecot is None:
            self._dovecot = self._stack.enter_context(running_dovecot())
        return self._dovecot


@pytest.fixture(scope="module")
def servers() -> Iterator[StartedOnce]:
    """One for all tests here."""
    with ExitStack() as stack:
        yield StartedOnce(stack)


@pytest.fixture(params=WORLDS)
async def world(request: pytest.FixtureRequest, servers: StartedOnce) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        if request.param == "imap":
            yield await stack.enter_async_context(imap_world(servers.get()))
            return
        sandbox = await stack.enter_async_context(GmailSandbox())
        yield await stack.enter_async_context(gmail_world(sandbox))


@pytest.fixture
async def mailbox(world: World) -> AsyncIterator[Mailbox]:
    mailbox = world.mailbox
    yield mailbox
    await mailbox.close()


async def fetched(mailbox: Mailbox) -> list[RawMessage]:
    """Everything that is listed, newest first."""
    page = await mailbox.list_messages()
    found = {each.ref.id: each for each in await mailbox.fetch(page.refs)}
    return [found[ref.id] for ref in page.refs]


def subjects(messages: list[RawMessage]) -> list[str]:
    return [line[9:].decode() for each in messages for line in each.raw.splitlines() if line.startswith(b"Subject: ")]


async def test_a_mailbox_says_whose_it_is_and_where_its_history_stands(world: World, mailbox: Mailbox) -> None:
    profile = await mailbox.profile()

    assert profile.address == world.address
    assert profile.cursor and mailbox.kind == world.kind


async def test_messages_are_listed_newest_first_and_fetched_as_they_came(world: World, mailbox: Mailbox) -> None:
    first, second = letter("First"), letter("Second")
    await world.deliver(first)
    await world.deliver(second)

    found = await fetched(mailbox)

    assert subjects(found) == ["Second", "First"]
    assert found[1].raw.replace(b"\r\n", b"\n").strip() == first.replace(b"\r\n", b"\n").strip()
    assert {"inbox", "unread"} <= found[0].labels
    assert abs(datetime.now(UTC) - found[0].received_at) < timedelta(minutes=1)
    assert found[0].size == len(found[0].raw)


async def test_lists_come_in_pages_without_a_gap(world: World, mailbox: Mailbox) -> None:
    for number in range(7):
        await world.deliver(letter(f"Number {number}"))

    seen: list[MessageRef] = []
    page: str | None = None
    while True:
        answer = await mailbox.list_messages(page=page, limit=3)
        seen += answer.refs
        page = answer.next_page
        if page is None:
            break

    assert len(seen) == len({ref.id for ref in seen}) == 7


async def test_messages_from_before_are_not_listed(world: World, mailbox: Mailbox) -> None:
    await world.deliver(letter())

    assert (await mailbox.list_messages(since=datetime.now(UTC) + timedelta(days=2))).refs == ()
    assert len((await mailbox.list_messages(since=datetime.now(UTC) - timedelta(days=2))).refs) == 1


async def test_messages_that_are_gone_are_left_out(world: World, mailbox: Mailbox) -> None:
    await world.deliver(letter("Stays"))
    await world.deliver(letter("Goes"))
    refs = (await mailbox.list_messages()).refs
    await world.delete(refs[0])

    assert subjects(await mailbox.fetch(refs)) == ["Stays"]


async def test_what_came_since_is_told_once(world: World, mailbox: Mailbox) -> None:
    await world.deliver(letter("Before"))
    cursor = (await mailbox.profile()).cursor
    await world.deliver(letter("After"))

    changes = await mailbox.changes(cursor)

    assert subjects(await mailbox.fetch(changes.added)) == ["After"]
    again = await mailbox.changes(changes.cursor)
    assert (again.added, again.deleted, again.labels, again.more) == ((), (), (), False)


async def test_what_was_deleted_since_is_told(world: World, mailbox: Mailbox) -> None:
    await world.deliver(letter("Goes"))
    [ref] = (await mailbox.list_messages()).refs
    cursor = (await mailbox.profile()).cursor
    await world.delete(ref)

    changes = await mailbox.changes(cursor)

    assert [each.id for each in changes.deleted] == [ref.id]
    assert changes.added == ()


async def test_reading_a_message_changes_its_labels_and_is_told(world: World, mailbox: Mailbox) -> None:
    await world.deliver(letter())
    [ref] = (await mailbox.list_messages()).refs
    cursor = (await mailbox.profile()).cursor

    await mailbox.change_labels(ref, remove=["unread"])

    [message] = await mailbox.fetch([ref])
    assert "unread" not in message.labels
    changes = await mailbox.changes(cursor)
    assert [(each.ref.id, each.removed) for each in changes.labels] == [(ref.id, frozenset({"unread"}))]
    await mailbox.change_labels(ref, add=["unread", "starred"])
    [message] = await mailbox.fetch([ref])
    assert {"unread", "starred"} <= message.labels


async def test_labels_of_a_message_that_is_gone_are_let_be(world: World, mailbox: Mailbox) -> None:
    await world.deliver(letter())
    [ref] = (await mailbox.list_messages()).refs
    await world.delete(ref)

    await mailbox.change_labels(ref, remove=["unread"])


async def test_a_history_that_is_gone_says_so(world: World, mailbox: Mailbox) -> None:
    await world.deliver(letter())
    cursor = (await mailbox.profile()).cursor
    await world.forget_history()

    with pytest.raises(HistoryGone):
        await mailbox.changes(cursor)


async def test_a_message_goes_out_and_is_found_again_by_our_message_id(world: World, mailbox: Mailbox) -> None:
    ours = "<step-1@ringside.example>"
    before = datetime.now(UTC) - timedelta(seconds=5)
    raw = letter("Our offer", sender=world.address, to=STRANGER, Message_ID=ours)

    sent = await mailbox.send(raw)

    [received] = await world.handed_over()
    assert b"Subject: Our offer" in received
    found = await mailbox.find_sent(ours, to=STRANGER, since=before)
    assert found is not None and (found.ref.id, found.message_id) == (sent.ref.id, sent.message_id)


async def test_a_message_that_was_never_sent_is_not_found(world: World, mailbox: Mailbox) -> None:
    await mailbox.send(letter("Another", sender=world.address, to=STRANGER))

    missing = await mailbox.find_sent("<never@ringside.example>", to=STRANGER, since=datetime.now(UTC) - timedelta(minutes=1))

    assert missing is None


async def test_what_was_sent_is_in_the_history_and_in_the_list_as_sent(world: World, mailbox: Mailbox) -> None:
    cursor = (await mailbox.profile()).cursor
    await mailbox.send(letter("Our offer", sender=world.address, to=STRANGER))

    [told] = await mailbox.fetch((await mailbox.changes(cursor)).added)
    [listed] = await fetched(mailbox)

    assert told.ref.id == listed.ref.id
    assert "sent" in told.labels and "unread" not in told.labels


async def test_a_draft_is_kept_replaced_and_removed_and_is_no_mail(world: World, mailbox: Mailbox) -> None:
    first = await mailbox.save_draft(letter("A draft", sender=world.address, to=STRANGER))
    second = await mailbox.save_draft(letter("A better draft", sender=world.address, to=STRANGER), draft_id=first)

    assert (await mailbox.list_messages()).refs == ()
    await mailbox.delete_draft(second)
    await mailbox.delete_draft(second)
    assert await world.handed_over() == []


async def test_a_credential_that_is_refused_is_the_credentials_fault(world: World, mailbox: Mailbox) -> None:
    await mailbox.profile()
    await world.refuse_credential()

    with pytest.raises(Rejected) as refused:
        fresh = world.mailbox
        await fresh.profile()

    assert refused.value.is_credential_fault
