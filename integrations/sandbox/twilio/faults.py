"""Faults on request: what an operation does wrong, and how often."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from integrations.sandbox.faults import FaultQueue, is_named

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


class Faults(FaultQueue[Fault]):
    """What still goes wrong."""

    def next_for(self, operation: str) -> Fault | None:
        """Return what goes wrong with this request, and count it."""
        return self.take(lambda each: is_named(each.operation, operation))
