"""Opens mailboxes at servers that people have typed in."""

from __future__ import annotations

import ssl
from functools import cached_property
from typing import Final

from redis.asyncio import Redis

from integrations.guard import Guard, RetryPolicy
from integrations.imap.client import ImapMailbox
from integrations.imap.session import PROVIDER
from integrations.mail import ServerAccount

# The index of a large folder may take a server that long.
_TIMEOUT_S: Final = 60.0


class MailServers:
    """Makes mailboxes by IMAP and SMTP. `allow_private` lets them be on private addresses, and without encryption."""

    def __init__(
        self,
        redis: Redis | None,
        *,
        allow_private: bool = False,
        tls: ssl.SSLContext | None = None,
        timeout_s: float = 30.0,
        retry: RetryPolicy | None = None,
    ) -> None:
        self._redis = redis
        self._allow_private = allow_private
        self._tls = tls
        self._timeout_s = timeout_s
        self._retry = retry

    def mailbox(self, account: ServerAccount) -> ImapMailbox:
        """A mailbox. Nothing is dialled yet."""
        guard = Guard(
            PROVIDER,
            f"{account.imap_host}\0{account.username}\0{account.password}",
            self._redis,
            timeout_s=max(_TIMEOUT_S, 2 * self._timeout_s),
            retry=self._retry,
        )
        tls = self._tls or self._usual_tls
        return ImapMailbox(account, guard, tls, allow_private=self._allow_private, timeout_s=self._timeout_s)

    @cached_property
    def _usual_tls(self) -> ssl.SSLContext:
        # To read this machine's certificates takes tens of milliseconds: once, and only where there is a mailbox.
        return ssl.create_default_context()
