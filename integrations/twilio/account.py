"""One Twilio account: the SDK's client, its connections, and the guard through which everything is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from twilio.base.exceptions import TwilioException
from twilio.rest import Client

from integrations.errors import Rejected, Transient
from integrations.guard import Guard
from integrations.twilio.http import HttpClient

T = TypeVar("T")

PROVIDER: Final = "twilio"
# The budget of everything that creates a call: placing one, and ringing a participant.
CALL_BUDGET: Final = "calls.create"


class Account:
    """Build it inside the running loop and close it there.

    `api_url` is another host that speaks Twilio's protocol; empty means Twilio itself.
    """

    def __init__(self, account_sid: str, auth_token: str, guard: Guard, *, api_url: str = "") -> None:
        self.sid = account_sid
        self.guard = guard
        self.http = HttpClient(api_url=api_url, timeout_s=guard.timeout_s)
        self.client = Client(account_sid, auth_token, http_client=self.http)
        self.auth = (account_sid, auth_token)
        # The SDK would import a quarter of a second's worth of modules at the first request: do it before there is one.
        _ = self.client.api.v2010

    async def close(self) -> None:
        """Close the connections."""
        await self.http.close()

    async def ask(
        self,
        operation: str,
        fn: Callable[[], Awaitable[Any]],
        read: Callable[[Any], T],
        *,
        repeatable: bool,
        budget: str | None = None,
    ) -> T:
        """Ask through the guard, and read the answer with `read`. An answer that can't be read is an ambiguous `Transient`."""

        async def once() -> T:
            try:
                return read(await fn())
            except (TwilioException, ValueError, KeyError, TypeError) as error:
                # It answered with success, so whatever was asked for may have been done.
                raise Transient(f"unreadable answer: {error!r}", ambiguous=True) from error

        return await self.guard.call(operation, once, repeatable=repeatable, budget=budget)

    async def ask_or_none(self, operation: str, fn: Callable[[], Awaitable[Any]], read: Callable[[Any], T]) -> T | None:
        """Ask for something by its id, or do something to it that it is fine not to find: None when it is gone."""
        try:
            return await self.ask(operation, fn, read, repeatable=True)
        except Rejected as error:
            if is_gone(error):
                return None
            raise


class Resource:
    """A part of the API."""

    def __init__(self, account: Account) -> None:
        self._account = account


# https://www.twilio.com/docs/api/errors
NOT_FOUND: Final = "20404"
NOT_IN_PROGRESS: Final = "21220"


def is_gone(error: Rejected) -> bool:
    """Does Twilio say that there is no such thing?"""
    return error.code == NOT_FOUND or error.status == 404


def nothing(_: Any) -> None:
    """Read nothing from an answer."""
