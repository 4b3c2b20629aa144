"""The ports on the real `twilio` SDK."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from redis.asyncio import Redis

from integrations.budget import Budget
from integrations.guard import Guard
from integrations.metrics import ProviderMetrics
from integrations.twilio.account import CALL_BUDGET, PROVIDER, Account
from integrations.twilio.calls import Calls
from integrations.twilio.conferences import Conferences
from integrations.twilio.messages import TwilioMessaging
from integrations.twilio.numbers import TwilioNumbers
from integrations.twilio.recordings import Recordings


class TwilioTelephony(Calls, Conferences, Recordings):
    """The `Telephony` port on Twilio, with the other ports on the same account.

    Build it inside the running loop and close it there.
    `api_url` is another host that speaks Twilio's protocol; empty means Twilio itself.
    """

    def __init__(self, account_sid: str, auth_token: str, guard: Guard, *, api_url: str = "") -> None:
        super().__init__(Account(account_sid, auth_token, guard, api_url=api_url))

    @classmethod
    def open(
        cls,
        account_sid: str,
        auth_token: str,
        redis: Redis | None,
        *,
        api_url: str = "",
        timeout_s: float = 10.0,
        calls_per_s: float = 1.0,
        metrics: ProviderMetrics | None = None,
    ) -> Self:
        """Build it with the usual guard. `calls_per_s` is what the account may create a second, in all processes together."""
        guard = Guard(
            PROVIDER,
            f"{account_sid}:{auth_token}",
            redis,
            timeout_s=timeout_s,
            metrics=metrics,
            budgets={CALL_BUDGET: Budget(calls_per_s)},
        )
        return cls(account_sid, auth_token, guard, api_url=api_url)

    async def close(self) -> None:
        """Close the connections, also those of `numbers` and `messaging`."""
        await self._account.close()

    @property
    def numbers(self) -> TwilioNumbers:
        """The account's numbers."""
        return TwilioNumbers(self._account)

    @property
    def messaging(self) -> TwilioMessaging:
        """The account's text messages."""
        return TwilioMessaging(self._account)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()
