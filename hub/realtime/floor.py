"""All the feeds of this process: made with a tenant's first socket, forgotten with its last, ticked by one query."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from hub.db import Database
from hub.errors import NotFound
from hub.events import LoggedEvent
from hub.hints import Hint
from hub.realtime.feed import Feed
from hub.realtime.log import Head, Page, read_after, read_heads
from hub.realtime.metrics import FEED_BEHIND, FEEDS, HINTS
from hub.tracing import CONSUMER, span

# Reconnecting sockets must not take the pool from the requests.
_READS_AT_ONCE = 3


@dataclass(slots=True)
class _Open:
    feed: Feed
    sockets: int
    starting: asyncio.Task[None] | None


class Floor:
    """The feeds of the tenants that have a socket here. `watched` hears of tenants that come and go."""

    def __init__(self, db: Database, process: str) -> None:
        self.watched: Callable[[UUID, bool], None] | None = None
        self._db = db
        self._process = process
        self._open: dict[UUID, _Open] = {}
        self._reads = asyncio.Semaphore(_READS_AT_ONCE)

    @property
    def tenants(self) -> list[UUID]:
        """The tenants with a socket here."""
        return list(self._open)

    async def enter(self, tenant_id: UUID) -> Feed:
        """The tenant's feed, for one more socket; pair it with `leave`. Raises when the log cannot be read."""
        opened = self._open.get(tenant_id)
        if opened is None:
            opened = self._open[tenant_id] = _Open(Feed(self._db, tenant_id), 0, None)
            FEEDS.inc()
            if self.watched is not None:
                self.watched(tenant_id, True)
        opened.sockets += 1
        try:
            while not opened.feed.started:
                if opened.starting is None:
                    opened.starting = asyncio.create_task(self._start(opened.feed), name=f"feed-{tenant_id}")
                starting = opened.starting
                await asyncio.wait((starting,))
                if opened.starting is starting:
                    # Else somebody who gave up on it before has come back already, and has it tried again.
                    opened.starting = None
                starting.result()
        except BaseException:
            self.leave(tenant_id)
            raise
        return opened.feed

    def leave(self, tenant_id: UUID) -> None:
        """One socket fewer."""
        opened = self._open.get(tenant_id)
        if opened is None:
            return
        opened.sockets -= 1
        if opened.sockets <= 0:
            del self._open[tenant_id]
            if opened.starting is not None:
                opened.starting.cancel()
            opened.feed.close()
            FEEDS.dec()
            if self.watched is not None:
                self.watched(tenant_id, False)

    async def _start(self, feed: Feed) -> None:
        head = (await read_heads(self._db, [feed.tenant_id])).get(feed.tenant_id)
        if head is None:
            raise NotFound("This company does not exist.")
        await feed.start(head)

    def committed_here(self, tenant_id: UUID, events: Sequence[LoggedEvent]) -> None:
        """What this very process committed needs no way over Redis."""
        opened = self._open.get(tenant_id)
        if opened is not None:
            opened.feed.offer(events, time.time(), "local")

    def hinted(self, tenant_id: UUID, hint: Hint) -> None:
        """What another process committed, as Redis tells it."""
        opened = self._open.get(tenant_id)
        if opened is None:
            return
        if hint.sender == self._process:
            HINTS.labels("own").inc()
        elif hint.events:
            with span("floor.hint", CONSUMER, parent=hint.trace):
                opened.feed.offer(hint.events, hint.at, "hint")
        else:
            opened.feed.notice(Head(opened.feed.epoch, hint.head), 0)

    async def tick(self) -> None:
        """One query for all feeds: whoever is behind the log reads it."""
        if not self._open:
            FEED_BEHIND.set(0)
            return
        asked_at = {tenant_id: opened.feed.position for tenant_id, opened in self._open.items()}
        heads = await read_heads(self._db, asked_at)
        behind = 0
        for tenant_id, head in heads.items():
            opened = self._open.get(tenant_id)
            if opened is not None and opened.feed.started:
                if head.epoch != opened.feed.epoch:
                    # Perhaps because others see other things now: nobody is told anything more before that is known.
                    await opened.feed.look()
                behind += max(head.seq - opened.feed.position, 0)
                opened.feed.notice(head, asked_at[tenant_id])
        FEED_BEHIND.set(behind)

    async def head(self, tenant_id: UUID) -> Head:
        """Where the log itself stands now."""
        heads = await read_heads(self._db, [tenant_id])
        return heads[tenant_id]

    async def read(self, tenant_id: UUID, after: int, limit: int) -> Page:
        """A page of the log for one socket. Raises LogGap."""
        async with self._reads:
            return await read_after(self._db, tenant_id, after, limit)

    def close(self) -> None:
        """Forget all feeds."""
        for tenant_id in self.tenants:
            opened = self._open.pop(tenant_id)
            opened.feed.close()
            FEEDS.dec()
