"""What only mail servers do: folders, certificates, refused recipients, connections that end."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.errors import Rejected, Transient
from integrations.guard import RetryPolicy
from integrations.imap import ImapMailbox, MailServers
from integrations.imap.folders import decode_name, read_folders
from integrations.imap.state import pack, unpack
from integrations.mail import HistoryGone, MessageRef
from integrations.mime import Address, Draft, compose_message, read_message
from tests.harness import until
from tests.integrations.mail_servers import Dovecot, ImapWorld, imap_world, running_dovecot, running_smtp
from tests.integrations.mail_worlds import STRANGER, letter
from tests.loop_clock import LIMIT_S, let_pass
from tests.patience import PATIENCE_S

ONCE = RetryPolicy(attempts=1)


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with running_dovecot() as running:
        yield running


@pytest.fixture
async def world(dovecot: Dovecot) -> AsyncIterator[ImapWorld]:
    async with imap_world(dovecot) as made:
        yield made


@pytest.fixture
async def mailbox(world: ImapWorld) -> AsyncIterator[ImapMailbox]:
    mailbox = world.mailbox
    yield mailbox
    await mailbox.close()


def offer(world: ImapWorld, *to: str, bcc: str = "") -> bytes:
    return compose_message(
        Draft(
            "<step-1@ringside.example>",
            Address("Rep", world.address),
            tuple(Address("", each) for each in to),
            "Our offer",
            datetime(2026, 11, 23, 9, tzinfo=UTC),
            text="Dear you",
            bcc=(Address("", bcc),) if bcc else (),
        )
    )


async def test_a_long_answer_and_a_large_message_are_read_whole(world: ImapWorld, mailbox: ImapMailbox) -> None:
    large = letter("Large", text="x" * 70 + "\n").replace(b"x" * 70, b"\n".join([b"x" * 70] * 60_000))
    world.dovecot.deliver(world.address, large)
    for number in range(1500):
        world.dovecot.deliver(world.address, b"Subject: %d\r\n\r\nx" % number)

    page = await mailbox.list_messages(since=datetime.now(UTC) - timedelta(days=1), limit=2000)
    found = await mailbox.fetch(page.refs)

    assert len(page.refs) == len(found) == 1501 and page.estimated_total == 1501 and page.next_page is None
    sizes = sorted(each.size for each in found)
    assert sizes[-1] > 4_000_000 and sizes[0] > 10
    assert all(each.raw.startswith((b"Subject: ", b"From: ")) for each in found)


async def test_messages_are_listed_from_the_very_moment_on(world: ImapWorld, mailbox: ImapMailbox) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    for hours in (1, 3, 30, 80):
        world.dovecot.deliver(world.address, letter(f"{hours} h"), received_at=now - timedelta(hours=hours))

    for hours, expected in ((2, 1), (4, 2), (40, 3), (100, 4)):
        assert len((await mailbox.list_messages(since=now - timedelta(hours=hours))).refs) == expected


async def test_other_folders_are_labels_and_drafts_spam_and_trash_are_no_mail(world: ImapWorld, mailbox: ImapMailbox) -> None:
    for folder in ("Kunden.&ANY-ffentlich", "Junk", "Trash", "Drafts"):
        world.dovecot.deliver(world.address, letter(folder), folder=folder)

    [label] = [each for each in await mailbox.labels() if "ffentlich" in each.name]
    [message] = await mailbox.fetch((await mailbox.list_messages()).refs)

    assert label.name == "Kunden/Öffentlich"
    assert message.labels == {label.id, "unread"}


async def test_a_message_moves_into_a_folder_and_is_told_as_gone_and_new(world: ImapWorld, mailbox: ImapMailbox) -> None:
    world.dovecot.deliver(world.address, letter(), folder="Kunden")
    await world.deliver(letter("Moves"))
    cursor = (await mailbox.profile()).cursor
    [ref] = [each for each in (await mailbox.list_messages()).refs if each.id.endswith(".INBOX")]

    await mailbox.change_labels(ref, add=["Kunden"], remove=["inbox"])

    changes = await mailbox.changes(cursor)
    assert [each.id for each in changes.deleted] == [ref.id]
    [moved] = await mailbox.fetch(changes.added)
    assert b"Subject: Moves" in moved.raw and moved.labels == {"Kunden", "unread"}


async def test_what_is_too_much_at_once_is_told_in_several_goes(world: ImapWorld, mailbox: ImapMailbox) -> None:
    cursor = (await mailbox.profile()).cursor
    for number in range(1200):
        world.dovecot.deliver(world.address, b"Subject: %d\r\n\r\nx" % number)

    first = await mailbox.changes(cursor)
    second = await mailbox.changes(first.cursor)
    third = await mailbox.changes(second.cursor)

    assert (len(first.added), first.more, len(second.added), second.more) == (1000, True, 200, False)
    assert len({each.id for each in (*first.added, *second.added)}) == 1200
    assert third.added == ()


async def test_marks_set_elsewhere_are_told(world: ImapWorld, mailbox: ImapMailbox) -> None:
    await world.deliver(letter("One"))
    await world.deliver(letter("Two"))
    cursor = (await mailbox.profile()).cursor
    newer, older = (await mailbox.list_messages()).refs
    other = world.mailbox
    await other.change_labels(newer, add=["starred"])
    await other.change_labels(older, remove=["unread"])
    await other.close()

    changes = await mailbox.changes(cursor)

    assert {each.ref.id: (each.added, each.removed) for each in changes.labels} == {
        newer.id: ({"starred"}, frozenset()),
        older.id: (frozenset(), {"unread"}),
    }


async def test_a_cursor_that_is_none_is_a_history_that_is_gone(mailbox: ImapMailbox) -> None:
    for cursor in ("", "17", "{}", '{"v":1,"folders":{"INBOX":["x"]}}', '{"v":2,"folders":{}}'):
        with pytest.raises(HistoryGone):
            await mailbox.changes(cursor)


async def test_a_reference_of_another_provider_is_refused_or_left_out(mailbox: ImapMailbox) -> None:
    assert await mailbox.fetch([MessageRef("18f2a"), MessageRef("1.1.No such folder"), MessageRef("1.1.INBOX")]) == []
    with pytest.raises(Rejected):
        await mailbox.change_labels(MessageRef("18f2a"), add=["starred"])


async def test_a_blind_copy_reaches_its_reader_and_is_told_to_nobody(world: ImapWorld, mailbox: ImapMailbox) -> None:
    sent = await mailbox.send(offer(world, STRANGER, bcc="secret@elsewhere.example"))

    [(sender, recipients, raw)] = world.outgoing.handed_over
    assert sender == world.address and recipients == [STRANGER, "secret@elsewhere.example"]
    assert b"secret@" not in raw
    [copy] = await mailbox.fetch([sent.ref])
    assert read_message(copy.raw).bcc == (Address("", "secret@elsewhere.example"),)
    assert sent.message_id == "<step-1@ringside.example>"


async def test_a_copy_that_the_server_keeps_itself_is_not_doubled(world: ImapWorld, mailbox: ImapMailbox) -> None:
    raw = offer(world, STRANGER)
    await mailbox.profile()
    world.dovecot.deliver(world.address, raw, folder="Sent")

    await mailbox.send(raw)

    assert len([each for each in (await mailbox.list_messages()).refs if each.id.endswith(".Sent")]) == 1


async def test_one_refused_recipient_keeps_the_message_from_all(world: ImapWorld, mailbox: ImapMailbox) -> None:
    world.outgoing.faults["RCPT"] = "550 5.1.1 no such user"

    with pytest.raises(Rejected, match=r"bad@elsewhere\.example.*no such user"):
        await mailbox.send(offer(world, "first@elsewhere.example", "bad@elsewhere.example"))

    assert world.outgoing.handed_over == []


@pytest.mark.parametrize(("reply", "error"), [("452 4.3.1 try later", Transient), ("554 5.7.1 spam", Rejected)])
async def test_a_refused_message_is_certainly_not_sent(
    world: ImapWorld, mailbox: ImapMailbox, reply: str, error: type[Exception]
) -> None:
    world.outgoing.faults["DATA"] = reply

    with pytest.raises(error) as refused:
        await mailbox.send(offer(world, STRANGER))

    assert not getattr(refused.value, "ambiguous", False) and world.outgoing.handed_over == []


async def test_a_lost_answer_leaves_it_open_whether_the_message_went(world: ImapWorld, mailbox: ImapMailbox) -> None:
    world.outgoing.faults["DATA"] = "vanish"

    with pytest.raises(Transient) as lost:
        await mailbox.send(offer(world, STRANGER))

    assert lost.value.ambiguous and len(world.outgoing.handed_over) == 1
    assert await mailbox.find_sent("<step-1@ringside.example>", to=STRANGER, since=datetime.now(UTC)) is None


async def test_a_failing_copy_does_not_make_a_sent_message_unsent(world: ImapWorld) -> None:
    unreachable = world.servers.mailbox(replace(world.account, imap_port=world.outgoing.port))

    sent = await unreachable.send(offer(world, STRANGER))

    assert sent.ref.id == "" and len(world.outgoing.handed_over) == 1


async def test_a_password_that_only_smtp_refuses_is_the_credentials_fault_too(world: ImapWorld) -> None:
    wrong = world.servers.mailbox(replace(world.account, password="wrong"))

    with pytest.raises(Rejected) as refused:
        await wrong.check_sending()
    await world.mailbox.check_sending()

    assert refused.value.is_credential_fault and "wrong" not in str(refused.value)


async def test_a_name_or_password_with_a_line_break_reaches_no_server(world: ImapWorld) -> None:
    for changed in ({"username": "a\r\nA1 LOGOUT"}, {"password": "a\r\nA1 LOGOUT"}):
        with pytest.raises(Rejected):
            await world.servers.mailbox(replace(world.account, **changed)).profile()  # type: ignore[arg-type]


async def test_a_connection_that_ended_is_made_again(world: ImapWorld, mailbox: ImapMailbox) -> None:
    await mailbox.profile()
    assert mailbox._session is not None
    mailbox._session.connection.protocol.transport.abort()

    assert (await mailbox.profile()).address == world.address


async def test_encrypted_connections_are_made_both_ways(world: ImapWorld) -> None:
    trusting = MailServers(None, allow_private=True, tls=world.dovecot.tls(), timeout_s=PATIENCE_S)
    offered = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    offered.load_cert_chain(world.dovecot.folder / "cert.pem", world.dovecot.folder / "key.pem")
    async with running_smtp(world.dovecot, offered) as outgoing:
        for security, port in (("tls", world.dovecot.tls_port), ("starttls", world.dovecot.port)):
            account = replace(
                world.account,
                imap_security=security,  # type: ignore[arg-type]
                imap_port=port,
                imap_host="localhost",
                smtp_security="starttls",
                smtp_port=outgoing.port,
            )
            mailbox = trusting.mailbox(account)
            await mailbox.send(offer(world, STRANGER))
            assert len((await mailbox.list_messages()).refs) == 1
            await mailbox.close()
    assert len(outgoing.handed_over) == 2


async def test_a_certificate_that_nobody_vouches_for_is_refused(world: ImapWorld) -> None:
    doubting = MailServers(None, allow_private=True, timeout_s=PATIENCE_S)
    for security, port in (("tls", world.dovecot.tls_port), ("starttls", world.dovecot.port)):
        account = replace(world.account, imap_security=security, imap_port=port)  # type: ignore[arg-type]
        with pytest.raises(Rejected, match="certificate"):
            await doubting.mailbox(account).profile()


async def test_private_servers_and_open_connections_are_refused_where_not_allowed(world: ImapWorld) -> None:
    guarded = MailServers(None, tls=world.dovecot.tls(), timeout_s=PATIENCE_S)
    private = guarded.mailbox(replace(world.account, imap_security="tls", smtp_security="tls"))
    for ask in (private.profile, private.check_sending):
        with pytest.raises(Rejected, match="not on the public internet"):
            await ask()
    with pytest.raises(Rejected, match="TLS"):
        await guarded.mailbox(world.account).profile()
    assert world.outgoing.handed_over == []


@asynccontextmanager
async def odd_server(answers: Any) -> AsyncIterator[int]:
    """A server that does as `answers(reader, writer)` does."""
    listening = await asyncio.start_server(answers, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("greeting", "is_endless"),
    [
        (b"", True),
        (b"HTTP/1.1 200 OK\r\n\r\n", False),
        (b"* BYE go away\r\n", False),
        (b"* OK x\r\n* CAPABILITY\r\n\r\nX NO\r\n", False),
        (b"* OK hi\r\n* 1 FETCH (BODY[] {99999999999}\r\nx", False),
        (b"\0" * 5000, True),
    ],
)
async def test_a_server_that_talks_nonsense_is_a_passing_failure(greeting: bytes, is_endless: bool, dovecot: Dovecot) -> None:
    greeted = asyncio.Event()

    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        greeted.set()
        await reader.read()
        writer.close()

    async def given_up() -> bool:
        # What may still become a greeting is waited for, as long as the limit lasts; nonsense is not.
        if is_endless and greeted.is_set():
            let_pass(LIMIT_S)
        return asked.done()

    async with odd_server(answers) as port, running_smtp(dovecot) as outgoing:
        servers = MailServers(None, allow_private=True, timeout_s=LIMIT_S, retry=ONCE)
        account = replace(ImapWorld(dovecot, outgoing).account, imap_port=port)
        asked = asyncio.create_task(servers.mailbox(account).profile())
        await until(given_up)
        with pytest.raises(Transient) as failed:
            await asked

    assert "sesame" not in str(failed.value)


def test_folders_are_known_by_their_flags_and_else_by_their_names() -> None:
    flagged = read_folders(
        [
            rb'(\HasNoChildren \Sent) "/" "Sent Mail"',
            rb'(\HasNoChildren) "/" INBOX',
            rb'(\HasNoChildren) "/" "Sent"',
            rb'(\All \HasNoChildren) "/" "[X]/All"',
            rb'(\Noselect) "/" "[X]"',
            rb"(\HasNoChildren) NIL {7}",
            bytearray(b'A "b" c'),
            b"List completed.",
        ]
    )
    named = read_folders(
        [rb'(\HasNoChildren) "." "INBOX"', rb'() "." "INBOX.Gesendet"', rb'() "." "INBOX.Entw&APw-rfe"', rb'() "." Spam']
    )

    assert [(each.name, each.role) for each in flagged] == [
        ("INBOX", "inbox"),
        ("Sent Mail", "sent"),
        ("Sent", ""),
        ("[X]/All", "all"),
        ('A "b" c', ""),
    ]
    assert {each.title: each.role for each in named} == {
        "INBOX": "inbox",
        "INBOX.Gesendet": "sent",
        "INBOX.Entwürfe": "drafts",
        "Spam": "spam",
    }


def test_names_of_folders_are_decoded() -> None:
    assert decode_name("Entw&APw-rfe &- &ZeVnLIqe-") == "Entwürfe & 日本語"
    assert decode_name("&Broken") == "&Broken"


@given(st.sets(st.integers(min_value=1, max_value=2**32 - 1)))
def test_sets_of_uids_are_packed_and_unpacked(uids: set[int]) -> None:
    assert unpack(pack(uids)) == uids
