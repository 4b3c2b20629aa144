"""State that the processes share through Redis, as long as Redis answers quickly.

Redis only hurries: a script that fails or dawdles is answered with None, the caller then decides locally,
and Redis is left alone for a moment so that a dead one is not waited for at every call.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


class SharedState:
    """Runs small Lua scripts, each on one key, and never raises on Redis' account.

    `answer_within_s` is how long Redis may take, `rest_s` how long it is left alone after a failure.
    """

    def __init__(
        self,
        redis: Redis | None,
        *,
        on_failure: Callable[[], None],
        answer_within_s: float = 0.2,
        rest_s: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._on_failure = on_failure
        self._answer_within_s = answer_within_s
        self._rest_s = rest_s
        self._clock = clock
        self._resting_until = float("-inf")

    async def run(self, script: str, key: str, args: Sequence[str | int | float]) -> list[str] | None:
        """Run `script` on `key`. Returns its answer as text, or None when Redis can't be asked now."""
        if self._redis is None or self._clock() < self._resting_until:
            return None
        try:
            async with asyncio.timeout(self._answer_within_s):
                answer = await self._redis.register_script(script)(keys=[key], args=list(args))
        except (RedisError, OSError, TimeoutError) as error:
            self._resting_until = self._clock() + self._rest_s
            self._on_failure()
            log.warning("Redis did not answer, deciding locally for %.1f s: %r", self._rest_s, error)
            return None
        return [_text(part) for part in answer]


def _text(part: Any) -> str:
    return part.decode() if isinstance(part, bytes) else str(part)
