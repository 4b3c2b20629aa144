"""The sandbox's time: the real one, or one that began elsewhere and runs faster."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class SandboxClock:
    """Shows `shown` at the real moment `began` and runs `speed` times as fast; without them only delays are shortened."""

    shown: datetime | None = None
    began: datetime | None = None
    speed: float = 1.0

    @classmethod
    def parse(cls, text: str, speed: float = 1.0) -> "SandboxClock":
        """Read "SHOWN@BEGAN*SPEED", the form in which the server is told its clock; empty is the real time at `speed`.

        Raises ValueError.
        """
        if not text:
            return cls(speed=speed)
        shown, _, rest = text.partition("@")
        began, _, factor = rest.partition("*")
        return cls(datetime.fromisoformat(shown), datetime.fromisoformat(began), float(factor))

    def now(self) -> datetime:
        """Return the time that it shows, in UTC."""
        real = datetime.now(UTC)
        if self.shown is None or self.began is None:
            return real
        return (self.shown + (real - self.began) * self.speed).astimezone(UTC)

    def now_ms(self) -> int:
        """Return the same in milliseconds since 1970."""
        return int(self.now().timestamp() * 1000)

    def real_s(self, seconds: float) -> float:
        """Return how long `seconds` of its time last in truth."""
        return seconds / self.speed
