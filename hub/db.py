"""The pool and the tenant transaction. The edge owns the transaction; features take `tx`, never the pool."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import orjson
import structlog
from prometheus_client import Counter, Histogram

from hub.config import Prepared
from hub.errors import HubError, Unavailable, from_constraint
from hub.events import Event, LoggedEvent
from hub.sealing import Seals
from hub.sqlfiles import Statement, load_sql
from hub.tracing import span, traceparent
from hub.who import Who

Connection = asyncpg.pool.PoolConnectionProxy

_SQL = load_sql("core")
_ACQUIRE_TIMEOUT_S = 5.0
# BEGIN waits for nobody: a server that lives answers at once, and silence means that the line is dead.
_BEGIN_TIMEOUT_S = 5.0
# A statement is ended by Postgres before (statement_timeout, below): who is silent for longer will not answer any more.
_COMMAND_TIMEOUT_S = 17.0
_NOBODY_WAITS: AbstractAsyncContextManager[None] = nullcontext()
# What every session is bound by. Behind a pooler the role's own settings do it (sql/roles.sql).
# As in sql/roles.sql, for roles that were made by hand.
# Who is idle inside a transaction for that long is gone: the line is dead, or the process stopped. Its locks, the company's
# event counter among them, hold everybody up until then.
_LIMITS = {"statement_timeout": "15s", "lock_timeout": "10s", "idle_in_transaction_session_timeout": "10s", "jit": "off"}
# What says that Postgres is down, about to be, full, or not to be reached.
_UNAVAILABLE = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that broke in the middle of a word
)
_TRY_AGAIN = (
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.InvalidTransactionStateError,  # its time was up
)
_WAIT = Histogram(
    "ringside_pool_wait_seconds",
    "How long a connection of the pool was waited for.",
    buckets=(0.0005, 0.002, 0.01, 0.05, 0.2, 1.0, 5.0),
)
_EXHAUSTED = Counter("ringside_pool_exhausted_total", "Times when no connection of the pool came free in time.")
_log = structlog.get_logger("hub.db")


@dataclass(frozen=True, slots=True)
class DeferredJob:
    """A job row this transaction inserted, as the queue is told of it after the commit."""

    id: UUID
    kind: str
    run_at: datetime | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What was done to which, as the audit log keeps it. `details` hold ids, settings and counts, never a contact's name."""

    action: str
    subject_kind: str = ""
    subject_id: UUID | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


class Notifier(Protocol):
    """Hurries what was committed. It only hints: it may drop, it must not block and it must not raise."""

    def committed(self, tenant_id: UUID, events: Sequence[LoggedEvent], jobs: Sequence[DeferredJob]) -> None:
        """Events and jobs of one committed transaction, in order."""

    def access_changed(self) -> None:
        """A session or member was withdrawn: every process should look now rather than at its next tick."""


class Turns(Protocol):
    """Lets companies have connections in their turns."""

    def turn(self, tenant_id: UUID) -> AbstractAsyncContextManager[None]:
        """Inside, the company may take a connection. Raises TooMany and Unavailable."""


class _Silent:
    def committed(self, tenant_id: UUID, events: Sequence[LoggedEvent], jobs: Sequence[DeferredJob]) -> None:
        pass

    def access_changed(self) -> None:
        pass


class Database:
    """A pool as the app role, and who to tell after a commit. Made once by a composition root."""

    def __init__(self, pool: asyncpg.Pool, notifier: Notifier | None = None) -> None:
        self.pool = pool
        self.notifier: Notifier = notifier or _Silent()
        self.turns: Turns | None = None
        # What secrets at rest are sealed with; the composition roots give it.
        self.seals: Seals | None = None

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        notifier: Notifier | None = None,
        min_size: int = 1,
        max_size: int = 10,
        name: str = "ringside",
        prepared: Prepared = "auto",
    ) -> Database:
        """Connect as the app role. Raises OSError or asyncpg errors when Postgres does not answer.

        `prepared` is whether statements are prepared once a connection; "auto" does so unless a pooler stands between, most of
        which lose them from one transaction to the next.
        """
        sizes = {"min_size": min_size, "max_size": max_size}
        session = {"application_name": name, "TimeZone": "UTC"}
        if prepared == "auto":
            try:
                return cls(await _open_pool(url, session | _LIMITS, init=_expect_no_pooler, **sizes), notifier)
            except (_Pooler, asyncpg.ProtocolViolationError):
                # PgBouncer refuses settings it does not know (08P01) unless it is told to ignore them.
                _log.info("a pooler stands before the database: statements are not prepared", pool=name)
        # Behind a pooler it is the role that says how long statements may take.
        more = {} if prepared == "yes" else {"statement_cache_size": 0}
        return cls(await _open_pool(url, session, **more, **sizes), notifier)

    async def close(self) -> None:
        """Close the pool, waiting a moment for what is under way."""
        try:
            await asyncio.wait_for(self.pool.close(), 5)
        except TimeoutError:
            self.pool.terminate()

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        """A connection of the pool; Unavailable when there is none to be had."""
        asked_at = time.perf_counter()
        try:
            conn = await self.pool.acquire(timeout=_ACQUIRE_TIMEOUT_S)
        except TimeoutError:
            _EXHAUSTED.inc()
            raise Unavailable("The database has no free connection. Try again in a moment.", retry_after_s=1) from None
        except (OSError, *_UNAVAILABLE) as exc:
            raise Unavailable("The database does not answer. Try again in a moment.", retry_after_s=2) from exc
        _WAIT.observe(time.perf_counter() - asked_at)
        try:
            yield conn
        except (TimeoutError, Unavailable) as exc:
            if _is_silence(exc):
                # A dead line is rarely the only one: whatever took it (a failover, a firewall) took the idle ones, too.
                _hang_up(conn)
                await self.pool.expire_connections()
            raise
        finally:
            await self.pool.release(conn)

    async def system_fetch(self, stmt: Statement, **params: Any) -> list[asyncpg.Record]:
        """Run a statement before a tenant is known: it can only call the SECURITY DEFINER functions."""
        sql, names = stmt.compile(params)
        async with self.acquire() as conn:
            with _translated(), span(stmt.name):
                return await conn.fetch(sql, *[params[name] for name in names])

    async def system_fetchrow(self, stmt: Statement, **params: Any) -> asyncpg.Record | None:
        """The first row of `system_fetch`, or None."""
        rows = await self.system_fetch(stmt, **params)
        return rows[0] if rows else None


class Tx:
    """One transaction of one tenant. It has no commit: leaving `tenant_tx` commits, raising rolls back."""

    __slots__ = ("_context", "_events", "_jobs", "conn", "seals", "who")

    def __init__(self, conn: Connection, who: Who, seals: Seals | None = None) -> None:
        self.conn = conn
        self.who = who
        self.seals = seals
        self._context: Mapping[str, Any] = {"tenant_id": who.tenant_id, "user_id": who.user_id}
        self._events: list[Event] = []
        self._jobs: list[DeferredJob] = []

    def _args(self, stmt: Statement, params: Mapping[str, Any]) -> tuple[str, list[Any]]:
        sql, names = stmt.compile(params)
        context = self._context
        return sql, [params[name] if name in params else context[name] for name in names]

    async def fetch(self, stmt: Statement, **params: Any) -> list[asyncpg.Record]:
        """All rows. `:tenant_id` and `:user_id` are filled in from who acts."""
        sql, args = self._args(stmt, params)
        with span(stmt.name):
            return await self.conn.fetch(sql, *args)

    async def fetchrow(self, stmt: Statement, **params: Any) -> asyncpg.Record | None:
        """The first row or None."""
        sql, args = self._args(stmt, params)
        with span(stmt.name):
            return await self.conn.fetchrow(sql, *args)

    async def fetchval(self, stmt: Statement, **params: Any) -> Any:
        """The first column of the first row, or None."""
        sql, args = self._args(stmt, params)
        with span(stmt.name):
            return await self.conn.fetchval(sql, *args)

    async def execute(self, stmt: Statement, **params: Any) -> int:
        """Run it; the number of rows it touched."""
        sql, args = self._args(stmt, params)
        with span(stmt.name):
            status = await self.conn.execute(sql, *args)
        last = status.rsplit(" ", 1)[-1]
        return int(last) if last.isdigit() else 0

    async def audit(self, entries: Sequence[AuditEntry]) -> None:
        """Write these into the audit log, as done by who acts. Features call `hub.audit.actions.record`."""
        who = self.who
        await self.execute(
            _SQL["append_audit"],
            session_id=who.session_id,
            address=who.address,
            request_id=who.request_id,
            actions=[e.action for e in entries],
            subject_kinds=[e.subject_kind for e in entries],
            subject_ids=[e.subject_id for e in entries],
            details=[orjson.dumps(e.details, default=str).decode() for e in entries],
        )

    def emit(self, event: Event) -> None:
        """Log an event with this transaction. It gets its sequence number in the last statement before COMMIT."""
        self._events.append(event)

    def emit_once(self, event: Event) -> None:
        """The same, unless this transaction has the very same event already."""
        if event not in self._events:
            self._events.append(event)

    async def defer(
        self,
        kind: str,
        args: Mapping[str, Any],
        *,
        run_at: datetime | None = None,
        key: str | None = None,
        max_attempts: int = 8,
    ) -> UUID | None:
        """Insert a job with this transaction; None when `key` is already taken for this kind."""
        job_id: UUID | None = await self.fetchval(
            _SQL["insert_job"],
            kind=kind,
            args=orjson.dumps(args, default=str).decode(),
            run_at=run_at,
            key=key,
            max_attempts=max_attempts,
            request_id=self.who.request_id,
            trace=traceparent(),
        )
        if job_id is not None:
            self._jobs.append(DeferredJob(job_id, kind, run_at))
        return job_id

    def hurry(self, job: DeferredJob) -> None:
        """Tell the queue, after the commit, of a job row that this transaction made due again."""
        self._jobs.append(job)

    async def _append(self) -> list[LoggedEvent]:
        if not self._events:
            return []
        events = self._events
        who = Who.system(self.who.tenant_id) if all(e.nameless for e in events) else self.who
        actor: dict[str, Any] = {"kind": "user" if who.user_id else "system", "id": who.user_id, "name": who.name or "Ringside"}
        data = [orjson.dumps(e.data, default=str).decode() for e in events]
        audited = [_as_entry(e, text) for e, text in zip(events, data, strict=True) if e.audited]
        if audited:
            await self.audit(audited)
        rows = await self.fetch(
            _SQL["append_events"],
            actor=orjson.dumps(actor, default=str).decode(),
            actor_id=who.user_id,
            types=[e.type for e in events],
            audiences=[e.audience for e in events],
            subject_kinds=[e.subject_kind for e in events],
            subject_ids=[e.subject_id for e in events],
            data=data,
        )
        return [LoggedEvent(*row) for row in rows]


def _as_entry(event: Event, data: str) -> AuditEntry:
    details: dict[str, Any] = {}
    if event.audit_fields:
        said = orjson.loads(data)
        for place in event.audit_fields:
            value = said
            for step in place.split("."):
                value = value.get(step) if isinstance(value, dict) else None
            details[place.rpartition(".")[2]] = value
    return AuditEntry(event.type, event.subject_kind, event.subject_id, details)


@asynccontextmanager
async def tenant_tx(db: Database, who: Who, *, lasting: bool = True) -> AsyncIterator[Tx]:
    """A transaction in the context of one tenant. Leaving commits, with the events as its last statement; raising rolls back.

    No provider may be called inside. What need not survive a crash of Postgres says so by `lasting=False`, and its commit does
    not wait for the disk. Raises HubErrors for violated business rules, Unavailable when Postgres is.
    """
    turn = _NOBODY_WAITS if db.turns is None else db.turns.turn(who.tenant_id)
    async with turn, db.acquire() as conn:
        tx = Tx(conn, who, db.seals)
        with _translated(), span("transaction"):
            # Both ids are UUID objects and the role is one of five words, so nothing here can be anything but itself.
            # SET LOCAL is undone with the transaction; sent together with BEGIN it costs no round trip of its own, and half of
            # what Postgres takes to plan and run a SELECT of set_config().
            await conn.execute(
                "BEGIN; %sSET LOCAL ringside.tenant_id = '%s'; SET LOCAL ringside.user_id = '%s'"
                % ("" if lasting else "SET LOCAL synchronous_commit = off; ", who.tenant_id, who.user_id or ""),
                timeout=_BEGIN_TIMEOUT_S,
            )
            try:
                yield tx
                logged = await tx._append()
                await _commit(conn)
            except BaseException as exc:
                if _is_silence(exc):
                    _hang_up(conn)
                elif not _is_gone(conn):
                    await _undo(conn)
                raise
    if logged or tx._jobs:
        db.notifier.committed(who.tenant_id, logged, tx._jobs)


def _is_silence(exc: BaseException) -> bool:
    return isinstance(exc, TimeoutError) or isinstance(exc.__cause__, TimeoutError)


def _is_gone(conn: Connection) -> bool:
    try:
        return bool(conn.is_closed())
    except asyncpg.InterfaceError:
        # It broke, and has left the pool already; asking it anything raises.
        return True


def _hang_up(conn: Connection) -> None:
    # Who is terminated a second time has left the pool.
    with suppress(asyncpg.InterfaceError):
        conn.terminate()


async def _commit(conn: Connection) -> None:
    try:
        await conn.execute("COMMIT")
    except (ConnectionError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError) as exc:
        # Nobody knows: the answer was lost, and perhaps only that.
        said = "The database was lost at the very end: this may be done. Look, or try again with the same Idempotency-Key."
        raise Unavailable(said, retry_after_s=1) from exc


async def _undo(conn: Connection) -> None:
    """Roll back, also when cancelled. Who is cancelled again meanwhile does not leave a busy connection to the next one."""
    try:
        await asyncio.shield(_rollback(conn))
    except asyncio.CancelledError:
        conn.terminate()
        raise


async def _rollback(conn: Connection) -> None:
    try:
        await conn.execute("ROLLBACK", timeout=5)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        _hang_up(conn)


class _Pooler(Exception):
    """Who answers is not the process that does the work."""


async def _expect_no_pooler(conn: asyncpg.Connection) -> None:
    # A pooler hands out keys for cancelling of its own making; Postgres' begin with the pid of the process that serves us.
    # Asked by a statement without arguments, which is not prepared: it would stay behind in the pooler for others to trip over.
    try:
        await conn.execute(f"SELECT 1 / (pg_backend_pid() = {conn.get_server_pid():d})::int")
    except asyncpg.DivisionByZeroError:
        raise _Pooler from None


async def _open_pool(url: str, session: Mapping[str, str], **more: Any) -> asyncpg.Pool:
    pool = await asyncpg.create_pool(
        url,
        max_inactive_connection_lifetime=300,
        command_timeout=_COMMAND_TIMEOUT_S,
        reset=_reset,
        server_settings=dict(session),
        **more,
    )
    assert pool is not None
    return pool


async def _reset(conn: asyncpg.Connection) -> None:
    # Only transaction-local settings are used, so a connection is clean once it is out of its transaction.
    if conn.is_in_transaction():
        conn.terminate()


class _translated:  # noqa: N801 - reads as a clause
    """Turns what the driver raises into what a user can be told."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: object) -> None:
        if exc is None or isinstance(exc, HubError):
            return
        if isinstance(exc, asyncpg.IntegrityConstraintViolationError):
            rule = from_constraint(exc.constraint_name)
            if rule is not None:
                raise rule from exc
        if isinstance(exc, (*_UNAVAILABLE, *_TRY_AGAIN, ConnectionError, TimeoutError)):
            raise Unavailable("The database could not finish this. Nothing was changed; try again.", retry_after_s=1) from exc
