"""The queue in Redis. It rings when a job is due, and that is all: lose it and jobs only start later.

What is due now is on the rings of the companies, which take turns; what becomes due comes through arq, which keeps the clock, and
is put on a ring then. arq's worker ends when Redis restarts, so both are started again here, for ever, with a growing pause.
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
from arq.worker import Worker, func
from redis.exceptions import RedisError

from hub.ending import end_tasks
from hub.queue import (
    PUSHED_AT_ONCE,
    QUEUE,
    RUN_JOB,
    arq_id,
    decode_popped,
    decode_rung,
    deserialize,
    pop_command,
    push_command,
    serialize,
    wait_command,
)
from hub.redis import Nodes, is_cluster
from workers import metrics
from workers.ledger import DueJob
from workers.slots import Room

POLL_S = 0.02
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
# An entry of arq's queue is done with as soon as it is on its ring; one that its worker took to the grave is free again
# this long (and arq's own ten seconds) later. The sweep does not wait for that.
_ENTRY_TIMEOUT_S = 20
# arq looks at so many entries from the front, also at those that are taken, and moves so many at once.
_READ_AT_ONCE = 500
_MOVED_AT_ONCE = 20
# Who is held back may begin more as time goes by, which nothing tells: so it is asked this often.
_HELD_BACK_S = 0.005
# Less than the socket's time limit, after which a silent connection counts as dead.
_WAIT_S = 2

_log = structlog.get_logger(__name__)


class Taker(Protocol):
    """Who starts the jobs."""

    @property
    def room(self) -> Room:
        """What could start now."""

    async def freed(self, within_s: float | None = None) -> None:
        """Wait until a slot has become free since this last said so, no longer than this."""

    def start(self, tenant_id: UUID, job_ids: Sequence[UUID], via: Any) -> None:
        """Start jobs of one company."""


class Doorbell:
    """This worker's connection to the queue."""

    def __init__(self, redis_url: str) -> None:
        self._url = redis_url
        self._nodes = Nodes(redis_url) if is_cluster(redis_url) else None
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

    async def listen(self, taker: Taker) -> None:
        """Hear the queue until cancelled, whatever becomes of Redis."""
        pause_s = _FIRST_PAUSE_S
        while True:
            redis: ArqRedis | None = None
            listener: Worker | None = None
            try:
                redis = _connect(await self._where())
                await redis.ping()
                listener = _listener(redis)
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

    async def remind(self, jobs: Sequence[DueJob]) -> int:
        """Put overdue jobs on the rings of those companies that have nothing there: what has a ring stands in it.

        Returns how many. Raises RedisError or OSError.
        """
        redis = self._redis
        if redis is None or not jobs:
            return 0
        rings: dict[UUID, list[UUID]] = {}
        for job in jobs:
            rings.setdefault(job.tenant_id, []).append(job.id)
        async with redis.pipeline(transaction=False) as pipe:
            for tenant_id, job_ids in rings.items():
                command = push_command(tenant_id, job_ids[:PUSHED_AT_ONCE], only_if_empty=True)
                pipe.execute_command(*command)
            reminded: int = sum(await pipe.execute())
        metrics.REMINDED.inc(reminded)
        return reminded

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

    async def _where(self) -> str:
        """The URL of who serves the queue: all its keys are in one slot. Raises RedisError when nobody knows."""
        if self._nodes is None:
            return self._url
        try:
            await self._nodes.look()
            node = self._nodes.serving(QUEUE)
            if node is None:
                raise RedisError("nobody serves the queue's slot of the cluster")
            return self._nodes.url(node)
        finally:
            # Here it is asked once a connection at most.
            await self._nodes.aclose()

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
    bell = _Bell(redis)
    try:
        while True:
            room = taker.room
            if not room:
                await taker.freed()
                continue
            taking = pop_command(free=room.free, spare=room.spare, held=room.held, share=room.share, fresh=room.fresh)
            popped = decode_popped(await _ask(redis, *taking))
            for tenant_id, job_ids in popped.items():
                taker.start(tenant_id, job_ids, "hint")
            if popped:
                continue
            if room.free and not room.is_held_back:
                await bell.rung()
            else:
                await bell.rung(taker.freed(_HELD_BACK_S if room.is_held_back else None))
    finally:
        await bell.leave()


class _Bell:
    """Tells when a company has come to the queue, also while it matters who comes and every slot is taken."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._heard = b"0"
        self._hearing: asyncio.Task[Any] | None = None

    async def rung(self, *others: Coroutine[Any, Any, None]) -> None:
        """Wait until it rings, or has not for some time, or for one of the others. Raises what Redis raises."""
        if self._hearing is None:
            self._hearing = asyncio.create_task(_ask(self._redis, *wait_command(self._heard, _WAIT_S)))
        beside = [asyncio.create_task(other) for other in others]
        try:
            await asyncio.wait([self._hearing, *beside], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end_tasks(*beside)
        if self._hearing.done():
            hearing, self._hearing = self._hearing, None
            self._heard = decode_rung(hearing.result()) or self._heard

    async def leave(self) -> None:
        """Hear no more."""
        if self._hearing is not None:
            await end_tasks(self._hearing)


def _connect(url: str) -> ArqRedis:
    redis: ArqRedis = ArqRedis.from_url(url, socket_connect_timeout=2, socket_timeout=5)
    redis.job_serializer = serialize
    redis.job_deserializer = deserialize
    redis.default_queue_name = QUEUE
    return redis


def _listener(redis: ArqRedis) -> Worker:
    async def ring(ctx: dict[Any, Any], *args: Any, **_kwargs: Any) -> None:
        tenant_id, job_id = args
        await _ask(redis, *push_command(UUID(tenant_id), [UUID(job_id)]))

    return Worker(
        functions=[func(ring, name=RUN_JOB)],
        queue_name=QUEUE,
        redis_pool=redis,
        handle_signals=False,
        max_jobs=_MOVED_AT_ONCE,
        job_timeout=_ENTRY_TIMEOUT_S,
        keep_result=0,
        poll_delay=POLL_S,
        queue_read_limit=_READ_AT_ONCE,
        job_serializer=serialize,
        job_deserializer=deserialize,
        log_results=False,
    )


async def _let_go(redis: ArqRedis | None, listener: Worker | None) -> None:
    if listener is not None and listener.tasks:
        # They only ring; what is cut off here rings again. Their errors are Redis', and are known by now.
        for task in listener.tasks.values():
            task.cancel()
        await asyncio.gather(*listener.tasks.values(), return_exceptions=True)
    if redis is not None:
        await _quietly(redis.aclose())


async def _enqueue(redis: ArqRedis, tenant_id: UUID, job_id: UUID, fence: int, run_at: datetime) -> None:
    await redis.enqueue_job(RUN_JOB, str(tenant_id), str(job_id), _job_id=arq_id(job_id, fence), _defer_until=run_at)


async def _quietly(awaited: Awaitable[Any]) -> None:
    with contextlib.suppress(RedisError, OSError, TimeoutError):
        await awaited
