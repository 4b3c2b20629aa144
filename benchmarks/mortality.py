"""Workers that die: at any statement, at any commit, before, during and after any word with a provider.

A life has so many steps. At the last of them nothing of the worker goes on any more: the coroutine that is there never comes
back, what a `finally` still tries to do is refused, and transactions are rolled back, as Postgres does when a client is gone.
What was on its way to the provider arrives.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import asyncpg

from hub.db import Connection, Database
from integrations.mail import Mailbox, Mailboxes, ServerAccount


class Dead(ConnectionError):
    """What is left of a dead worker asks in vain."""


# Which steps a life is counted in: all of them, commits, or those with the provider.
Counted = Literal["all", "commits", "requests"]
_OF_POSTGRES = ("begin", "statement", "commit")


class Life:
    """A worker's life, of so many steps (None: until it is told to stop). `where` is the step at which it ended."""

    def __init__(self, steps: int | None = None, counted: Counted = "all") -> None:
        self.left = steps
        self.counted = counted
        self.where = ""
        self.over = asyncio.Event()
        # What was on its way when the worker died, and arrives all the same.
        self.on_the_way: set[asyncio.Task[Any]] = set()
        self.seen: Counter[str] = Counter()

    async def step(self, name: str) -> None:
        """One more step; the last one is never over. Raises Dead after it."""
        if self.over.is_set():
            raise Dead("This worker is dead.")
        self.seen[name] += 1
        if self.left is None or not self._counts(name.rpartition(" ")[2]):
            return
        self.left -= 1
        if self.left <= 0:
            self.where = name
            self.over.set()
            await asyncio.Event().wait()

    def _counts(self, what: str) -> bool:
        if self.counted == "requests":
            return what not in _OF_POSTGRES
        return self.counted == "all" or what == "commit"

    async def settle(self) -> None:
        """Wait until everything that was on its way has arrived."""
        if self.on_the_way:
            await asyncio.wait(self.on_the_way)


class _MortalConnection:
    """A connection whose every statement is a step before it, and one after it."""

    def __init__(self, conn: Connection, life: Life) -> None:
        self._conn = conn
        self._life = life

    def __getattr__(self, name: str) -> Any:
        return getattr(self._conn, name)

    async def execute(self, sql: str, *args: Any, **options: Any) -> Any:
        """Run it."""
        if sql == "ROLLBACK":
            # Postgres would do it by itself. A new connection for each life would cost more than all that is measured.
            return await self._conn.execute(sql, *args, **options)
        word = "commit" if sql == "COMMIT" else "begin" if sql.startswith("BEGIN") else "statement"
        await self._life.step(f"before {word}")
        done = await self._conn.execute(sql, *args, **options)
        await self._life.step(f"after {word}")
        return done

    async def fetch(self, sql: str, *args: Any, **options: Any) -> Any:
        """All rows."""
        await self._life.step("before statement")
        rows = await self._conn.fetch(sql, *args, **options)
        await self._life.step("after statement")
        return rows

    async def fetchrow(self, sql: str, *args: Any, **options: Any) -> Any:
        """The first row."""
        await self._life.step("before statement")
        row = await self._conn.fetchrow(sql, *args, **options)
        await self._life.step("after statement")
        return row

    async def fetchval(self, sql: str, *args: Any, **options: Any) -> Any:
        """The first value."""
        await self._life.step("before statement")
        value = await self._conn.fetchval(sql, *args, **options)
        await self._life.step("after statement")
        return value


class MortalDatabase(Database):
    """A worker's way to Postgres, for as long as it lives."""

    def __init__(self, pool: asyncpg.Pool, life: Life) -> None:
        super().__init__(pool)
        self._life = life

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        """A connection that ends with the worker."""
        if self._life.over.is_set():
            raise Dead("This worker is dead.")
        async with super().acquire() as conn:
            mortal: Any = _MortalConnection(conn, self._life)
            try:
                yield mortal
            finally:
                if self._life.over.is_set() and not conn.is_closed() and conn.is_in_transaction():
                    conn.terminate()


class _MortalMailbox:
    """A mailbox at its provider, where every request is a step before, one during and one after it."""

    def __init__(self, mailbox: Mailbox, life: Life) -> None:
        self._mailbox = mailbox
        self._life = life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._mailbox, name)
        if not inspect.iscoroutinefunction(found) or name == "close":
            return found

        async def asked(*args: Any, **options: Any) -> Any:
            life = self._life
            await life.step(f"before {name}")
            request = asyncio.ensure_future(found(*args, **options))
            life.on_the_way.add(request)
            request.add_done_callback(lambda done: done.cancelled() or done.exception())
            await life.step(f"during {name}")
            try:
                # A dead worker's request is not taken back.
                answer = await asyncio.shield(request)
            finally:
                if request.done():
                    life.on_the_way.discard(request)
            await life.step(f"after {name}")
            return answer

        return asked


class MortalMailboxes:
    """The `Mailboxes` port, for as long as a worker lives."""

    def __init__(self, mailboxes: Mailboxes, life: Life) -> None:
        self._mailboxes = mailboxes
        self._life = life

    def gmail(self, address: str, refresh_token: str) -> Mailbox:
        """A Gmail mailbox."""
        mortal: Any = _MortalMailbox(self._mailboxes.gmail(address, refresh_token), self._life)
        return mortal  # type: ignore[no-any-return]

    def server(self, account: ServerAccount) -> Mailbox:
        """A mailbox by IMAP and SMTP."""
        mortal: Any = _MortalMailbox(self._mailboxes.server(account), self._life)
        return mortal  # type: ignore[no-any-return]
