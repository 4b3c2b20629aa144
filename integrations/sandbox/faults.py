"""Faults on request: which are still to come, and whose turn it is. What a fault is and does is each sandbox's own."""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class ConnectionHangs(Exception):
    """There will be no answer."""


class ConnectionDrops(Exception):
    """The connection ends without an answer."""


class Repeated(Protocol):
    """What goes wrong for the next `times` requests that it is meant for."""

    times: int


F = TypeVar("F", bound=Repeated)


def is_named(pattern: str, operation: str) -> bool:
    """Is a fault for `pattern` meant for this operation? `*` is meant for any, `messages.*` for all that begin so."""
    return pattern in ("*", operation) or (pattern.endswith(".*") and operation.startswith(pattern[:-1]))


class FaultQueue(Generic[F]):
    """The faults that are still to come, in the order in which they were asked for."""

    def __init__(self) -> None:
        self.waiting: list[F] = []

    def add(self, fault: F) -> None:
        """Let something go wrong."""
        self.waiting.append(fault)

    def clear(self) -> None:
        """Let everything go right again."""
        self.waiting.clear()

    def take(self, is_meant: Callable[[F], bool]) -> F | None:
        """Return what goes wrong with a request, and count it."""
        fault = next((each for each in self.waiting if is_meant(each)), None)
        if fault is not None:
            fault.times -= 1
            if fault.times <= 0:
                self.waiting.remove(fault)
        return fault
