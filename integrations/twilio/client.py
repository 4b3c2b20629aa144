"""Phone calls through the real `twilio` SDK."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from redis.asyncio import Redis
from twilio.base.exceptions import TwilioException
from twilio.rest import Client

from integrations.budget import Budget
from integrations.errors import Rejected, Transient
from integrations.guard import Guard
from integrations.metrics import ProviderMetrics
from integrations.ports import PlaceCall, ProviderCall
from integrations.twilio.http import HttpClient
from integrations.twilio.mapping import provider_call, twiml_of

T = TypeVar("T")

PROVIDER: Final = "twilio"
CALLBACK_EVENTS: Final = ("initiated", "ringing", "answered", "completed")

# https://www.twilio.com/docs/api/errors
_NOT_FOUND: Final = "20404"
_NOT_IN_PROGRESS: Final = "21220"
# An account's default: one call creation a second.
_CALLS_PER_S: Final = 1.0
# As many calls between two numbers as anyone will look through.
_LOOKBACK_LIMIT: Final = 1000


class TwilioTelephony:
    """The `Telephony` port on Twilio. Build it inside the running loop and close it there.

    `api_url` is another host that speaks Twilio's protocol; empty means Twilio itself.
    """

    def __init__(self, account_sid: str, auth_token: str, guard: Guard, *, api_url: str = "") -> None:
        self._guard = guard
        self._http = HttpClient(api_url=api_url, timeout_s=guard.timeout_s)
        self._calls = Client(account_sid, auth_token, http_client=self._http).calls

    @classmethod
    def open(
        cls,
        account_sid: str,
        auth_token: str,
        redis: Redis | None,
        *,
        api_url: str = "",
        timeout_s: float = 10.0,
        calls_per_s: float = _CALLS_PER_S,
        metrics: ProviderMetrics | None = None,
    ) -> Self:
        """Build it with the usual guard. `calls_per_s` is what the account may create a second."""
        guard = Guard(
            PROVIDER,
            f"{account_sid}:{auth_token}",
            redis,
            timeout_s=timeout_s,
            metrics=metrics,
            budgets={"calls.create": Budget(calls_per_s)},
        )
        return cls(account_sid, auth_token, guard, api_url=api_url)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def place_call(self, call: PlaceCall) -> ProviderCall:
        """Place a call, once. Twilio has no idempotency key: after an ambiguous error use `find_calls`."""
        options = {"machine_detection": "Enable"} if call.machine_detection != "off" else {}
        return await self._ask(
            "calls.create",
            lambda: self._calls.create_async(
                to=call.to,
                from_=call.from_,
                twiml=twiml_of(call),
                timeout=call.timeout_s,
                status_callback=call.status_callback_url,
                status_callback_event=list(CALLBACK_EVENTS),
                status_callback_method="POST",
                **options,
            ),
            provider_call,
            repeatable=False,
        )

    async def hang_up(self, sid: str) -> ProviderCall:
        """End a call. `completed` ends it in any state; where it has ended already, its last state is the answer."""
        try:
            return await self._ask(
                "calls.hang_up",
                lambda: self._calls(sid).update_async(status="completed"),
                provider_call,
                repeatable=True,
            )
        except Rejected as error:
            ended = await self.fetch_call(sid) if error.code == _NOT_IN_PROGRESS else None
            if ended is None:
                raise
            return ended

    async def fetch_call(self, sid: str) -> ProviderCall | None:
        """Return the call, or None when Twilio does not know it."""
        try:
            return await self._ask("calls.fetch", lambda: self._calls(sid).fetch_async(), provider_call, repeatable=True)
        except Rejected as error:
            if error.code == _NOT_FOUND or error.status == 404:
                return None
            raise

    async def find_calls(self, to: str, from_: str, started_after: datetime) -> list[ProviderCall]:
        """Return the calls between two numbers created at or after `started_after`, newest first.

        Twilio filters by the start time, by the day, and a call that still waits has none. So this asks for the
        waiting ones first and then for the started ones: a call that starts in between is in the second answer.
        Twilio's times are whole seconds, so a call of the very same second counts.
        """
        since = started_after.replace(microsecond=0)
        found = [
            *await self._list(to=to, from_=from_, status="queued"),
            *await self._list(to=to, from_=from_, start_time_after=(since - timedelta(days=1)).date()),
        ]
        calls = {call.sid: call for call in found if call.created_at and call.created_at >= since}
        return sorted(calls.values(), key=lambda call: (call.created_at or since, call.sid), reverse=True)

    async def _list(self, **filters: Any) -> list[ProviderCall]:
        return await self._ask(
            "calls.list",
            lambda: self._calls.list_async(limit=_LOOKBACK_LIMIT, **filters),
            lambda instances: [provider_call(instance) for instance in instances],
            repeatable=True,
        )

    async def _ask(
        self,
        operation: str,
        fn: Callable[[], Awaitable[Any]],
        read: Callable[[Any], T],
        *,
        repeatable: bool,
    ) -> T:
        async def once() -> T:
            try:
                return read(await fn())
            except (TwilioException, ValueError, KeyError, TypeError) as error:
                # It answered with success, so whatever was asked for may have been done.
                raise Transient(f"unreadable answer: {error!r}", ambiguous=True) from error

        return await self._guard.call(operation, once, repeatable=repeatable)
