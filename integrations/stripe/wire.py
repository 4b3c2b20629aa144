"""One request to Stripe through the SDK and the guard, with the SDK's exceptions turned into ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import uuid4

import stripe

from integrations.errors import ProviderError, RateLimited, Rejected, Transient
from integrations.guard import Guard
from integrations.waiting import seconds_of

T = TypeVar("T")


class Wire:
    """What all operations go through."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def read(self, operation: str, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask for something."""
        return await self._guard.call(operation, lambda: translated(ask), repeatable=True)

    async def write(self, operation: str, ask: Callable[[dict[str, Any]], Awaitable[T]], key: str = "") -> T:
        """Do something, once: `ask` is given the options with the idempotency key, the same one for every try.

        Stripe remembers a key, and the answer to it, for a day at least: https://docs.stripe.com/api/idempotent_requests
        """
        options = {"idempotency_key": key or f"ringside-{uuid4()}"}
        return await self._guard.call(operation, lambda: translated(lambda: ask(options)), repeatable=True)


async def translated(ask: Callable[[], Awaitable[T]]) -> T:
    """What `ask` returns. Raises Transient or Rejected for everything that the SDK raises."""
    try:
        return await ask()
    except stripe.StripeError as error:
        raise error_of(error) from error


def error_of(error: stripe.StripeError) -> ProviderError:
    """Our error for one of the SDK's."""
    status = error.http_status
    words = str(error.user_message or error)
    if isinstance(error, stripe.APIConnectionError) or status is None:
        return Transient(f"no answer: {words}", ambiguous=True)
    headers = {name.lower(): value for name, value in dict(error.headers or {}).items()}
    retry_after = seconds_of(headers.get("retry-after"))
    if status == 429:
        return RateLimited(words, retry_after)
    # 409: the same idempotency key is being worked on, or a lock is held.
    if status >= 500 or status == 409:
        return Transient(words, retry_after, ambiguous=True)
    said = error.json_body.get("error", {}) if isinstance(error.json_body, dict) else {}
    return Rejected(str(said.get("decline_code") or error.code or "refused"), words, status)
