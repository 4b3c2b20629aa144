"""Periodic duties. Every worker knows them all; whoever is first does one, the others find it taken and wait for the next time.

    @duty(every_s=5)
    async def check_silent_calls(deps: Deps) -> None: ...

A duty may be repeated, and done twice at once, without harm.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import ModuleType

import structlog

from hub.db import Connection
from hub.sqlfiles import Statement, load_sql
from workers import metrics
from workers.job import Deps

_SQL = load_sql("jobs")
_HOUR_S = 3600.0
# A duty that failed is tried again this soon, if it is not due sooner anyway.
_AGAIN_S = 60.0
# Each holds a connection for its lock while it asks for another to work with. All at once they would take the whole pool and
# wait for each other, as they did at every start of a worker.
AT_ONCE = 3

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to do every so often."""

    name: str
    every_s: float
    function: Callable[[Deps], Awaitable[None]]
    jitter_s: float = 0.0


def duty(*, every_s: float, jitter_s: float = 0.0) -> Callable[[Callable[[Deps], Awaitable[None]]], Duty]:
    """Declare a duty; it is named after its function. First when a worker starts, then up to `jitter_s` later than due."""

    def declare(function: Callable[[Deps], Awaitable[None]]) -> Duty:
        return Duty(getattr(function, "__name__", "duty"), every_s, function, jitter_s)

    return declare


def duties_of(*modules: ModuleType) -> tuple[Duty, ...]:
    """The duties of these modules. Two of one name are a programming error."""
    found = tuple(value for module in modules for value in vars(module).values() if isinstance(value, Duty))
    if len({one.name for one in found}) < len(found):
        raise RuntimeError("two duties have one name")
    return found


async def attend(duties: Sequence[Duty], deps: Deps) -> None:
    """See to all duties until cancelled, a few at a time."""
    turn = asyncio.Semaphore(AT_ONCE)
    async with asyncio.TaskGroup() as group:
        for one in duties:
            group.create_task(_repeat(one, deps, turn), name=f"duty {one.name}")


async def _repeat(one: Duty, deps: Deps, turn: asyncio.Semaphore) -> None:
    while True:
        begun = time.monotonic()
        pause_s = one.every_s + random.uniform(0, one.jitter_s)  # noqa: S311 - only spreads the load
        result = "done"
        try:
            async with turn:
                if not await _do(one, deps):
                    result = "taken"
        except Exception as exc:
            result = "failed"
            pause_s = min(pause_s, _AGAIN_S)
            _log.warning("a duty failed", duty=one.name, error=str(exc) or repr(exc))
        metrics.DUTIES.labels(one.name, result).inc()
        await asyncio.sleep(max(pause_s - (time.monotonic() - begun), 0.01))


async def _do(one: Duty, deps: Deps) -> bool:
    async with deps.db.acquire() as conn, conn.transaction():
        # This transaction only holds the lock, and has nothing to say while the duty works.
        await conn.execute("SET LOCAL idle_in_transaction_session_timeout = '70s'")
        if not await _locked(conn, one.name):
            return False
        await one.function(deps)
        return True


async def _locked(conn: Connection, name: str) -> bool:
    sql, _ = _SQL["try_duty_lock"].compile({"name": name})
    return bool(await conn.fetchval(sql, name))


async def _call(deps: Deps, stmt: Statement) -> None:
    await deps.db.system_fetch(stmt)


@duty(every_s=_HOUR_S)
async def prepare_event_log(deps: Deps) -> None:
    """Make the event log's weeks ahead and drop the old ones."""
    await _call(deps, _SQL["ensure_event_partitions"])
    await _call(deps, _SQL["drop_old_events"])


@duty(every_s=_HOUR_S)
async def forget_finished_jobs(deps: Deps) -> None:
    """Delete what was finished long ago."""
    await _call(deps, _SQL["jobs_forget"])


@duty(every_s=_HOUR_S)
async def forget_old_answers(deps: Deps) -> None:
    """Delete answers and webhooks that nobody repeats any more."""
    await _call(deps, _SQL["idempotency_forget"])
    await _call(deps, _SQL["webhook_deliveries_forget"])


@duty(every_s=_HOUR_S / 4)
async def forget_dead_sessions(deps: Deps) -> None:
    """Delete dead sessions and old withdrawals."""
    await _call(deps, _SQL["auth_sweep"])
    await _call(deps, _SQL["account_sweep"])
