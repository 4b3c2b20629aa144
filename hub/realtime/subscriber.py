"""Hears hints from Redis: the channels of the tenants that have a socket here, and the one of withdrawn access."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol
from uuid import UUID

import structlog
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from hub.ending import end_tasks
from hub.hints import ACCESS_CHANNEL, Hint, decode_hint, events_channel
from hub.realtime.metrics import HINTS, SUBSCRIBED
from hub.redis import Nodes, is_cluster, new_client
from hub.shards import Shards

_RETRY_S = 0.25
_SILENCE_S = 5.0
_log = structlog.get_logger(__name__)


class Ear(Protocol):
    """What hears the wanted channels, over one connection or over several."""

    def changed(self) -> None:
        """Look at what is wanted again."""

    async def run(self) -> None:
        """Hear until cancelled, whatever becomes of Redis."""

    async def aclose(self) -> None:
        """Let go of Redis."""


class Subscriber:
    """Keeps the subscriptions, also over restarts of Redis.

    `on_hint` gets what comes on a tenant's channel; `on_access` is called when access was withdrawn somewhere; `on_fresh`
    when a subscription has begun: what was published before it was missed. `otherwise` says what happens without Redis.
    """

    def __init__(
        self,
        redis_url: str,
        *,
        on_hint: Callable[[UUID, Hint], None],
        on_access: Callable[[], None],
        on_fresh: Callable[[], None],
        otherwise: str = "the log is asked twice a second",
    ) -> None:
        self._otherwise = otherwise
        self._on_hint = on_hint
        self._on_access = on_access
        self._on_fresh = on_fresh
        self._wanted: dict[str, UUID | None] = {ACCESS_CHANNEL: None}
        self._task: asyncio.Task[None] | None = None
        self._down = False
        self._ear: Ear = _ClusterEar(redis_url, self) if is_cluster(redis_url) else _OneEar(redis_url, self)

    def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.get_running_loop().create_task(self._ear.run(), name="subscriber")

    async def stop(self) -> None:
        """Stop listening. Whoever is cancelled meanwhile goes on waiting: nothing of it is left running."""
        try:
            if self._task is not None:
                await end_tasks(self._task)
        finally:
            await self._ear.aclose()

    def watch(self, tenant_id: UUID, wanted: bool) -> None:
        """Hear a tenant's events from now on, or no longer."""
        if wanted:
            self._wanted[events_channel(tenant_id)] = tenant_id
        else:
            self._wanted.pop(events_channel(tenant_id), None)
        self._ear.changed()

    def wanted(self) -> set[str]:
        """The channels to hear."""
        return set(self._wanted)

    def fresh(self) -> None:
        """A channel begins to be heard."""
        self._on_fresh()

    def heard(self, problem: str | None) -> None:
        """All that is wanted is heard, or why something is not."""
        if problem is None and self._down:
            _log.info("redis is heard again")
        elif problem is not None and not self._down:
            _log.warning(f"redis is not heard; {self._otherwise}", error=problem)
        self._down = problem is not None
        SUBSCRIBED.set(0 if self._down else 1)

    def message(self, channel: str, data: bytes) -> None:
        """Something was published."""
        if channel == ACCESS_CHANNEL:
            self._on_access()
        elif (tenant_id := self._wanted.get(channel)) is not None:
            try:
                hint = decode_hint(data)
            except ValueError:
                HINTS.labels("malformed").inc()
                return
            self._on_hint(tenant_id, hint)


class _ClusterEar:
    """A connection to each node that serves a wanted channel."""

    def __init__(self, redis_url: str, owner: Subscriber) -> None:
        self._nodes = Nodes(redis_url)
        self._shards = Shards(self._nodes, owner.wanted, on_message=owner.message, on_fresh=owner.fresh, on_state=owner.heard)
        self.changed = self._shards.changed
        self.run = self._shards.run
        self.aclose = self._nodes.aclose


class _OneEar:
    """One connection for all channels."""

    def __init__(self, redis_url: str, owner: Subscriber) -> None:
        self._redis = new_client(redis_url)
        self._owner = owner
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """Look at what is wanted again."""
        self._changed.set()

    async def run(self) -> None:
        """Hear until cancelled, whatever becomes of Redis."""
        while True:
            try:
                await self._listen()
            except (RedisError, OSError, TimeoutError) as exc:
                self._owner.heard(str(exc) or repr(exc))
            except Exception as exc:
                _log.exception("hints could not be heard")
                self._owner.heard(repr(exc))
            await asyncio.sleep(_RETRY_S)

    async def aclose(self) -> None:
        """Let go of Redis."""
        await self._redis.aclose()

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
            try:
                await end_tasks(*both)
            finally:
                with contextlib.suppress(RedisError, OSError):
                    await pubsub.aclose()  # type: ignore[no-untyped-call]

    async def _follow_wishes(self, pubsub: PubSub) -> None:
        asked = {ACCESS_CHANNEL}
        while True:
            await self._changed.wait()
            self._changed.clear()
            wanted = self._owner.wanted()
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
            if message["type"] == "subscribe":
                self._owner.heard(None)
                self._owner.fresh()
            elif message["type"] == "message" and isinstance(message["data"], bytes):
                self._owner.message(message["channel"].decode(), message["data"])
