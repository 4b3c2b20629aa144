"""Faults on request: what an operation does wrong, and how often."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from integrations.sandbox.faults import ConnectionDrops, ConnectionHangs, FaultQueue, is_named
from integrations.sandbox.gmail.refusals import Refusal

Kind = Literal["400", "401", "403", "404", "429", "500", "503", "hang", "drop", "lost", "slow"]
KINDS: Final = frozenset(get_args(Kind))

_WORDS: Final = {
    400: "Precondition check failed.",
    401: "Request had invalid authentication credentials.",
    403: "The user does not have permission.",
    404: "Requested entity was not found.",
    429: "Too many concurrent requests for user",
    500: "Internal error encountered.",
    503: "The service is currently unavailable.",
}


@dataclass(slots=True)
class Fault:
    """The next `times` requests for `operation` (such as `messages.send`; `*` for any) go wrong.

    A number refuses without doing anything (`reason` says with which of Google's reasons), `hang` neither does it nor
    answers, `drop` neither does it nor keeps the connection, `lost` does it and drops the connection, `slow` does it and
    answers `delay_s` later (not sped up). `mailbox` restricts it to one address.
    """

    operation: str
    kind: Kind
    times: int = 1
    delay_s: float = 0.0
    mailbox: str = ""
    reason: str = ""

    def matches(self, operation: str, mailbox: str) -> bool:
        """Is it meant for this operation of this mailbox?"""
        return is_named(self.operation, operation) and self.mailbox in ("", mailbox)


class Faults(FaultQueue[Fault]):
    """What still goes wrong."""

    def next_for(self, operation: str, mailbox: str = "") -> Fault | None:
        """Return what goes wrong with this request, and count it."""
        return self.take(lambda each: each.matches(operation, mailbox))


def strike(fault: Fault | None) -> None:
    """Do what a fault does before the operation. Raises Refusal, ConnectionHangs or ConnectionDrops."""
    if fault is None or fault.kind in ("lost", "slow"):
        return
    if fault.kind == "hang":
        raise ConnectionHangs
    if fault.kind == "drop":
        raise ConnectionDrops
    status = int(fault.kind)
    raise Refusal(status, _WORDS[status], fault.reason, retry_after_s=1 if status in (429, 503) else None)
