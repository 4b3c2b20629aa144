"""Mailboxes at their providers, with the provider's side to pull at: what the tests of the mail port run in.

A world is a provider with one mailbox of ours. Each kind of provider has one, and the same tests run in all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from typing import Protocol
from unittest.mock import patch
from uuid import uuid4

from integrations.gmail import Google
from integrations.guard import RetryPolicy
from integrations.mail import GoogleClient, Mailbox, MailboxKind, MessageRef
from integrations.sandbox.gmail import GmailSandbox
from tests.loop_clock import LIMIT_S
from tests.patience import PATIENCE_S

# Somebody whose mailbox is elsewhere, and who does not answer.
STRANGER = "silent@elsewhere.example"


class World(Protocol):
    """A provider. Every mailbox it opens is closed with it."""

    kind: MailboxKind
    address: str
    has_threads: bool

    @property
    def mailbox(self) -> Mailbox:
        """The mailbox, with a credential that is good."""
        ...

    async def deliver(self, raw: bytes) -> None:
        """Let a message arrive in the inbox, unread."""
        ...

    async def delete(self, ref: MessageRef) -> None:
        """Delete a message for good, as its owner does in another program."""
        ...

    async def forget_history(self) -> None:
        """Let the provider forget what happened until now."""
        ...

    async def refuse_credential(self) -> None:
        """Let the credential be good for nothing from now on."""
        ...

    async def handed_over(self) -> list[bytes]:
        """The messages that recipients elsewhere were given, oldest first."""
        ...


def letter(
    subject: str = "Hello",
    *,
    sender: str = STRANGER,
    to: str = "rep@ringside.example",
    text: str = "Good morning.",
    **headers: str,
) -> bytes:
    """A plain message. `headers` have underscores for hyphens."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Message-ID"] = headers.pop("Message_ID", f"<{uuid4()}@ringside.example>")
    message["Date"] = "Mon, 23 Nov 2026 09:00:00 +0000"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


def quick_retry(attempts: int = 3) -> RetryPolicy:
    """One that loses no time."""
    return RetryPolicy(attempts=attempts, first_wait_s=0.01, longest_wait_s=2.0)


class GmailWorld:
    """The Gmail sandbox, and the real client."""

    kind: MailboxKind = "gmail"
    has_threads = True

    def __init__(self, sandbox: GmailSandbox, google: Google, address: str) -> None:
        self.sandbox = sandbox
        self.google = google
        self.address = address
        self.refresh_token = sandbox.add_mailbox(address)

    @property
    def mailbox(self) -> Mailbox:
        return self.google.mailbox(self.address, self.refresh_token)

    async def deliver(self, raw: bytes) -> None:
        self.sandbox.deliver(self.address, raw)

    async def delete(self, ref: MessageRef) -> None:
        mailbox = self.sandbox.mailboxes[self.address]
        mailbox.remove(mailbox.get(ref.id))

    async def forget_history(self) -> None:
        self.sandbox.mailboxes[self.address].forget_history()

    async def refuse_credential(self) -> None:
        self.sandbox.revoke(self.address)

    async def handed_over(self) -> list[bytes]:
        return [sent.delivered for sent in self.sandbox.sent if sent.mailbox == self.address]


def client_of(sandbox: GmailSandbox) -> GoogleClient:
    """The OAuth client that this sandbox knows."""
    settings, push = sandbox.settings, sandbox.push_settings
    return GoogleClient(
        settings.client_id, settings.client_secret, sandbox.url, sandbox.url, push.topic, push.account, push.audience or push.url
    )


@asynccontextmanager
async def gmail_world(sandbox: GmailSandbox, *, timeout_s: float = PATIENCE_S, attempts: int = 3) -> AsyncIterator[GmailWorld]:
    """A mailbox of its own in a sandbox that may be shared."""
    # How long a message may wait for its thread, and what became of it for being looked at: a busy machine needs more.
    unhurried = patch.multiple("integrations.gmail.client", BEGINS_WITHIN_S=LIMIT_S, LOOKED_AT_WITHIN_S=LIMIT_S)
    with unhurried:
        async with Google.open(client_of(sandbox), None, timeout_s=timeout_s, retry=quick_retry(attempts)) as google:
            yield GmailWorld(sandbox, google, f"rep-{uuid4().hex[:12]}@ringside.example")
