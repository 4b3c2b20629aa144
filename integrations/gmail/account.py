"""One Gmail mailbox: its access token, the quota of its user, and the guard through which everything is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from googleapiclient.errors import HttpError

from integrations.budget import Budget
from integrations.errors import RateLimited, Rejected
from integrations.gmail.api import Api
from integrations.gmail.mapping import answer_error, our_error
from integrations.gmail.oauth import AccessTokens
from integrations.gmail.wire import LARGEST_ANSWER, Call, Oversized, Wire, Wires
from integrations.guard import Guard

T = TypeVar("T")

PROVIDER: Final = "gmail"
QUOTA: Final = "units"
# 15,000 units for each user and minute; part of them may go at once after a pause.
# https://developers.google.com/workspace/gmail/api/reference/quota
QUOTA_BUDGET: Final = Budget(per_s=250.0, burst=12_000, longest_wait_s=20.0)
LONGEST_PACE_S: Final = 60.0
# What a batch's answer may hold of memory; larger messages are then fetched one by one.
LARGEST_BATCH: Final = 24_000_000

Build = Callable[[Api], Any]


class Account:
    """The mailbox of one credential."""

    def __init__(self, api: Callable[[], Api], wires: Wires, tokens: AccessTokens, guard: Guard, refresh_token: str) -> None:
        self._api = api
        self._wires = wires
        self._tokens = tokens
        self._guard = guard
        self._refresh_token = refresh_token

    async def ask(
        self,
        operation: str,
        units: int,
        build: Build,
        read: Callable[[Any], T],
        *,
        repeatable: bool = True,
        begin_by: float = float("inf"),
    ) -> T:
        """Ask for what `build` makes a request of, and read the answer. Raises the guard's errors.

        What is not `repeatable` leaves here once at most, and begins until `begin_by` (monotonic, in seconds) or not at all.
        """

        def in_thread(wire: Wire) -> T:
            return read(build(self._api()).execute(http=wire, num_retries=0))

        return await self._call(operation, units, in_thread, lambda token: Call(token, not repeatable, begin_by=begin_by))

    async def ask_each(self, operation: str, units: int, builds: Sequence[Build]) -> list[Any]:
        """Ask for several at once, in one batch; None for those that Google does not have.

        Raises Oversized when the answer is larger than LARGEST_BATCH and there is more than one.
        """
        answers: dict[int, Any] = {}

        def in_thread(wire: Wire) -> None:
            missing = [number for number in range(len(builds)) if number not in answers]
            failures: list[Exception] = []

            def take(number: str, answer: Any, error: Exception | None) -> None:
                if error is None:
                    answers[int(number)] = answer
                elif isinstance(error, HttpError) and error.resp.status == 404:
                    answers[int(number)] = None
                else:
                    failures.append(error)

            batch = self._api().batch(take)
            for number in missing:
                batch.add(builds[number](self._api()), request_id=str(number))
            batch.execute(http=wire)
            if failures:
                # What is there is kept: the next attempt asks for the rest alone.
                raise next((each for each in failures if not _is_pace(each)), failures[0])

        largest = LARGEST_BATCH if len(builds) > 1 else LARGEST_ANSWER
        await self._call(operation, units * len(builds), in_thread, lambda token: Call(token, largest=largest))
        return [answers[number] for number in range(len(builds))]

    async def _call(self, operation: str, units: int, in_thread: Callable[[Wire], T], make: Callable[[str], Call]) -> T:
        for is_last in (False, True):
            token = await self._tokens.of(self._refresh_token)
            try:
                return await self._attempt(operation, units, in_thread, make, token)
            except Rejected as error:
                # Nothing was done. An access token may end before its time; a fresh one tells whether the consent is gone.
                if error.status != 401 or is_last:
                    raise
                self._tokens.forget(self._refresh_token, token)
        raise AssertionError("unreachable")

    async def _attempt(
        self, operation: str, units: int, in_thread: Callable[[Wire], T], make: Callable[[str], Call], token: str
    ) -> T:
        async def ask() -> T | RateLimited | Oversized:
            try:
                return await self._wires.run(in_thread, make(token))
            except Oversized as error:
                return error
            except Exception as error:
                ours = our_error(error)
                if ours is None:
                    raise
                # A mailbox that has sent too much may still be read: that pause is not the whole quota's.
                if isinstance(ours, RateLimited) and (ours.retry_after or 0.0) > LONGEST_PACE_S:
                    ours.provider, ours.operation = PROVIDER, operation
                    return ours
                raise ours from error

        repeatable = not make(token).once
        answer = await self._guard.call(operation, ask, repeatable=repeatable, budget=QUOTA, cost=units)
        if isinstance(answer, RateLimited | Oversized):
            raise answer
        return answer


def _is_pace(error: Exception) -> bool:
    if not isinstance(error, HttpError):
        return False
    return isinstance(answer_error(int(error.resp.status), error.content, None), RateLimited)
