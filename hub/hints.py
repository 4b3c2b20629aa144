"""Hints through Redis about what Postgres has committed: faster with them, never wrong without.

One message a transaction on the tenant's own channel. It is a header line of JSON and then the frames as they stand in
the log, one after the other:

    {"from": process, "at": seconds, "seq": first, "events": [[audience, bytes], ...]}\n<frame><frame>...

A transaction too large for a message is announced by `{"from", "at", "head": last}` alone; its readers ask the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import orjson
import structlog
from arq.constants import expires_extra_ms, job_key_prefix
from arq.jobs import serialize_job
from prometheus_client import Counter
from redis.asyncio import Redis
from redis.exceptions import RedisError

from hub.db import DeferredJob
from hub.ending import end_task
from hub.events import LoggedEvent
from hub.queue import QUEUE, RING, RING_LENGTH, RUN_JOB, arq_id, encode_ring, serialize

ACCESS_CHANNEL = "ringside:access"
MAX_QUEUED = 10_000
MAX_QUEUED_BYTES = 16 * 1024 * 1024
MAX_MESSAGE_BYTES = 256 * 1024
BATCH = 500
RETRY_S = 0.25

_SENT = Counter("ringside_hints_sent_total", "Hints handed to Redis, by kind.", ["kind"])
_DROPPED = Counter("ringside_hints_dropped_total", "Hints that were not sent because Redis was down or slow, by kind.", ["kind"])
_log = structlog.get_logger(__name__)

LocalListener = Callable[[UUID, Sequence[LoggedEvent]], None]


def events_channel(tenant_id: UUID) -> str:
    """The channel of one tenant's events."""
    return f"ringside:events:{tenant_id}"


@dataclass(frozen=True, slots=True)
class Hint:
    """A decoded hint. `head` is the last sequence number it knows of; `events` may be empty."""

    sender: str
    at: float
    head: int
    events: tuple[LoggedEvent, ...]


def encode_hint(sender: str, events: Sequence[LoggedEvent]) -> bytes:
    """One transaction's events as one message."""
    frames = [event.frame.encode() for event in events]
    header: dict[str, Any] = {"from": sender, "at": time.time()}
    if sum(map(len, frames)) > MAX_MESSAGE_BYTES:
        return orjson.dumps({**header, "head": events[-1].seq})
    header |= {"seq": events[0].seq, "events": [[e.audience, len(f)] for e, f in zip(events, frames, strict=True)]}
    return b"\n".join((orjson.dumps(header), b"".join(frames)))


def decode_hint(message: bytes) -> Hint:
    """The reverse of `encode_hint`. Raises ValueError for anything else."""
    head, _, body = message.partition(b"\n")
    try:
        header = orjson.loads(head)
        sender, at = str(header["from"]), float(header["at"])
        if "head" in header:
            return Hint(sender, at, int(header["head"]), ())
        first, place, events = int(header["seq"]), 0, []
        for offset, (audience, size) in enumerate(header["events"]):
            events.append(LoggedEvent(first + offset, str(audience), body[place : place + size].decode()))
            place += size
    except (KeyError, TypeError, AttributeError) as exc:
        raise ValueError(f"not a hint: {exc!r}") from None
    if place != len(body) or not events:
        raise ValueError("not a hint: its length is not what its header says")
    return Hint(sender, at, events[-1].seq, tuple(events))


@dataclass(frozen=True, slots=True)
class _Message:
    kind: str
    channel: str
    body: bytes


@dataclass(frozen=True, slots=True)
class _Job:
    kind: str
    key: str
    body: bytes
    due_ms: int
    expires_ms: int


@dataclass(frozen=True, slots=True)
class _Ring:
    kind: str
    body: bytes


class RedisHints:
    """Tells Redis what was committed. Bounded, never waits, never raises; while Redis is down it drops and counts.

    `process` names this process, so that it can tell its own hints. `local`, when set, hears of this process's events
    without the way over Redis.
    """

    def __init__(self, redis_url: str, *, process: str | None = None) -> None:
        self.process = process or uuid4().hex
        self.local: LocalListener | None = None
        self.redis: Redis = new_client(redis_url)
        self._queue: deque[_Message | _Job | _Ring] = deque()
        self._bytes = 0
        self._filled = asyncio.Event()
        self._sent = asyncio.Event()
        self._sent.set()
        self._task: asyncio.Task[None] | None = None
        self._down = False

    def committed(self, tenant_id: UUID, events: Sequence[LoggedEvent], jobs: Sequence[DeferredJob]) -> None:
        """Publish the events and enqueue the jobs of one committed transaction."""
        if events:
            if self.local is not None:
                self.local(tenant_id, events)
            self._put(_Message("events", events_channel(tenant_id), encode_hint(self.process, events)))
        for job in jobs:
            self._put(_encode_job(tenant_id, job))

    def access_changed(self) -> None:
        """Make every process look at the withdrawn access now."""
        self._put(_Message("access", ACCESS_CHANNEL, self.process.encode()))

    async def start(self) -> None:
        """Begin to send. The first hint does it too."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._drain(), name="hints")

    async def stop(self) -> None:
        """Send what is queued, if that takes no more than a second, and let go of Redis."""
        if self._task is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0 if self._down else 1):
                    await self._sent.wait()
            await end_task(self._task)
            self._task = None
        await self.redis.aclose()

    def _put(self, item: _Message | _Job | _Ring) -> None:
        self._queue.append(item)
        self._bytes += len(item.body)
        while len(self._queue) > MAX_QUEUED or self._bytes > MAX_QUEUED_BYTES:
            self._drop(self._queue.popleft())
        self._filled.set()
        self._sent.clear()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._drain(), name="hints")

    def _drop(self, item: _Message | _Job | _Ring) -> None:
        self._bytes -= len(item.body)
        _DROPPED.labels(item.kind).inc()

    async def _drain(self) -> None:
        while True:
            await self._filled.wait()
            batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            if not self._queue:
                self._filled.clear()
            if await self._send(batch):
                for item in batch:
                    self._bytes -= len(item.body)
                    _SENT.labels(item.kind).inc()
                if not self._queue:
                    self._sent.set()
                continue
            for item in batch:
                self._drop(item)
            # What comes meanwhile waits in the bounded queue: a late hint is still a good one.
            await asyncio.sleep(RETRY_S)

    async def _send(self, batch: Sequence[_Message | _Job | _Ring]) -> bool:
        # The second try is for a pooled connection that a restart of Redis has closed. A hint sent twice does no harm.
        for again in (True, False):
            try:
                await self._pipeline(batch)
            except (RedisError, OSError, TimeoutError) as exc:
                if again and not self._down:
                    continue
                if not self._down:
                    _log.warning("redis does not answer; hints are dropped until it does", error=str(exc) or repr(exc))
                self._down = True
                return False
            if self._down:
                _log.info("redis answers again")
            self._down = False
            return True
        return False

    async def _pipeline(self, batch: Sequence[_Message | _Job | _Ring]) -> None:
        rings: list[bytes] = []
        async with self.redis.pipeline(transaction=False) as pipe:
            for item in batch:
                if isinstance(item, _Message):
                    pipe.publish(item.channel, item.body)
                elif isinstance(item, _Ring):
                    rings.append(item.body)
                else:
                    # What arq's enqueue_job does, without its three round trips a job.
                    pipe.set(job_key_prefix + item.key, item.body, px=item.expires_ms, nx=True)
                    pipe.zadd(QUEUE, {item.key: item.due_ms}, nx=True)
            if rings:
                pipe.rpush(RING, *rings)
                pipe.ltrim(RING, -RING_LENGTH, -1)
            await pipe.execute()


def _encode_job(tenant_id: UUID, job: DeferredJob) -> _Job | _Ring:
    now_ms = int(time.time() * 1000)
    due_ms = now_ms if job.run_at is None else int(job.run_at.timestamp() * 1000)
    if due_ms <= now_ms:
        return _Ring("job", encode_ring(tenant_id, job.id))
    body = serialize_job(RUN_JOB, (str(tenant_id), str(job.id)), {}, None, now_ms, serializer=serialize)
    return _Job("job", arq_id(job.id, 0), body, due_ms, max(due_ms - now_ms, 0) + expires_extra_ms)


def new_client(redis_url: str) -> Redis:
    """A client that gives up quickly: whoever hints must not wait."""
    client: Redis = Redis.from_url(redis_url, socket_connect_timeout=1, socket_timeout=2)
    return client
