"""Faults on request: what an operation does wrong, and how often."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

Kind = Literal["500", "429", "hang", "lost", "slow"]
KINDS: Final = frozenset(get_args(Kind))


@dataclass(slots=True)
class Fault:
    """The next `times` requests for `operation` (such as `calls.create`; `*` for any) go wrong.

    `500` and `429` refuse without doing anything, `hang` neither does it nor answers, `lost` does it and never
    answers, `slow` does it and answers `delay_s` later (not sped up).
    """

    operation: str
    kind: Kind
    times: int
    delay_s: float

    def matches(self, operation: str) -> bool:
        """Is it meant for this operation? `calls.*` is meant for all that begin so."""
        pattern = self.operation
        return pattern in ("*", operation) or (pattern.endswith(".*") and operation.startswith(pattern[:-1]))


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

    def next_for(self, operation: str) -> Fault | None:
        """Return what goes wrong with this request, and count it."""
        fault = next((each for each in self.waiting if each.matches(operation)), None)
        if fault is not None:
            fault.times -= 1
            if fault.times <= 0:
                self.waiting.remove(fault)
        return fault
