"""Faults on request: what an operation does wrong, and how often."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from integrations.sandbox.faults import ConnectionDrops, ConnectionHangs, FaultQueue, is_named
from integrations.sandbox.stripe.refusals import Refusal

Kind = Literal["409", "429", "500", "503", "hang", "drop", "lost", "slow"]
KINDS: Final = frozenset(get_args(Kind))


@dataclass(slots=True)
class Fault:
    """The next `times` requests for `operation` (such as `subscriptions.update`; `*` for any) go wrong.

    A number refuses without doing anything, `hang` neither does it nor answers, `drop` neither does it nor keeps the
    connection, `lost` does it and drops the connection, `slow` does it and answers `delay_s` later.
    """

    operation: str
    kind: Kind
    times: int = 1
    delay_s: float = 0.0


class Faults(FaultQueue[Fault]):
    """What still goes wrong."""

    def next_for(self, operation: str) -> Fault | None:
        """Return what goes wrong with this request, and count it."""
        return self.take(lambda each: is_named(each.operation, operation))


def rate_limited() -> Refusal:
    """Too many requests at once."""
    words = "Request rate limit exceeded. Learn more about rate limits at https://docs.stripe.com/rate-limits."
    return Refusal(words, status=429, code="rate_limit", headers={"Stripe-Rate-Limited-Reason": "global-rate"})


def strike(fault: Fault | None) -> None:
    """Do what a fault does before the operation. Raises Refusal, ConnectionHangs or ConnectionDrops."""
    if fault is None or fault.kind in ("lost", "slow"):
        return
    if fault.kind == "hang":
        raise ConnectionHangs
    if fault.kind == "drop":
        raise ConnectionDrops
    if fault.kind == "429":
        raise rate_limited()
    if fault.kind == "409":
        raise Refusal(
            "This object cannot be accessed right now because another API request or Stripe process is currently accessing it.",
            status=409,
            code="lock_timeout",
            headers={"Stripe-Should-Retry": "true"},
        )
    raise Refusal("An unknown error occurred", status=int(fault.kind), kind="api_error")
