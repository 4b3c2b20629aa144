"""Opens mailboxes at whichever provider they are."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis

from integrations.errors import Rejected
from integrations.gmail import Google
from integrations.imap import MailServers
from integrations.mail import GoogleClient, GoogleIdentity, Mailbox, Mailboxes, PushReader, ServerAccount


class MailboxOpener:
    """The `Mailboxes` port."""

    def __init__(self, google: Google | None, servers: MailServers) -> None:
        self._google = google
        self._servers = servers

    def gmail(self, address: str, refresh_token: str) -> Mailbox:
        """A Gmail mailbox. Raises Rejected where no OAuth client is set up."""
        if self._google is None:
            raise Rejected("not_set_up", "No Google OAuth client is set up here (GOOGLE_CLIENT_ID).", 400, provider="gmail")
        return self._google.mailbox(address, refresh_token)

    def server(self, account: ServerAccount) -> Mailbox:
        """A mailbox by IMAP and SMTP."""
        return self._servers.mailbox(account)


@dataclass(frozen=True, slots=True)
class MailParts:
    """What there is of mail. `google` and `pushes` are None where no OAuth client is set up."""

    mailboxes: Mailboxes
    google: GoogleIdentity | None = None
    pushes: PushReader | None = None


@asynccontextmanager
async def open_mail(
    google: GoogleClient | None, redis: Redis | None, *, private_hosts: bool = False, tls: ssl.SSLContext | None = None
) -> AsyncIterator[MailParts]:
    """Have mailboxes opened for as long as the context lasts, inside the running loop.

    `private_hosts`: mail servers may stand in private networks. `tls` is what their certificates are checked with.
    """
    servers = MailServers(redis, allow_private=private_hosts, tls=tls)
    if google is None:
        yield MailParts(MailboxOpener(None, servers))
        return
    async with Google.open(google, redis) as opened:
        yield MailParts(MailboxOpener(opened, servers), opened.identity, opened.pushes)
