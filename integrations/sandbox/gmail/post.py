"""Sending: what Gmail makes of a message on its way out, the copy it keeps, and everybody it is handed to."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Final

from integrations.sandbox.gmail import refusals
from integrations.sandbox.gmail.clock import SandboxClock
from integrations.sandbox.gmail.mailbox import Mailbox, Stored
from integrations.sandbox.gmail.rfc822 import Head, header, read_head, with_headers

_MOST_RECIPIENTS: Final = 500


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that went out. `message_id` is the one it really has, `original_id` the one it came with.

    `delivered` is what the recipients see of it: no Bcc.
    """

    number: int
    mailbox: str
    stored: Stored
    message_id: str
    original_id: str
    at_ms: int
    delivered: bytes

    @property
    def head(self) -> Head:
        """What its headers say."""
        return self.stored.head


class PostOffice:
    """Sends for every mailbox. `find` knows the mailboxes, `receive` is told of mail to anybody else."""

    def __init__(
        self,
        clock: SandboxClock,
        find: Callable[[str], Mailbox | None],
        receive: Callable[[Sent, str], None],
        *,
        keeps_message_id: bool,
    ) -> None:
        self.keeps_message_id = keeps_message_id
        self.sent: list[Sent] = []
        self._clock = clock
        self._find = find
        self._receive = receive

    def send(self, mailbox: Mailbox, raw: bytes, thread_id: str, labels: frozenset[str] = frozenset()) -> Stored:
        """Send a message. Raises Refusal for one without a recipient, and for a thread that there is not.

        It joins the thread only if its subject is the thread's and it refers to one of its messages:
        https://developers.google.com/workspace/gmail/api/guides/threads
        """
        given = read_head(raw)
        if not given.recipients:
            raise refusals.invalid("Recipient address required")
        if len(given.recipients) > _MOST_RECIPIENTS:
            raise refusals.invalid("Too many recipients")
        if thread_id and not _joins(given, mailbox.thread(thread_id)):
            thread_id = ""
        raw = self._prepared(mailbox, raw, given)
        kept = mailbox.add(raw, {"SENT", *labels}, thread_id=thread_id)
        letter = Sent(
            number=len(self.sent) + 1,
            mailbox=mailbox.address,
            stored=kept,
            message_id=kept.head.message_id,
            original_id=given.message_id,
            at_ms=kept.internal_ms,
            delivered=with_headers(raw, drop=("Bcc",)),
        )
        self.sent.append(letter)
        for recipient in given.recipients:
            self._hand_over(letter, mailbox, recipient)
        return kept

    def _hand_over(self, letter: Sent, sender: Mailbox, recipient: str) -> None:
        receiver = self._find(recipient)
        if receiver is None:
            self._receive(letter, recipient)
        elif receiver is sender:
            sender.change_labels(letter.stored, ("INBOX", "UNREAD"), ())
        else:
            receiver.add(letter.delivered, {"INBOX", "UNREAD"})

    def _prepared(self, mailbox: Mailbox, raw: bytes, given: Head) -> bytes:
        add: list[tuple[str, str]] = []
        drop: list[str] = []
        if not self.keeps_message_id or not given.message_id:
            add.append(("Message-ID", f"<CA{secrets.token_urlsafe(30)}@mail.gmail.com>"))
            drop.append("Message-ID")
            if given.message_id:
                add.append(("X-Google-Original-Message-ID", given.message_id))
        if given.date_ms is None:
            add.append(("Date", format_datetime(self._clock.now())))
            drop.append("Date")
        if given.senders != (mailbox.address,):
            if header(raw, "From"):
                add.append(("X-Google-Original-From", header(raw, "From")))
            add.append(("From", mailbox.address))
            drop.append("From")
        return with_headers(raw, add, drop)


def _joins(head: Head, thread: list[Stored]) -> bool:
    known = {each for message in thread for each in (message.head.message_id, message.head.original_id)}
    topics = {message.head.topic for message in thread}
    return head.topic in topics and not known.isdisjoint(head.references)
