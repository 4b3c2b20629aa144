"""Has webhooks sent as soon as something has happened, rather than at the next look around.

What is committed is hinted at through Redis, as the live floor is. A worker hears the companies that have webhooks; without
Redis, or when a hint is lost, the duty that looks around every second (workers.outgoing) finds what is due.
"""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID

import structlog

from hub.db import Database
from hub.ending import end_tasks
from hub.hints import Hint
from hub.outgoing import delivering
from hub.realtime.subscriber import Subscriber
from workers import metrics

# So often it is asked which companies have webhooks.
LOOK_S: Final = 2.0
# A company where much happens is not asked more often than this.
REST_S: Final = 0.05

_log = structlog.get_logger(__name__)


class Waker:
    """One worker's ear for what happens in companies that have webhooks."""

    def __init__(self, db: Database, redis_url: str) -> None:
        self._db = db
        self._subscriber = Subscriber(
            redis_url, on_hint=self._hear, on_access=_nothing, on_fresh=_nothing, otherwise="webhooks are looked for every second"
        )
        self._heard: set[UUID] = set()
        self._again: set[UUID] = set()
        self._asking: dict[UUID, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Hear until cancelled, whatever becomes of Postgres and Redis."""
        self._subscriber.start()
        try:
            while True:
                try:
                    self._follow(await delivering.companies(self._db))
                except Exception as exc:
                    metrics.LOOP_FAILURES.labels("waking").inc()
                    _log.debug("it could not be asked who has webhooks", error=str(exc) or repr(exc))
                await asyncio.sleep(LOOK_S)
        finally:
            try:
                await end_tasks(*self._asking.values())
            finally:
                await self._subscriber.stop()

    def _follow(self, companies: set[UUID]) -> None:
        for tenant_id in companies - self._heard:
            self._subscriber.watch(tenant_id, True)
        for tenant_id in self._heard - companies:
            self._subscriber.watch(tenant_id, False)
        self._heard = companies

    def _hear(self, tenant_id: UUID, _hint: Hint) -> None:
        if tenant_id in self._asking:
            self._again.add(tenant_id)
            return
        self._asking[tenant_id] = asyncio.create_task(self._ask(tenant_id), name=f"webhooks of {tenant_id}")

    async def _ask(self, tenant_id: UUID) -> None:
        try:
            while True:
                self._again.discard(tenant_id)
                await delivering.ask_at_once(self._db, tenant_id)
                await asyncio.sleep(REST_S)
                if tenant_id not in self._again:
                    return
        except Exception as exc:
            metrics.LOOP_FAILURES.labels("waking").inc()
            _log.debug("webhooks could not be asked for", tenant_id=str(tenant_id), error=str(exc) or repr(exc))
        finally:
            del self._asking[tenant_id]


def _nothing() -> None:
    pass
