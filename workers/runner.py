"""Runs claimed jobs, a bounded number at once, and records how each attempt ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Literal
from uuid import UUID

import structlog

from hub.errors import HubError, Unavailable
from hub.who import Who
from integrations.errors import ProviderError
from workers import metrics
from workers.job import Deps, Handler, Permanent, Registry, Run, asked_pause_s, is_permanent
from workers.ledger import Job, Ledger, LostLease, backoff_s

Via = Literal["hint", "sweep"]
Result = Literal["done", "retried", "dead", "lost", "released", "unrecorded"]

# How long a stopped handler may take to clean up after itself before it is left behind.
_CANCEL_PATIENCE_S = 5.0

_log = structlog.get_logger(__name__)


class Runner:
    """Takes jobs by id. `on_retry` hears of every job that will be due again, so that its hint can be sent."""

    def __init__(
        self,
        ledger: Ledger,
        registry: Registry,
        deps: Deps,
        *,
        max_jobs: int,
        on_retry: Callable[[Job, datetime], None] | None = None,
    ) -> None:
        self._ledger = ledger
        self._registry = registry
        self._deps = deps
        self._slots = asyncio.Semaphore(max_jobs)
        self._max_jobs = max_jobs
        self._on_retry = on_retry or (lambda _job, _run_at: None)
        self._attempts: dict[UUID, asyncio.Task[None]] = {}
        self._handlers: set[asyncio.Task[None]] = set()
        self._stopping = False

    @property
    def free(self) -> int:
        """How many more jobs could start now."""
        return 0 if self._stopping else self._max_jobs - len(self._attempts)

    @property
    def running(self) -> int:
        """How many jobs are under way."""
        return len(self._attempts)

    async def room(self) -> None:
        """Wait until a job could start; for ever once this is stopping."""
        async with self._slots:
            pass
        if self._stopping:
            await asyncio.Event().wait()

    async def take(self, tenant_id: UUID, job_id: UUID, via: Via) -> None:
        """Wait for a free slot and start the job in it, unless somebody else has it; does not wait for its end."""
        await self._slots.acquire()
        if self._stopping or job_id in self._attempts:
            self._slots.release()
            return
        task = asyncio.create_task(self._attempt(tenant_id, job_id, via), name=f"job {job_id}")
        self._attempts[job_id] = task
        metrics.RUNNING.set(len(self._attempts))
        task.add_done_callback(lambda _: self._ended(job_id))

    def _ended(self, job_id: UUID) -> None:
        del self._attempts[job_id]
        metrics.RUNNING.set(len(self._attempts))
        self._slots.release()

    async def drain(self, grace_s: float) -> None:
        """Take nothing more; let what is under way end within `grace_s`, then stop it and give it back."""
        self._stopping = True
        if self._attempts:
            await asyncio.wait(list(self._attempts.values()), timeout=grace_s)
        for handler in list(self._handlers):
            handler.cancel()
        if self._attempts:
            await asyncio.wait(list(self._attempts.values()), timeout=_CANCEL_PATIENCE_S)
        for attempt in list(self._attempts.values()):
            attempt.cancel()

    async def _attempt(self, tenant_id: UUID, job_id: UUID, via: Via) -> None:
        structlog.contextvars.bind_contextvars(job_id=str(job_id), tenant_id=str(tenant_id))
        try:
            job = await self._ledger.claim(tenant_id, job_id)
        except Exception as exc:
            # The row is as it was, or leased by nobody who works on it: the sweep finds it either way.
            _log.warning("a job could not be claimed", error=str(exc) or repr(exc))
            return
        if job is None:
            return
        structlog.contextvars.bind_contextvars(kind=job.kind, attempt=job.attempts, request_id=job.request_id)
        metrics.START_DELAY.labels(via).observe(max(job.waited_s, 0.0))
        begun = time.perf_counter()
        try:
            result = await self._work(job)
        except LostLease:
            result = "lost"
            _log.warning("another worker has this job: nothing of this attempt counts")
        except Exception as exc:
            # Postgres did not take the record. The lease runs out and the job comes back.
            result = "unrecorded"
            _log.error("the end of a job could not be recorded; it will run again", error=str(exc) or repr(exc))
        seconds = time.perf_counter() - begun
        metrics.ATTEMPTS.labels(job.kind, result).inc()
        metrics.SECONDS.labels(job.kind).observe(seconds)
        _log.info("job " + result, seconds=round(seconds, 4), waited_s=round(job.waited_s, 4), via=via)

    async def _work(self, job: Job) -> Result:
        handler = self._registry.get(job.kind)
        if handler is None:
            unknown = f"No worker here knows the job {job.kind!r}. Is this worker older than the server?"
            return await self._failed(job, None, unknown, permanent=False, asked_s=None)
        if job.attempts > _allowed(job, handler):
            worn_out = f"Its worker died or overran its {handler.timeout_s:g} s in the last of {_allowed(job, handler)} attempts."
            await self._ledger.bury(job, worn_out, max_attempts=_allowed(job, handler), started=False)
            return "dead"
        run = Run(self._ledger, job, self._deps, handler.timeout_s)
        # A task of its own, so that stopping the worker stops the handler and never the recording of its end.
        working = asyncio.create_task(_handle(handler, run))
        self._handlers.add(working)
        beating = asyncio.create_task(run.beat()) if handler.beats else None
        try:
            await asyncio.wait({working})
        finally:
            self._handlers.discard(working)
            if beating is not None:
                beating.cancel()
        if run.finished:
            _report_afterthought(working)
            return "done"
        if working.cancelled():
            if self._stopping:
                await self._ledger.release(job)
                self._on_retry(job, datetime.now().astimezone())
                return "released"
            return await self._failed(job, handler, "It was cancelled.", permanent=False, asked_s=None)
        exc = working.exception()
        if exc is None:
            async with self._ledger.finish(job, Who.system(job.tenant_id, job.request_id)):
                return "done"
        if isinstance(exc, LostLease):
            raise exc
        permanent = is_permanent(exc)
        _log.warning("a job failed", permanent=permanent, exc_info=None if _is_expected(exc) else exc, error=_in_words(exc))
        return await self._failed(job, handler, _in_words(exc), permanent=permanent, asked_s=asked_pause_s(exc))

    async def _failed(self, job: Job, handler: Handler | None, error: str, *, permanent: bool, asked_s: float | None) -> Result:
        allowed = _allowed(job, handler)
        if permanent or job.attempts >= allowed:
            await self._ledger.bury(job, error, max_attempts=allowed)
            return "dead"
        delay_s = backoff_s(job.attempts, handler.backoff_s if handler else 5.0, asked_s)
        run_at = await self._ledger.retry(job, error, delay_s=delay_s, max_attempts=allowed)
        self._on_retry(job, run_at)
        return "retried"


async def _handle(handler: Handler, run: Run) -> None:
    try:
        async with run.limited() as limit:
            await handler.function(run)
    except TimeoutError as exc:
        if limit.expired():
            raise TimeoutError(f"It took longer than the {handler.timeout_s:g} s it has.") from exc
        raise


def _allowed(job: Job, handler: Handler | None) -> int:
    if handler is None or handler.max_attempts is None:
        return job.max_attempts
    return handler.max_attempts


def _is_expected(exc: BaseException) -> bool:
    return isinstance(exc, ProviderError | HubError | Permanent | TimeoutError)


def _in_words(exc: BaseException) -> str:
    if isinstance(exc, Unavailable | HubError):
        return exc.message
    if _is_expected(exc) and str(exc):
        return str(exc)
    return f"{type(exc).__name__}: {exc}"


def _report_afterthought(working: asyncio.Task[None]) -> None:
    exc = None if working.cancelled() else working.exception()
    if exc is not None:
        _log.error("a handler failed after it had finished its job", exc_info=exc)
