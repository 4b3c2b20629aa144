"""The pool and the tenant transaction. The edge owns the transaction; features take `tx`, never the pool."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import orjson

from hub.errors import HubError, Unavailable, from_constraint
from hub.events import Event, LoggedEvent
from hub.sqlfiles import Statement, load_sql
from hub.who import Who

Connection = asyncpg.pool.PoolConnectionProxy

_SQL = load_sql("core")
_ACQUIRE_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class DeferredJob:
    """A job row this transaction inserted, as the queue is told of it after the commit."""

    id: UUID
    kind: str
    run_at: datetime | None


class Notifier(Protocol):
    """Hurries what was committed. It only hints: it may drop, it must not block and it must not raise."""

    def committed(self, tenant_id: UUID, events: Sequence[LoggedEvent], jobs: Sequence[DeferredJob]) -> None:
        """Events and jobs of one committed transaction, in order."""

    def access_changed(self) -> None:
        """A session or member was withdrawn: every process should look now rather than at its next tick."""


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

    @classmethod
    async def open(
        cls, url: str, *, notifier: Notifier | None = None, min_size: int = 1, max_size: int = 10, name: str = "ringside"
    ) -> Database:
        """Connect as the app role. Raises OSError or asyncpg errors when Postgres does not answer."""
        pool = await asyncpg.create_pool(
            url,
            min_size=min_size,
            max_size=max_size,
            max_inactive_connection_lifetime=300,
            command_timeout=30,
            reset=_reset,
            server_settings={
                "application_name": name,
                "TimeZone": "UTC",
                "statement_timeout": "15s",
                "idle_in_transaction_session_timeout": "60s",
                "jit": "off",
            },
        )
        assert pool is not None
        return cls(pool, notifier)

    async def close(self) -> None:
        """Close the pool, waiting a moment for what is under way."""
        try:
            await asyncio.wait_for(self.pool.close(), 5)
        except TimeoutError:
            self.pool.terminate()

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        """A connection of the pool; Unavailable when there is none to be had."""
        try:
            conn = await self.pool.acquire(timeout=_ACQUIRE_TIMEOUT_S)
        except TimeoutError:
            raise Unavailable("The database has no free connection. Try again in a moment.", retry_after_s=1) from None
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError) as exc:
            raise Unavailable("The database does not answer. Try again in a moment.", retry_after_s=2) from exc
        try:
            yield conn
        finally:
            await self.pool.release(conn)

    async def system_fetch(self, stmt: Statement, **params: Any) -> list[asyncpg.Record]:
        """Run a statement before a tenant is known: it can only call the SECURITY DEFINER functions."""
        sql, names = stmt.compile(params)
        async with self.acquire() as conn:
            with _translated():
                return await conn.fetch(sql, *[params[name] for name in names])

    async def system_fetchrow(self, stmt: Statement, **params: Any) -> asyncpg.Record | None:
        """The first row of `system_fetch`, or None."""
        rows = await self.system_fetch(stmt, **params)
        return rows[0] if rows else None


class Tx:
    """One transaction of one tenant. It has no commit: leaving `tenant_tx` commits, raising rolls back."""

    __slots__ = ("_context", "_events", "_jobs", "conn", "who")

    def __init__(self, conn: Connection, who: Who) -> None:
        self.conn = conn
        self.who = who
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
        return await self.conn.fetch(sql, *args)

    async def fetchrow(self, stmt: Statement, **params: Any) -> asyncpg.Record | None:
        """The first row or None."""
        sql, args = self._args(stmt, params)
        return await self.conn.fetchrow(sql, *args)

    async def fetchval(self, stmt: Statement, **params: Any) -> Any:
        """The first column of the first row, or None."""
        sql, args = self._args(stmt, params)
        return await self.conn.fetchval(sql, *args)

    async def execute(self, stmt: Statement, **params: Any) -> int:
        """Run it; the number of rows it touched."""
        sql, args = self._args(stmt, params)
        status = await self.conn.execute(sql, *args)
        last = status.rsplit(" ", 1)[-1]
        return int(last) if last.isdigit() else 0

    def emit(self, event: Event) -> None:
        """Log an event with this transaction. It gets its sequence number in the last statement before COMMIT."""
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
        who = self.who
        actor: dict[str, Any] = {"kind": "user" if who.user_id else "system", "id": who.user_id, "name": who.name or "Ringside"}
        payload = [
            {
                "type": e.type,
                "audience": e.audience,
                "actor": actor,
                "actor_id": who.user_id,
                "subject_kind": e.subject_kind,
                "subject_id": e.subject_id,
                "data": e.data,
            }
            for e in self._events
        ]
        rows = await self.fetch(_SQL["append_events"], events=orjson.dumps(payload, default=str).decode())
        return [LoggedEvent(row["seq"], row["audience"], row["frame"]) for row in rows]


@asynccontextmanager
async def tenant_tx(db: Database, who: Who, *, lasting: bool = True) -> AsyncIterator[Tx]:
    """A transaction in the context of one tenant. Leaving commits, with the events as its last statement; raising rolls back.

    No provider may be called inside. What need not survive a crash of Postgres says so by `lasting=False`, and its commit does
    not wait for the disk. Raises HubErrors for violated business rules, Unavailable when Postgres is.
    """
    async with db.acquire() as conn:
        tx = Tx(conn, who)
        with _translated():
            # Both ids are UUID objects and the role is one of five words, so nothing here can be anything but itself.
            # set_config is local to the transaction; sent together with BEGIN it costs no round trip of its own.
            await conn.execute(
                "BEGIN; %sSELECT set_config('ringside.tenant_id', '%s', true), set_config('ringside.user_id', '%s', true)"
                % ("" if lasting else "SET LOCAL synchronous_commit = off; ", who.tenant_id, who.user_id or "")
            )
            try:
                yield tx
                logged = await tx._append()
                await conn.execute("COMMIT")
            except BaseException:
                if not conn.is_closed():
                    await asyncio.shield(_rollback(conn))
                raise
    if logged or tx._jobs:
        db.notifier.committed(who.tenant_id, logged, tx._jobs)


async def _rollback(conn: Connection) -> None:
    try:
        await conn.execute("ROLLBACK", timeout=5)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        conn.terminate()


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
        if isinstance(
            exc,
            asyncpg.PostgresConnectionError
            | asyncpg.OperatorInterventionError
            | asyncpg.ReadOnlySQLTransactionError
            | asyncpg.InsufficientResourcesError
            | asyncpg.DeadlockDetectedError
            | asyncpg.InterfaceError
            | ConnectionError,
        ):
            raise Unavailable("The database could not finish this. Nothing was changed; try again.", retry_after_s=1) from exc
