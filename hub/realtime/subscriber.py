"""Hears hints from Redis: the channels of the tenants that have a socket here, and the one of withdrawn access."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from uuid import UUID

import structlog
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from hub.ending import end_task
from hub.hints import ACCESS_CHANNEL, Hint, decode_hint, events_channel, new_client
from hub.realtime.metrics import HINTS, SUBSCRIBED

_RETRY_S = 0.25
_SILENCE_S = 5.0
_log = structlog.get_logger(__name__)


class Subscriber:
    """Keeps the subscriptions, also over restarts of Redis.

    `on_hint` gets what comes on a tenant's channel; `on_access` is called when access was withdrawn somewhere; `on_fresh`
    when a subscription has begun: what was published before it was missed.
    """

    def __init__(
        self,
        redis_url: str,
        *,
        on_hint: Callable[[UUID, Hint], None],
        on_access: Callable[[], None],
        on_fresh: Callable[[], None],
    ) -> None:
        self._redis = new_client(redis_url)
        self._on_hint = on_hint
        self._on_access = on_access
        self._on_fresh = on_fresh
        self._wanted: dict[str, UUID] = {}
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._down = False

    def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="subscriber")

    async def stop(self) -> None:
        """Stop listening."""
        await end_task(self._task)
        await self._redis.aclose()

    def watch(self, tenant_id: UUID, wanted: bool) -> None:
        """Hear a tenant's events from now on, or no longer."""
        if wanted:
            self._wanted[events_channel(tenant_id)] = tenant_id
        else:
            self._wanted.pop(events_channel(tenant_id), None)
        self._changed.set()

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except (RedisError, OSError, TimeoutError) as exc:
                if not self._down:
                    _log.warning("redis is not heard; the log is asked twice a second", error=str(exc) or repr(exc))
                self._down = True
            except Exception:
                _log.exception("hints could not be heard")
            SUBSCRIBED.set(0)
            await asyncio.sleep(_RETRY_S)

    async def _listen(self) -> None:
        pubsub = self._redis.pubsub()
        # Reading and asking for channels go on side by side; the first to fail ends both.
        both: set[asyncio.Task[None]] = set()
        try:
            await pubsub.subscribe(ACCESS_CHANNEL)
            self._changed.set()
            both = {asyncio.create_task(self._follow_wishes(pubsub)), asyncio.create_task(self._read(pubsub))}
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            with contextlib.suppress(RedisError, OSError):
                await pubsub.aclose()  # type: ignore[no-untyped-call]

    async def _follow_wishes(self, pubsub: PubSub) -> None:
        asked: set[str] = set()
        while True:
            await self._changed.wait()
            self._changed.clear()
            wanted = set(self._wanted)
            if new := wanted - asked:
                await pubsub.subscribe(*new)
            if old := asked - wanted:
                await pubsub.unsubscribe(*old)
            asked = wanted

    async def _read(self, pubsub: PubSub) -> None:
        quiet = 0
        while True:
            message = await pubsub.get_message(timeout=_SILENCE_S)
            if message is None:
                # A connection that died without a word gives no error: ask for one.
                quiet += 1
                if quiet > 1:
                    raise TimeoutError("no answer to a ping")
                await pubsub.ping()
                continue
            quiet = 0
            self._hear(message)

    def _hear(self, message: dict[str, object]) -> None:
        kind = message["type"]
        if kind == "subscribe":
            if self._down:
                _log.info("redis is heard again")
            self._down = False
            SUBSCRIBED.set(1)
            self._on_fresh()
        elif kind == "message":
            channel, data = message["channel"], message["data"]
            name = channel.decode() if isinstance(channel, bytes) else str(channel)
            if name == ACCESS_CHANNEL:
                self._on_access()
            elif (tenant_id := self._wanted.get(name)) is not None and isinstance(data, bytes):
                try:
                    hint = decode_hint(data)
                except ValueError:
                    HINTS.labels("malformed").inc()
                    return
                self._on_hint(tenant_id, hint)
