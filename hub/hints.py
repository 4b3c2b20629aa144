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
from redis.exceptions import RedisError

from hub.db import DeferredJob
from hub.ending import end_task
from hub.events import LoggedEvent
from hub.queue import QUEUE, RUN_JOB, arq_id, push_command, serialize
from hub.tracing import traceparent
from hub.wires import Command, Wire, open_wire

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
    trace: str = ""


def encode_hint(sender: str, events: Sequence[LoggedEvent]) -> bytes:
    """One transaction's events as one message."""
    frames = [event.frame.encode() for event in events]
    header: dict[str, Any] = {"from": sender, "at": time.time()}
    if trace := traceparent():
        header["trace"] = trace
    if sum(map(len, frames)) > MAX_MESSAGE_BYTES:
        return orjson.dumps({**header, "head": events[-1].seq})
    header |= {"seq": events[0].seq, "events": [[e.audience, len(f)] for e, f in zip(events, frames, strict=True)]}
    return b"\n".join((orjson.dumps(header), b"".join(frames)))


def decode_hint(message: bytes) -> Hint:
    """The reverse of `encode_hint`. Raises ValueError for anything else."""
    head, _, body = message.partition(b"\n")
    try:
        header = orjson.loads(head)
        sender, at, trace = str(header["from"]), float(header["at"]), str(header.get("trace", ""))
        if "head" in header:
            return Hint(sender, at, int(header["head"]), (), trace)
        first, place, events = int(header["seq"]), 0, []
        for offset, (audience, size) in enumerate(header["events"]):
            events.append(LoggedEvent(first + offset, str(audience), body[place : place + size].decode()))
            place += size
    except (KeyError, TypeError, AttributeError) as exc:
        raise ValueError(f"not a hint: {exc!r}") from None
    if place != len(body) or not events:
        raise ValueError("not a hint: its length is not what its header says")
    return Hint(sender, at, events[-1].seq, tuple(events), trace)


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
    tenant_id: UUID
    job_id: UUID
    body: bytes


_Item = _Message | _Job | _Ring


class RedisHints:
    """Tells Redis what was committed. Bounded, never waits, never raises; while Redis is down it drops and counts.

    `process` names this process, so that it can tell its own hints. `local`, when set, hears of this process's events
    without the way over Redis. On a cluster each node has a lane of its own: one that is lost holds up no other.
    """

    def __init__(self, redis_url: str, *, process: str | None = None) -> None:
        self.process = process or uuid4().hex
        self.local: LocalListener | None = None
        self._wire = open_wire(redis_url)
        self._lanes: dict[str, _Lane] = {}

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
        self._lane(ACCESS_CHANNEL)

    async def stop(self) -> None:
        """Send what is queued, if that takes no more than a second, and let go of Redis."""
        await asyncio.gather(*(lane.stop() for lane in self._lanes.values()))
        await self._wire.aclose()

    async def flushed(self) -> None:
        """Wait until Redis has all that was handed over. For ever while it is down."""
        await asyncio.gather(*(lane.flushed() for lane in self._lanes.values()))

    async def ping(self) -> None:
        """Raise RedisError, OSError or TimeoutError when a part of Redis does not answer."""
        await self._wire.ping()

    @property
    def queued(self) -> int:
        """How many hints wait to be sent."""
        return sum(lane.queued for lane in self._lanes.values())

    def _put(self, item: _Item) -> None:
        self._lane(item.channel if isinstance(item, _Message) else QUEUE).put(item)

    def _lane(self, key: str) -> _Lane:
        name = self._wire.lane(key)
        if (lane := self._lanes.get(name)) is None:
            lane = self._lanes[name] = _Lane(self._wire)
        return lane


class _Lane:
    """What waits for one part of Redis, in order."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._queue: deque[_Item] = deque()
        self._bytes = 0
        self._filled = asyncio.Event()
        self._sent = asyncio.Event()
        self._sent.set()
        self._down = False
        self._task = asyncio.get_running_loop().create_task(self._drain(), name="hints")

    @property
    def queued(self) -> int:
        """How many wait."""
        return len(self._queue)

    async def stop(self) -> None:
        """Send what is queued, if that takes no more than a second."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0 if self._down else 1):
                await self._sent.wait()
        await end_task(self._task)

    async def flushed(self) -> None:
        """Wait until all is sent."""
        await self._sent.wait()

    def put(self, item: _Item) -> None:
        """Queue one more; what waits the longest makes room."""
        self._queue.append(item)
        self._bytes += len(item.body)
        while len(self._queue) > MAX_QUEUED or self._bytes > MAX_QUEUED_BYTES:
            self._drop(self._queue.popleft())
        self._filled.set()
        self._sent.clear()

    def _drop(self, item: _Item) -> None:
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

    async def _send(self, batch: Sequence[_Item]) -> bool:
        # The second try is for a pooled connection that a restart of Redis has closed, or for slots that another node serves
        # now. A hint sent twice does no harm.
        commands = _commands(batch, self._wire.publish)
        for again in (True, False):
            try:
                await self._wire.send(commands)
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


def _commands(batch: Sequence[_Item], publish: str) -> list[Command]:
    commands: list[Command] = []
    rings: dict[UUID, list[UUID]] = {}
    for item in batch:
        if isinstance(item, _Message):
            commands.append(Command(item.channel, (publish, item.channel, item.body)))
        elif isinstance(item, _Ring):
            rings.setdefault(item.tenant_id, []).append(item.job_id)
        else:
            # What arq's enqueue_job does, without its three round trips a job.
            commands.append(Command(QUEUE, ("SET", job_key_prefix + item.key, item.body, "PX", item.expires_ms, "NX")))
            commands.append(Command(QUEUE, ("ZADD", QUEUE, "NX", item.due_ms, item.key)))
    return commands + [Command(QUEUE, push_command(tenant_id, job_ids)) for tenant_id, job_ids in rings.items()]


def _encode_job(tenant_id: UUID, job: DeferredJob) -> _Job | _Ring:
    now_ms = int(time.time() * 1000)
    due_ms = now_ms if job.run_at is None else int(job.run_at.timestamp() * 1000)
    if due_ms <= now_ms:
        return _Ring("job", tenant_id, job.id, job.id.bytes)
    body = serialize_job(RUN_JOB, (str(tenant_id), str(job.id)), {}, None, now_ms, serializer=serialize)
    return _Job("job", arq_id(job.id, 0), body, due_ms, max(due_ms - now_ms, 0) + expires_extra_ms)
