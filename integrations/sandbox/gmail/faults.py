"""Faults on request: what an operation does wrong, and how often."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

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


class ConnectionHangs(Exception):
    """There will be no answer."""


class ConnectionDrops(Exception):
    """The connection ends without an answer."""


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
        """Is it meant for this operation? `messages.*` is meant for all that begin so."""
        pattern = self.operation
        named = pattern in ("*", operation) or (pattern.endswith(".*") and operation.startswith(pattern[:-1]))
        return named and self.mailbox in ("", mailbox)


class Faults:
    """The faults that are still to come, in the order in which they were asked for."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let something go wrong."""
        self.waiting.append(fault)

    def clear(self) -> None:
        """Let everything go right again."""
        self.waiting.clear()

    def next_for(self, operation: str, mailbox: str = "") -> Fault | None:
        """Return what goes wrong with this request, and count it."""
        fault = next((each for each in self.waiting if each.matches(operation, mailbox)), None)
        if fault is not None:
            fault.times -= 1
            if fault.times <= 0:
                self.waiting.remove(fault)
        return fault


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
