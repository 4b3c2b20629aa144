"""The meters of all processes, in Redis: what was let through is added a few times a second, behind the requests' backs.

Each call names one key, so that it works on a Redis Cluster wherever the key's slot is. Without Redis every process goes on
with its own meters.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time

import structlog
from prometheus_client import Gauge
from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

from hub.ending import end_task
from hub.limits.gcra import Meter, Meters

EVERY_S = 0.2
TIMEOUT_S = 1.0
_AT_ONCE = 500
_FORGET_EVERY = 25

# Adds ARGV[1] microseconds to the time at which the key is clear, at most ARGV[2] ahead of now; says how far ahead it is.
# The clock is Redis' own, so that those of the processes need not agree.
SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local clear = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
clear = math.min(clear + tonumber(ARGV[1]), now + tonumber(ARGV[2]))
redis.call('SET', KEYS[1], string.format('%.0f', clear), 'PX', math.ceil((clear - now) / 1000) + 1000)
return clear - now
"""
SCRIPT_SHA = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()

_SHARED = Gauge("ringside_limits_shared", "1 while the limits are counted over all processes, 0 while each counts alone.")
_log = structlog.get_logger(__name__)


class Shared:
    """Keeps the meters of this process and those in Redis together."""

    def __init__(self, meters: Meters, redis: Redis) -> None:
        self._meters = meters
        self._redis = redis
        self._task: asyncio.Task[None] | None = None
        self._down = False

    def start(self) -> None:
        """Begin to share."""
        _SHARED.set(1)
        self._task = asyncio.get_running_loop().create_task(self._run(), name="limits")

    async def stop(self) -> None:
        """Stop sharing and let go of Redis."""
        if self._task is not None:
            await end_task(self._task)
            self._task = None
        with contextlib.suppress(RedisError, OSError):
            await self._redis.aclose()

    async def _run(self) -> None:
        turn = 0
        while True:
            await asyncio.sleep(EVERY_S)
            await self.share()
            turn += 1
            if turn % _FORGET_EVERY == 0:
                self._meters.forget_clear(time.monotonic())

    async def share(self) -> None:
        """Tell what was let through since the last time, and learn what others let through."""
        meters = self._meters
        if not meters.used:
            return
        told, meters.used = list(meters.used.values()), {}
        for start in range(0, len(told), _AT_ONCE):
            await self._tell(told[start : start + _AT_ONCE])

    async def _tell(self, meters: list[Meter]) -> None:
        amounts = [meter.unsent for meter in meters]
        for meter in meters:
            meter.unsent = 0.0
        try:
            async with asyncio.timeout(TIMEOUT_S):
                answers = await self._add(meters, amounts)
        except (RedisError, OSError, TimeoutError) as exc:
            if not self._down:
                _log.warning("redis does not answer; the limits are counted by each process alone", error=str(exc) or repr(exc))
            self._down = True
            _SHARED.set(0)
            return
        if self._down:
            _log.info("the limits are counted together again")
        self._down = False
        _SHARED.set(1)
        now = time.monotonic()
        for meter, ahead_us in zip(meters, answers, strict=True):
            meter.learn(ahead_us / 1e6, now)

    async def _add(self, meters: list[Meter], amounts: list[float]) -> list[int]:
        answers = await self._call("EVALSHA", SCRIPT_SHA, meters, amounts)
        missed = [place for place, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if missed:
            # A Redis that was started anew, or one of a cluster's that has not seen the script yet.
            again = await self._call("EVAL", SCRIPT, [meters[p] for p in missed], [amounts[p] for p in missed])
            for place, answer in zip(missed, again, strict=True):
                answers[place] = answer
        numbers: list[int] = []
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
            numbers.append(int(answer))
        return numbers

    async def _call(self, verb: str, script: str, meters: list[Meter], amounts: list[float]) -> list[int | Exception]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for meter, amount in zip(meters, amounts, strict=True):
                rate = meter.rate
                # Twice the window at most: what several processes let through too much is worked off, but not for ever.
                most = int(2e6 * rate.window_s)
                pipe.execute_command(verb, script, 1, meter.key, int(amount * rate.interval_s * 1e6), most)
            found: list[int | Exception] = await pipe.execute(raise_on_error=False)
            return found
