"""The sandbox's time: it may pass faster than ours, begin elsewhere, and be moved forwards."""

import time
from datetime import datetime


class SandboxClock:
    """Unix seconds that pass `speed` times as fast as ours.

    `shown` is "SHOWN@BEGAN*SPEED", the form in which the server is told its clock: so both agree. Raises ValueError.
    """

    def __init__(self, speed: float = 1.0, shown: str = "") -> None:
        self.speed = speed
        self.ahead = 0.0
        self._began = self._at = time.time()
        if shown:
            at, _, rest = shown.partition("@")
            began, _, factor = rest.partition("*")
            self._at, self._began = datetime.fromisoformat(at).timestamp(), datetime.fromisoformat(began).timestamp()
            self.speed = float(factor)

    def now(self) -> int:
        """Return what time it is in the sandbox."""
        return int(self._at + self.ahead + (time.time() - self._began) * self.speed)

    def advance(self, seconds: float) -> int:
        """Move on; return what time it is then."""
        self.ahead += seconds
        return self.now()
