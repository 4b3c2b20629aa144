"""What a worker does with an endpoint: take it, make deliveries of the log, send them in their order, note what came of each.

Whoever made the endpoint is whose eyes decide: the log is read in their name, and never what is for one person alone.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import orjson

from hub.db import Database, Tx, tenant_tx
from hub.events import CATALOGUE, MANAGERS, TENANT
from hub.notifications.actions import notify
from hub.outgoing.events import WebhookStateChanged
from hub.outgoing.sealing import opened
from hub.permissions import FOLLOW, effective
from hub.plans import PlanLimit, require
from hub.plans.resting import NO_WEBHOOKS
from hub.sqlfiles import load_sql
from hub.who import Who

DELIVER: Final = "webhooks.deliver"
PERMISSION: Final = "webhooks:write"
TEST_TYPE: Final = "webhook.test"
# The pauses before each further attempt: about a day in all (standardwebhooks.com, "Deliverability and reliability").
PAUSES_S: Final = (5.0, 60.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0)
ATTEMPTS: Final = len(PAUSES_S) + 1
LONGEST_PAUSE_S: Final = 86_400.0
# An attempt takes ten seconds at the most.
LEASE_S: Final = 30.0
_STRETCH: Final = 200
_AT_ONCE: Final = 20
_KEEP_DAYS: Final = 30
_FORGET_AT_ONCE: Final = 20_000

_SQL = load_sql("outgoing")
_REALTIME = load_sql("realtime")
GONE: Final = "The log does not have this event any more, or whoever set the webhook up may not see it."


# What is never sent begins with these: what happens to webhooks themselves, what is for one person alone anyway, and what only
# says that something may be read anew.
_NEVER: Final = ("webhook.", "notification", "audit.")


def may_be_sent(event_type: str) -> bool:
    """Whether webhooks may be sent events of a type."""
    return not event_type.startswith(_NEVER)


def never_sent() -> list[str]:
    """The types of events that no webhook is sent."""
    return [name for name in CATALOGUE if not may_be_sent(name)]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint under a lease. `who` is its maker as they stand now."""

    id: UUID
    fence: int
    who: Who
    url: str
    state: str
    types: list[str] | None
    position: int
    secrets: tuple[str, ...]
    sealed: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """Something to send. `body` is None when it can't be sent any more; `is_due` when its pause is over."""

    id: UUID
    kind: str
    event_id: UUID
    body: bytes | None
    attempts: int
    is_due: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt. `status` None: nobody answered."""

    status: int | None
    words: str
    answer: str
    took_ms: int
    retry_after_s: float | None = None

    @property
    def is_accepted(self) -> bool:
        """Whether it was taken (any 2xx)."""
        return self.status is not None and 200 <= self.status < 300


def rooms_of(who: Who) -> list[str]:
    """The audiences that may be sent to a webhook of this member: the company's and the managers', never a person's own."""
    return [TENANT, MANAGERS] if who.is_manager else [TENANT]


def test_body(event_id: UUID, at: datetime) -> bytes:
    """The event that tries an endpoint."""
    words = "This is a test: your webhook works."
    return orjson.dumps({"id": str(event_id), "type": TEST_TYPE, "at": at.isoformat(), "data": {"message": words}})


async def ask_due(db: Database, limit: int = 200) -> int:
    """Have every endpoint's deliveries sent that has some; how many endpoints those were. Called every second."""
    found: dict[UUID, list[UUID]] = {}
    rows = await db.system_fetch(_SQL["due"], limit=limit)
    for row in rows:
        found.setdefault(row["tenant_id"], []).append(row["id"])
    for tenant_id, ids in found.items():
        async with tenant_tx(db, Who.system(tenant_id)) as tx:
            for endpoint_id in ids:
                await tx.defer(DELIVER, {"endpoint_id": endpoint_id}, max_attempts=2)
    return len(rows)


async def companies(db: Database) -> set[UUID]:
    """The companies that have an endpoint which is sent to."""
    return {row["tenant_id"] for row in await db.system_fetch(_SQL["companies"])}


async def ask_at_once(db: Database, tenant_id: UUID) -> int:
    """Have sent what has just happened in a company, where nobody is at it already and nothing waits for its pause to end.

    How many endpoints that concerns. What this misses, `ask_due` finds.
    """
    async with tenant_tx(db, Who.system(tenant_id)) as tx:
        rows = await tx.fetch(_SQL["due_at_once"], never=never_sent())
        for row in rows:
            await tx.defer(DELIVER, {"endpoint_id": row["id"]}, max_attempts=2)
    return len(rows)


async def forget_old(db: Database) -> None:
    """Delete deliveries of more than a month ago."""
    while True:
        row = await db.system_fetchrow(_SQL["forget_deliveries"], days=_KEEP_DAYS, limit=_FORGET_AT_ONCE)
        if row is None or row["deleted"] < _FORGET_AT_ONCE:
            break
    await db.system_fetch(_SQL["forget_jobs"])


async def take(tx: Tx, endpoint_id: UUID) -> Endpoint | None:
    """Take the lease; None when somebody has it, or there is no such endpoint.

    One whose maker may not set up webhooks any more, or whose company's plan has none, is paused first.
    """
    row = await tx.fetchrow(_SQL["take_lease"], id=endpoint_id, lease_s=LEASE_S)
    if row is None:
        return None
    who, problem = await _maker(tx, row["user_id"])
    try:
        await require(tx, "webhooks")
    except PlanLimit:
        problem = NO_WEBHOOKS
    state = row["state"]
    if problem and state == "active":
        await stop(tx, endpoint_id, row["url"], "paused", problem)
        state = "paused"
    secrets = await opened(tx, endpoint_id, row["sealed"], row["sealed_before"])
    return Endpoint(endpoint_id, row["fence"], who, row["url"], state, row["types"], row["position"], secrets, row["sealed"])


async def take_from_log(db: Database, endpoint: Endpoint) -> tuple[Endpoint, bool]:
    """Make the deliveries of the next stretch of the log; the endpoint as it stands then, and whether there was any."""
    async with tenant_tx(db, endpoint.who) as tx:
        log = await tx.fetchrow(_SQL["look_at_log"], after=endpoint.position)
        if log is None or log["head"] <= endpoint.position:
            return endpoint, False
        after = (log["first"] or log["head"] + 1) - 1
        upto = min(log["head"], after + _STRETCH)
        advanced = await tx.fetchval(
            _SQL["advance"],
            id=endpoint.id,
            fence=endpoint.fence,
            position=upto,
            missed=after - endpoint.position,
        )
        if advanced is None:
            return endpoint, False
        await tx.execute(
            _SQL["take_from_log"],
            endpoint_id=endpoint.id,
            after=after,
            upto=upto,
            types=endpoint.types,
            never=never_sent(),
            rooms=rooms_of(endpoint.who),
        )
    return replace(endpoint, position=upto), True


async def next_deliveries(db: Database, endpoint: Endpoint) -> list[Delivery]:
    """What is to be sent next, tests first; of an endpoint that stands still, tests alone."""
    async with tenant_tx(db, endpoint.who) as tx:
        rows = list(await tx.fetch(_SQL["next_tests"], endpoint_id=endpoint.id))
        if not rows and endpoint.state == "active":
            rooms = rooms_of(endpoint.who)
            rows = list(await tx.fetch(_SQL["next_deliveries"], endpoint_id=endpoint.id, rooms=rooms, limit=_AT_ONCE))
    return [_delivery(row) for row in rows]


async def hold(tx: Tx, endpoint: Endpoint) -> bool:
    """Hold the lease for another attempt; False when it is lost, or where or whether to send has changed."""
    row = await tx.fetchrow(_SQL["hold_lease"], id=endpoint.id, fence=endpoint.fence, lease_s=LEASE_S)
    return row is not None and (row["state"], row["url"], row["sealed"]) == (endpoint.state, endpoint.url, endpoint.sealed)


async def release(tx: Tx, endpoint: Endpoint) -> None:
    """Let go of the endpoint until something is due."""
    await tx.execute(_SQL["release_lease"], id=endpoint.id, fence=endpoint.fence)


async def note_gone(tx: Tx, delivery: Delivery) -> None:
    """Note that it can't be sent any more; the next one follows."""
    await tx.execute(_SQL["note_gone"], id=delivery.id, words=GONE)


async def settle(tx: Tx, endpoint: Endpoint, delivery: Delivery, outcome: Outcome) -> bool:
    """Note what came of an attempt; whether the next one may follow at once."""
    attempt = delivery.attempts + 1
    is_test = delivery.kind == "test"
    given_up = not outcome.is_accepted and (is_test or attempt >= ATTEMPTS)
    pause_s = 0.0
    if not outcome.is_accepted and not given_up:
        usual = PAUSES_S[attempt - 1] * random.uniform(0.9, 1.1)  # noqa: S311 - only spreads the load
        pause_s = min(max(usual, outcome.retry_after_s or 0.0), LONGEST_PAUSE_S)
    await tx.execute(
        _SQL["settle"],
        id=delivery.id,
        state="accepted" if outcome.is_accepted else "failed" if given_up else "waiting",
        pause_s=pause_s,
        took_ms=outcome.took_ms,
        status=outcome.status,
        words=outcome.words[:500],
        answer=outcome.answer,
    )
    if outcome.is_accepted:
        await tx.execute(_SQL["note_accepted"], id=endpoint.id)
        return True
    await tx.execute(_SQL["note_refused"], id=endpoint.id)
    if is_test:
        return True
    if outcome.status == 410:
        # Standard Webhooks: whoever answers so wants no more of it.
        await stop(tx, endpoint.id, endpoint.url, "paused", "It answers 410 (gone), which means that it wants nothing any more.")
    elif given_up:
        reason = f"{ATTEMPTS} attempts at one event failed. The last: {outcome.words}"
        await stop(tx, endpoint.id, endpoint.url, "failing", reason)
    return False


async def stop(tx: Tx, endpoint_id: UUID, url: str, state: str, reason: str, *, tell: bool = True) -> None:
    """Send nothing to an endpoint until somebody lets it go on, and tell whoever made it."""
    moved = await tx.fetchval(_SQL["move_endpoint"], id=endpoint_id, state=state, reason=reason[:500])
    if moved is None:
        return
    host = host_of(url)
    tx.emit(WebhookStateChanged(endpoint_id, said(endpoint_id, url, state, reason), MANAGERS))
    if tell:
        maker: UUID = await tx.fetchval(_SQL["maker_of"], id=endpoint_id)
        title = f"The webhook to {host} has stopped"
        await notify(tx, maker, "webhook_stopped", title, f"{reason[:400]} Nothing is lost for a week.", "webhook", endpoint_id)


def said(endpoint_id: UUID, url: str, state: str, reason: str) -> dict[str, Any]:
    """An endpoint as events tell of it."""
    return {"webhook": {"id": str(endpoint_id), "host": host_of(url), "state": state, "reason": reason[:500]}}


def host_of(url: str) -> str:
    """The host of a URL, which may be shown to more people than what follows it."""
    return urlsplit(url).hostname or ""


async def _maker(tx: Tx, user_id: UUID) -> tuple[Who, str]:
    rows = await tx.fetch(_REALTIME["members_standing"], member_ids=[user_id])
    nobody = Who(tx.who.tenant_id, user_id, "rep", permissions=frozenset())
    if not rows or rows[0]["status"] != "active":
        return nobody, "Whoever set it up does not work here any more. Let it go on, and it is yours."
    row = rows[0]
    permissions = effective(row["role"], row["permissions"])
    who = Who(tx.who.tenant_id, user_id, row["role"], permissions=permissions)
    if not {PERMISSION, FOLLOW} <= permissions:
        return who, "Whoever set it up may not do so any more. Let it go on, and it is yours."
    return who, ""


def _delivery(row: asyncpg.Record) -> Delivery:
    body = row["frame"].encode() if row["frame"] is not None else None
    if row["kind"] == "test":
        body = test_body(row["event_id"], row["event_at"])
    return Delivery(row["id"], row["kind"], row["event_id"], body, row["attempts"], row["is_due"])
