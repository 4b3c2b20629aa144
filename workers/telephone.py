"""What the jobs of calls, legs and lines share: the telephone they ask, and how they look for what may have been lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from integrations.errors import CircuitOpen, Rejected, Transient
from integrations.ports import CallbackReader, Telephony
from workers.job import Permanent, Run

T = TypeVar("T")

# The provider's clock and ours may differ by this much when its list of calls is searched.
CLOCK_SLACK = timedelta(seconds=5)


def telephony(run: Run) -> Telephony:
    """The telephone account; a job that needs one and finds none is a dead letter."""
    if run.deps.telephony is None:
        raise Permanent("No telephone account is set up.")
    return run.deps.telephony


def reader(run: Run) -> CallbackReader:
    """What reads the provider's webhooks."""
    if run.deps.callbacks is None:
        raise Permanent("No telephone account is set up.")
    return run.deps.callbacks


def argument(run: Run, name: str) -> UUID:
    """An id from the job's arguments."""
    return UUID(run.job.args[name])


async def once(ask: Callable[[], Awaitable[T]], certainly_not: Callable[[], Awaitable[None]]) -> T:
    """Ask the provider for something that must not be done twice.

    When it certainly was not done, `certainly_not` takes the intent back before the error goes on; after an ambiguous
    answer the intent stays, and the next attempt looks first.
    """
    try:
        return await ask()
    except (CircuitOpen, Transient) as exc:
        if not (isinstance(exc, Transient) and exc.ambiguous):
            await certainly_not()
        raise


async def if_there(asked: Awaitable[T]) -> T | None:
    """What the provider answers; None where what was asked about is gone (it ended a moment ago, most likely)."""
    try:
        return await asked
    except Rejected as exc:
        if exc.status != 404:
            raise
        return None


async def gone_or_wait(asked_at: datetime, doubt_s: float, what: str, certainly_not: Callable[[], Awaitable[None]]) -> None:
    """What was asked for is not to be found. Raises Transient: look again while there is doubt, then ask anew."""
    if datetime.now(UTC) - asked_at < timedelta(seconds=doubt_s):
        raise Transient(f"The provider does not show the {what} whose answer was lost; looking again.", retry_after=2.0)
    await certainly_not()
    raise Transient(f"The provider never had the {what}; it may be asked for.", retry_after=0.0)
