"""Runs one worker: the queue's listener, the sweep, the duties, and a graceful end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from redis.exceptions import RedisError

from hub.config import Settings
from hub.ending import end_tasks
from hub.logging import configure_logging
from hub.metrics import serve_metrics
from hub.watching import look_at_database, show_objects, show_pool
from workers import metrics
from workers.cron import Duty, attend
from workers.doorbell import Doorbell
from workers.job import Registry
from workers.ledger import Ledger
from workers.runner import Runner
from workers.settings import DUTIES, JOBS, Parts, compose
from workers.sweep import Sweep
from workers.waking import Waker

ALIVE_KEY = "{ringside}:worker:"
ALIVE_S = 1.0
FORGET_AFTER_S = 10
CENSUS_S = 10.0
DATABASE_S = 30.0
GRACE_S = 10.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Crew:
    """What a worker does: its jobs, its duties, and how long it lets a job go on after it was told to stop."""

    jobs: Registry
    duties: Sequence[Duty]
    grace_s: float = GRACE_S


CREW = Crew(JOBS, DUTIES)


async def run_worker(
    settings: Settings,
    *,
    stop: asyncio.Event | None = None,
    crew: Crew = CREW,
    started: Callable[[str, int], None] | None = None,
) -> None:
    """Work until `stop` is set, or SIGTERM or SIGINT when it is None. `started` hears the worker's name and metrics port.

    Jobs under way get `grace_s` to end; the rest is given back without losing an attempt.
    Raises OSError or asyncpg errors when Postgres does not answer at the start.
    """
    if stop is None:
        configure_logging(settings, part="worker")
        stop = _stop_on_signals()
    async with compose(settings) as parts:
        show_pool("worker", parts.deps.db)
        show_objects(settings.objects)
        site = await serve_metrics(settings.host, settings.metrics_port)
        try:
            _log.info("worker started", worker=parts.name, jobs=sorted(crew.jobs), metrics_port=site.port)
            if started is not None:
                started(parts.name, site.port)
            await _work(settings, parts, crew, stop)
            _log.info("worker stopped", worker=parts.name)
        finally:
            await site.close()


async def _work(settings: Settings, parts: Parts, crew: Crew, stop: asyncio.Event) -> None:
    ledger = Ledger(parts.deps.db, parts.name, {kind: handler.lease_s for kind, handler in crew.jobs.items()})
    doorbell = Doorbell(settings.redis_url)
    runner = Runner(
        ledger,
        crew.jobs,
        parts.deps,
        max_jobs=settings.worker_jobs,
        on_retry=lambda job, run_at: doorbell.ring_at(job.tenant_id, job.id, job.fence, run_at),
    )
    loops: list[Coroutine[Any, Any, None]] = [
        doorbell.listen(runner),
        Sweep(ledger, runner, doorbell).run(),
        Waker(parts.deps.db, settings.redis_url).run(),
        _every(ALIVE_S, "alive", lambda: _show_alive(parts.name, doorbell, runner)),
        _every(CENSUS_S, "census", lambda: _count(ledger)),
        _every(DATABASE_S, "database", lambda: look_at_database(parts.deps.db)),
        attend(crew.duties, parts.deps),
    ]
    async with _running(loops) as broken:
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({stopped, broken}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        # The queue is still connected, so that what is given back rings at the others at once.
        await runner.drain(crew.grace_s)
        await doorbell.settle()
        await _show_gone(parts.name, doorbell)
        if broken.done():
            broken.result()


@asynccontextmanager
async def _running(loops: Sequence[Coroutine[Any, Any, None]]) -> AsyncIterator[asyncio.Future[Any]]:
    """The loops as tasks; what is yielded ends when one of them does, which none should. Leaving cancels them."""
    tasks = [asyncio.create_task(loop) for loop in loops]
    together = asyncio.gather(*tasks)
    try:
        yield together
    finally:
        await end_tasks(*tasks)
        with contextlib.suppress(asyncio.CancelledError):
            together.exception()


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _every(pause_s: float, name: str, do: Callable[[], Coroutine[Any, Any, None]]) -> None:
    while True:
        try:
            await do()
        except Exception as exc:
            metrics.LOOP_FAILURES.labels(name).inc()
            _log.debug("a round failed", loop=name, error=str(exc) or repr(exc))
        await asyncio.sleep(pause_s)


async def _show_alive(name: str, doorbell: Doorbell, runner: Runner) -> None:
    """Who works here, for `ringside doctor`. While Redis is down, Postgres' list of connections still shows it."""
    if doorbell.redis is not None:
        now = datetime.now(UTC).isoformat()
        state = {"name": name, "host": socket.gethostname(), "pid": os.getpid(), "at": now, "running": runner.running}
        await doorbell.redis.set(ALIVE_KEY + name, orjson.dumps(state), ex=FORGET_AFTER_S)


async def _show_gone(name: str, doorbell: Doorbell) -> None:
    if doorbell.redis is not None:
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            await doorbell.redis.delete(ALIVE_KEY + name)


async def _count(ledger: Ledger) -> None:
    census = await ledger.census()
    for state in ("ready", "running", "dead"):
        jobs, oldest_s = census.get(state, (0, 0.0))
        metrics.JOBS.labels(state).set(jobs)
        metrics.OLDEST.labels(state).set(oldest_s)
