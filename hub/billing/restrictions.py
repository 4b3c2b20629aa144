"""Which companies may only read, or not even that, in the memory of every process: the one place where requests are refused.

A look at the database costs next to nothing, since few companies owe anything; every process looks twice a second, so that a
suspended company's live sockets end within one. While it does not answer, what was known last stands.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from hub.billing.standing import words_of
from hub.db import Database
from hub.errors import PaymentRequired
from hub.http.endpoint import Endpoint
from hub.plans.table import PLANS
from hub.sqlfiles import load_sql

LOOKS_EVERY_S: Final = 0.5
# Plans change rarely, and most companies have one: they are read once in so many looks.
PLANS_EVERY: Final = 60
# What is left at every stage: paying, signing in and out, one's own account, who belongs here, taking the data away.
ALWAYS: Final = frozenset({"account", "auth", "billing", "company", "members", "plans", "privacy", "sso"})
# Ending a key is a matter of safety, as is sending somebody away.
_ENDS: Final = frozenset({("DELETE", "api keys"), ("DELETE", "notifications")})
_READS: Final = frozenset({"GET", "HEAD"})

_SQL = load_sql("billing")
_log = structlog.get_logger("hub.billing")


@dataclass(frozen=True, slots=True)
class Restriction:
    """How a company that is not to change anything stands, and why."""

    standing: str
    reason: str


class Restricted(PaymentRequired):
    """Nothing was paid. `details` say how the company stands."""

    code = "payment_required"


class Restrictions:
    """What this process knows of companies that have not paid. `on_suspended` hears of those that it sees suspended."""

    def __init__(self) -> None:
        self.on_suspended: Callable[[UUID], None] | None = None
        self._known: dict[UUID, Restriction] = {}
        self._factors: dict[UUID, float] = {}
        self._looking: asyncio.Task[None] | None = None

    async def start(self, db: Database) -> None:
        """Look now, and then twice a second until `stop`."""
        await self.look(db)
        await self.look_at_plans(db)
        self._looking = asyncio.create_task(self._keep_looking(db), name="restrictions")

    async def stop(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking
            self._looking = None

    async def look(self, db: Database) -> None:
        """Read who is restricted."""
        rows = await db.system_fetch(_SQL["billing_restricted"])
        before = self._known
        self._known = {row["tenant_id"]: Restriction(row["standing"], row["reason"]) for row in rows}
        if self.on_suspended is not None:
            for tenant_id, found in self._known.items():
                was = before.get(tenant_id)
                if found.standing == "suspended" and (was is None or was.standing != "suspended"):
                    self.on_suspended(tenant_id)

    async def look_at_plans(self, db: Database) -> None:
        """Read which plans companies have, for how much they may ask."""
        rows = await db.system_fetch(_SQL["billing_plans"])
        self._factors = {row["tenant_id"]: PLANS[row["plan"]].requests for row in rows}

    def request_factor(self, tenant_id: UUID) -> float:
        """How many times the usual number of requests a company may send."""
        return self._factors.get(tenant_id, 1.0)

    def of(self, tenant_id: UUID) -> Restriction | None:
        """How a company is restricted; None when it is not."""
        return self._known.get(tenant_id)

    def is_suspended(self, tenant_id: UUID) -> bool:
        """Is nothing left to a company but to pay, to export and to leave?"""
        found = self._known.get(tenant_id)
        return found is not None and found.standing == "suspended"

    def check(self, tenant_id: UUID, endpoint: Endpoint) -> None:
        """Go on only when the company may do this. Raises Restricted, in words that say what to do."""
        found = self._known.get(tenant_id)
        if found is None or endpoint.tag in ALWAYS or (endpoint.method, endpoint.tag) in _ENDS:
            return
        if found.standing == "read_only" and endpoint.method in _READS:
            return
        raise Restricted(words_of(found.standing, found.reason), details={"standing": found.standing, "reason": found.reason})

    async def _keep_looking(self, db: Database) -> None:
        for turn in itertools.count(1):
            await asyncio.sleep(LOOKS_EVERY_S)
            try:
                await self.look(db)
                if turn % PLANS_EVERY == 0:
                    await self.look_at_plans(db)
            except Exception as exc:
                # Whatever it is, the next look may succeed.
                _log.warning("who has not paid could not be read; what was known stands", error=str(exc) or repr(exc))
