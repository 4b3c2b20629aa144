"""Runs claimed jobs, a bounded number at once, and records how each attempt ended."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import structlog

from hub.errors import HubError, Unavailable
from hub.limits.gate import SHARE
from hub.tracing import CONSUMER, span
from hub.who import Who
from integrations.errors import ProviderError
from workers import metrics
from workers.job import Deps, Handler, NotNow, Permanent, Registry, Run, asked_pause_s, is_permanent
from workers.ledger import Job, Ledger, LostLease, backoff_s
from workers.slots import Holders, Room, spare_slots

Via = Literal["hint", "sweep"]
Result = Literal["done", "retried", "dead", "lost", "released", "unrecorded"]

# How long a stopped handler may take to clean up after itself before it is left behind.
_CANCEL_PATIENCE_S = 5.0

# What reaches people outside. For a company that has not paid it waits, without using up its attempts.
OUTWARD = frozenset({"calls.dial", "mail.send", "messages.send", "numbers.buy", "webhooks.deliver"})
UNPAID_PAUSE_S = 300.0

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
        self._max_jobs = max_jobs
        self._spare = spare_slots(max_jobs)
        self._on_retry = on_retry or (lambda _job, _run_at: None)
        self._attempts: dict[UUID, asyncio.Task[None]] = {}
        self._holders = Holders(SHARE)
        # What is to be claimed next, by company, while a claim of that company is under way.
        self._asked: dict[UUID, dict[UUID, asyncio.Future[Job | None]]] = {}
        self._claims: dict[UUID, asyncio.Task[None]] = {}
        self._handlers: set[asyncio.Task[None]] = set()
        self._freed = asyncio.Event()
        self._stopping = False

    @property
    def room(self) -> Room:
        """What could start now."""
        if self._stopping:
            return self._holders.room(0, 0)
        free = max(self._max_jobs - len(self._attempts), 0)
        spare = self._max_jobs + self._spare - len(self._attempts) - free
        return self._holders.room(free, spare)

    @property
    def running(self) -> int:
        """How many jobs are under way."""
        return len(self._attempts)

    async def freed(self, within_s: float | None = None) -> None:
        """Wait until a slot has become free since this last said so, no longer than `within_s`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._freed.wait()
        self._freed.clear()

    def start(self, tenant_id: UUID, job_ids: Sequence[UUID], via: Via) -> None:
        """Claim jobs of one company and work on those that are to be had; each takes a slot. Does not wait.

        All are begun, also where somebody else has asked for room at the same time: what was taken from the queue stands nowhere
        else, and would wait for the sweep. Nothing is begun any more once `drain` was called.
        """
        wanted = [job_id for job_id in dict.fromkeys(job_ids) if job_id not in self._attempts]
        if not wanted or self._stopping:
            return
        for job_id in wanted:
            task = asyncio.create_task(
                self._attempt(tenant_id, job_id, self._claimed(tenant_id, job_id), via), name=f"job {job_id}"
            )
            self._attempts[job_id] = task
            self._holders.take(tenant_id, job_id)
            task.add_done_callback(functools.partial(self._ended, tenant_id, job_id))
        metrics.RUNNING.set(len(self._attempts))

    def _ended(self, tenant_id: UUID, job_id: UUID, _task: asyncio.Task[None]) -> None:
        del self._attempts[job_id]
        self._holders.give_back(tenant_id, job_id)
        metrics.RUNNING.set(len(self._attempts))
        self._freed.set()

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

    def _claimed(self, tenant_id: UUID, job_id: UUID) -> asyncio.Future[Job | None]:
        """The claimed job once it is; None when it is not to be had."""
        claimed: asyncio.Future[Job | None] = asyncio.get_running_loop().create_future()
        asked = self._asked.get(tenant_id)
        if asked is None:
            asked = self._asked[tenant_id] = {}
            self._claims[tenant_id] = asyncio.create_task(self._claim(tenant_id), name=f"claims of {tenant_id}")
        asked[job_id] = claimed
        return claimed

    async def _claim(self, tenant_id: UUID) -> None:
        # One claim of a company at a time; what comes meanwhile is the next one, so that a flood is claimed in large pieces.
        while asked := self._asked[tenant_id]:
            self._asked[tenant_id] = {}
            try:
                jobs = await self._ledger.claim_all(tenant_id, list(asked))
            except Exception as exc:
                # The rows are as they were, or leased by nobody who works on them: the sweep finds them either way.
                error = str(exc) or repr(exc)
                _log.warning("jobs could not be claimed", tenant_id=str(tenant_id), jobs=len(asked), error=error)
                jobs = {}
            for job_id, claimed in asked.items():
                if not claimed.done():
                    claimed.set_result(jobs.get(job_id))
        del self._asked[tenant_id], self._claims[tenant_id]

    async def _attempt(self, tenant_id: UUID, job_id: UUID, claimed: asyncio.Future[Job | None], via: Via) -> None:
        job = await claimed
        if job is None:
            return
        structlog.contextvars.bind_contextvars(job_id=str(job_id), tenant_id=str(tenant_id))
        structlog.contextvars.bind_contextvars(kind=job.kind, attempt=job.attempts, request_id=job.request_id)
        # A kind that nobody here knows could be any text.
        kind = job.kind if job.kind in self._registry else "unknown"
        metrics.START_DELAY.labels(via).observe(max(job.waited_s, 0.0))
        metrics.WAIT.labels(kind).observe(max(job.waited_s, 0.0))
        begun = time.perf_counter()
        try:
            with span(f"job {kind}", CONSUMER, parent=job.trace) as here:
                result = await self._work(job)
                here.set_attribute("ringside.result", result)
        except LostLease:
            result = "lost"
            _log.warning("another worker has this job: nothing of this attempt counts")
        except Exception as exc:
            # Postgres did not take the record. The lease runs out and the job comes back.
            result = "unrecorded"
            _log.error("the end of a job could not be recorded; it will run again", error=str(exc) or repr(exc))
        seconds = time.perf_counter() - begun
        metrics.ATTEMPTS.labels(kind, result).inc()
        metrics.SECONDS.labels(kind).observe(seconds)
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
        if job.kind in OUTWARD and self._deps.restrictions.of(job.tenant_id) is not None:
            self._on_retry(job, await self._ledger.release(job, UNPAID_PAUSE_S))
            return "released"
        run = Run(self._ledger, job, self._deps, handler.timeout_s, lambda: bool(self._holders.about() - {job.tenant_id}))
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
                self._on_retry(job, await self._ledger.release(job))
                return "released"
            return await self._failed(job, handler, "It was cancelled.", permanent=False, asked_s=None)
        exc = working.exception()
        if exc is None:
            async with self._ledger.finish(job, Who.system(job.tenant_id, job.request_id)):
                return "done"
        if isinstance(exc, LostLease):
            raise exc
        if isinstance(exc, NotNow):
            self._on_retry(job, await self._ledger.release(job, exc.delay_s))
            return "released"
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
