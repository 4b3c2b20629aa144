"""What one process has of Google: the threads, the access tokens and the quotas of the mailboxes that it opens."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import ClientSession, ClientTimeout, TCPConnector
from redis.asyncio import Redis

from integrations.gmail.account import PROVIDER, QUOTA, QUOTA_BUDGET, Account
from integrations.gmail.api import gmail_api
from integrations.gmail.client import GmailMailbox
from integrations.gmail.oauth import AccessTokens, GoogleOAuth
from integrations.gmail.push import GooglePushes
from integrations.gmail.wire import Wires
from integrations.guard import Guard, RetryPolicy
from integrations.mail import GoogleClient

# A batch of large messages takes its time.
TIMEOUT_S: Final = 30.0
OAUTH_TIMEOUT_S: Final = 10.0
# Guards hold the quota where Redis is not there, so they are kept from one job to the next.
KEPT_GUARDS: Final = 5_000
RETRY: Final = RetryPolicy(attempts=4, first_wait_s=0.5, longest_wait_s=8.0)

MakeGuard = Callable[[str, str], Guard]


class Google:
    """Build it with `open`. `identity` and `pushes` are the ports of those names."""

    def __init__(
        self, client: GoogleClient, wires: Wires, session: ClientSession, mailbox_guard: MakeGuard, guard: Guard
    ) -> None:
        self.identity = GoogleOAuth(client, session, guard)
        self.pushes = GooglePushes(client, session, guard)
        self._client = client
        self._wires = wires
        self._tokens = AccessTokens(self.identity)
        self._mailbox_guard = mailbox_guard
        self._guards: OrderedDict[str, Guard] = OrderedDict()

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        client: GoogleClient,
        redis: Redis | None,
        *,
        timeout_s: float = TIMEOUT_S,
        retry: RetryPolicy = RETRY,
    ) -> AsyncIterator[Google]:
        """Have it for as long as the context lasts, inside the running loop. `timeout_s` bounds each attempt at a mailbox."""

        def mailbox_guard(provider: str, credential: str) -> Guard:
            return Guard(provider, credential, redis, timeout_s=timeout_s, retry=retry, budgets={QUOTA: QUOTA_BUDGET})

        oauth_timeout_s = min(OAUTH_TIMEOUT_S, timeout_s)
        guard = Guard("google", client.client_id, redis, timeout_s=oauth_timeout_s, retry=retry)
        wires = Wires(timeout_s=timeout_s)
        try:
            async with ClientSession(connector=TCPConnector(limit=20), timeout=ClientTimeout(total=oauth_timeout_s)) as session:
                yield cls(client, wires, session, mailbox_guard, guard)
        finally:
            wires.close()

    def mailbox(self, address: str, refresh_token: str) -> GmailMailbox:
        """The mailbox of this address. The credential is checked when it is first used."""
        api = functools.partial(gmail_api, self._client.api_url)
        account = Account(api, self._wires, self._tokens, self._guard(address.lower()), refresh_token)
        return GmailMailbox(account, self._client.topic)

    def _guard(self, address: str) -> Guard:
        # The quota is the user's, whoever has connected the mailbox: so it goes by the address, not by the grant.
        guard = self._guards.get(address)
        if guard is None:
            guard = self._guards[address] = self._mailbox_guard(PROVIDER, address)
            if len(self._guards) > KEPT_GUARDS:
                self._guards.popitem(last=False)
        self._guards.move_to_end(address)
        return guard
