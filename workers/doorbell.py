"""The queue in Redis. It rings when a job is due, and that is all: lose it and jobs only start later.

What is due now comes over a list that a worker waits at; what becomes due comes through arq, which keeps the clock. arq's worker
ends when Redis restarts, so both are started again here, for ever, with a growing pause.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Coroutine, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import structlog
from arq.connections import ArqRedis
from arq.constants import job_key_prefix
from arq.worker import Worker, func
from redis.exceptions import RedisError

from hub.ending import end_tasks
from hub.queue import QUEUE, RING, RUN_JOB, arq_id, decode_ring, deserialize, serialize
from workers import metrics
from workers.ledger import DueJob

POLL_S = 0.02
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
# An entry of the queue is done with as soon as its job has a slot; one that its worker took to the grave is free again
# this long (and arq's own ten seconds) later. The sweep does not wait for that.
_ENTRY_TIMEOUT_S = 20
# arq looks at so many entries from the front, also at those that are taken.
_READ_AT_ONCE = 500
_TAKEN_AT_ONCE = 20
# Less than the socket's time limit, after which a silent connection counts as dead.
_WAIT_S = 2

_log = structlog.get_logger(__name__)


class Taker(Protocol):
    """Who starts the jobs."""

    @property
    def free(self) -> int:
        """How many more jobs could start now."""

    async def take(self, tenant_id: UUID, job_id: UUID, via: Any) -> None:
        """Start a job when there is room."""

    async def room(self) -> None:
        """Wait until there is room for one."""


class _Listener(Worker):
    """arq's worker, taking from the queue only what there is room for: the rest is for others."""

    taker: Taker

    async def start_jobs(self, job_ids: list[bytes]) -> None:
        await super().start_jobs(job_ids[: self.taker.free])


class Doorbell:
    """This worker's connection to the queue."""

    def __init__(self, redis_url: str) -> None:
        self._url = redis_url
        self._redis: ArqRedis | None = None
        self._changed = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()

    @property
    def redis(self) -> ArqRedis | None:
        """The client while the queue is being heard, else None."""
        return self._redis

    async def changed(self) -> None:
        """Wait until the queue is lost or found."""
        await self._changed.wait()
        self._changed.clear()

    async def listen(self, taker: Taker, max_jobs: int) -> None:
        """Hear the queue until cancelled, whatever becomes of Redis."""
        pause_s = _FIRST_PAUSE_S
        while True:
            redis = _connect(self._url)
            listener: _Listener | None = None
            try:
                await redis.ping()
                listener = _listener(redis, taker, max_jobs)
                self._turn(redis)
                metrics.QUEUE_STARTS.inc()
                pause_s = _FIRST_PAUSE_S
                await _both(listener.async_run(), _answer(redis, taker))
            except (RedisError, OSError, TimeoutError) as exc:
                if self._redis is not None:
                    _log.warning("redis is gone; jobs are run straight from the database", error=str(exc) or repr(exc))
            except Exception:
                metrics.LOOP_FAILURES.labels("queue").inc()
                _log.exception("the queue's listener failed and is started again")
            finally:
                self._turn(None)
                await _let_go(redis, listener)
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, guards nothing
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    async def remind(self, jobs: Sequence[DueJob]) -> None:
        """Enqueue again what is not in the queue. Raises RedisError or OSError."""
        redis = self._redis
        # While the ring is not empty, what is overdue stands in it.
        if redis is None or not jobs or await _ask(redis, "LLEN", RING):
            return
        async with redis.pipeline(transaction=False) as pipe:
            for job in jobs:
                pipe.exists(job_key_prefix + arq_id(job.id, job.fence))
            known = await pipe.execute()
        for job, there in zip(jobs, known, strict=True):
            if not there:
                metrics.REMINDED.inc()
                await _enqueue(redis, job.tenant_id, job.id, job.fence, None)

    def ring_at(self, tenant_id: UUID, job_id: UUID, fence: int, run_at: datetime) -> None:
        """Have a job ring when it is due again; best effort, does not wait."""
        redis = self._redis
        if redis is not None:
            task = asyncio.create_task(_quietly(_enqueue(redis, tenant_id, job_id, fence, run_at)))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def settle(self) -> None:
        """Wait a moment for what `ring_at` is still sending."""
        if self._sending:
            await asyncio.wait(list(self._sending), timeout=1)

    def _turn(self, redis: ArqRedis | None) -> None:
        if redis is not self._redis:
            self._redis = redis
            metrics.QUEUE_UP.set(0 if redis is None else 1)
            if redis is not None:
                _log.info("the queue is being heard")
            self._changed.set()


async def _both(*loops: Coroutine[Any, Any, None]) -> None:
    """Run the loops side by side; when one ends or fails, end the others and raise what it raised."""
    tasks = [asyncio.create_task(loop) for loop in loops]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await end_tasks(*tasks)


async def _ask(redis: ArqRedis, *command: Any) -> Any:
    # The typed methods have the types of the client's blocking twin.
    return await redis.execute_command(*command)  # type: ignore[no-untyped-call]


async def _answer(redis: ArqRedis, taker: Taker) -> None:
    """Take what is due now as it comes, never more than there is room for."""
    while True:
        await taker.room()
        wanted = min(max(taker.free, 1), _TAKEN_AT_ONCE)
        popped = await _ask(redis, "BLMPOP", _WAIT_S, 1, RING, "LEFT", "COUNT", wanted)
        for entry in popped[1] if popped else ():
            try:
                tenant_id, job_id = decode_ring(entry)
            except ValueError:
                continue
            await taker.take(tenant_id, job_id, "hint")


def _connect(url: str) -> ArqRedis:
    redis: ArqRedis = ArqRedis.from_url(url, socket_connect_timeout=2, socket_timeout=5)
    redis.job_serializer = serialize
    redis.job_deserializer = deserialize
    redis.default_queue_name = QUEUE
    return redis


def _listener(redis: ArqRedis, taker: Taker, max_jobs: int) -> _Listener:
    async def ring(ctx: dict[Any, Any], *args: Any, **_kwargs: Any) -> None:
        tenant_id, job_id = args
        await taker.take(UUID(tenant_id), UUID(job_id), "hint")

    listener = _Listener(
        functions=[func(ring, name=RUN_JOB)],
        queue_name=QUEUE,
        redis_pool=redis,
        handle_signals=False,
        max_jobs=max_jobs,
        job_timeout=_ENTRY_TIMEOUT_S,
        keep_result=0,
        poll_delay=POLL_S,
        queue_read_limit=_READ_AT_ONCE,
        job_serializer=serialize,
        job_deserializer=deserialize,
        log_results=False,
    )
    listener.taker = taker
    return listener


async def _let_go(redis: ArqRedis, listener: _Listener | None) -> None:
    if listener is not None and listener.tasks:
        # They only ring; what is cut off here rings again. Their errors are Redis', and are known by now.
        for task in listener.tasks.values():
            task.cancel()
        await asyncio.gather(*listener.tasks.values(), return_exceptions=True)
    await _quietly(redis.aclose())


async def _enqueue(redis: ArqRedis, tenant_id: UUID, job_id: UUID, fence: int, run_at: datetime | None) -> None:
    await redis.enqueue_job(RUN_JOB, str(tenant_id), str(job_id), _job_id=arq_id(job_id, fence), _defer_until=run_at)


async def _quietly(awaited: Awaitable[Any]) -> None:
    with contextlib.suppress(RedisError, OSError, TimeoutError):
        await awaited
