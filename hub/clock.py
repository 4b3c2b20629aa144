"""What time it is for schedules: the real time, or with the sandbox a faster one, so that a month can be seen in minutes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Clock:
    """Shows `shown` at the real moment `began` and runs `speed` times as fast from there on.

    Several processes with the same three values agree on the time.
    """

    shown: datetime | None = None
    began: datetime | None = None
    speed: float = 1.0

    @classmethod
    def parse(cls, text: str) -> Clock:
        """Read "SHOWN@BEGAN*SPEED" (two ISO 8601 times with offset and a number); empty means the real time.

        Raises ValueError in words.
        """
        if not text:
            return cls()
        try:
            shown, _, rest = text.partition("@")
            began, _, speed = rest.partition("*")
            clock = cls(datetime.fromisoformat(shown), datetime.fromisoformat(began), float(speed))
        except ValueError:
            clock = cls()
        if clock.shown is None or clock.began is None or clock.shown.tzinfo is None or clock.began.tzinfo is None:
            raise ValueError(f"{text!r} should be SHOWN@BEGAN*SPEED with times such as 2026-11-23T09:00:00+00:00.")
        if not 0 < clock.speed <= 1_000_000:
            raise ValueError(f"a speed of {clock.speed} is not between 0 and 1000000.")
        return clock

    def now(self) -> datetime:
        """The time now, in UTC."""
        real = datetime.now(UTC)
        if self.shown is None or self.began is None:
            return real
        return (self.shown + (real - self.began) * self.speed).astimezone(UTC)

    def real_delay(self, until: datetime) -> timedelta:
        """How long one really has to wait until this clock shows `until`; nothing when it is past."""
        return max(timedelta(), (until - self.now()) / self.speed)
