"""Where and when: what billing needs to know besides the company at hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from hub.clock import Clock
from hub.config import Settings


@dataclass(frozen=True, slots=True)
class Office:
    """What time it is (with the sandbox it may pass faster), and the console's address."""

    clock: Clock
    public_url: str

    @classmethod
    def of(cls, settings: Settings) -> Office:
        """The office of a running server."""
        return cls(Clock.parse(settings.clock), settings.public_url)

    def now(self) -> datetime:
        """The time by which trials and graces end."""
        return self.clock.now()

    def by_test_clock(self, shows: datetime | None) -> Office:
        """The office at the time that a customer's test clock shows; this one without such a clock."""
        return self if shows is None else replace(self, clock=Clock(shows, datetime.now(UTC)))

    @property
    def link(self) -> str:
        """The room where the plan is chosen and paid for."""
        return f"{self.public_url}/settings/plan"
