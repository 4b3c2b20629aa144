"""Withdrawn access: sessions that were revoked and members who changed, known to every process within a second.

The truth is the table access_changes, polled with the same beat as the log; a message through Redis only makes the next
look come sooner. What is found is kept for as long as a token that was issued before it can live.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, Protocol
from uuid import UUID

import asyncpg

from hub.auth.keys import Keys
from hub.auth.tokens import LIFETIME_S, Claims
from hub.db import Database, tenant_tx
from hub.errors import Unauthorized
from hub.permissions import effective, honest
from hub.plans.table import PLANS
from hub.sqlfiles import load_sql
from hub.who import Role, Who

Reason = Literal["session_revoked", "deactivated", "role_changed"]

# A change is dated when it is written and seen when it commits; no transaction of ours lives longer than this.
_OVERLAP = timedelta(seconds=90)
# Tokens are dated by this machine's clock and changes by the database's.
_CLOCK_SKEW_S = 5.0
_KEEP_S = LIFETIME_S + 60.0

_SQL = load_sql("realtime")

_SAID: dict[Reason, str] = {
    "session_revoked": "This session was ended. Sign in again.",
    "deactivated": "Your access to this company was withdrawn.",
    "role_changed": "Your role has changed. Refresh the access token.",
}


def _come_in() -> None:
    """Nobody is refused at this door."""


class Verifier(Protocol):
    """Turns a token into the claims it was signed with."""

    def verify(self, token: str) -> Claims:
        """The claims of a good token. Raises Unauthorized."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A member as the database has them since a change at `at` (seconds since the epoch); role None: no member any more.

    `granted` and `role_name` are those of a role of the company's own. `allows_keys`: has the company's plan API keys?
    """

    at: float
    role: Role | None
    active: bool
    granted: frozenset[str] | None = None
    role_name: str = ""
    allows_keys: bool = True

    def applied_to(self, claims: Claims) -> Claims:
        """Claims as they would be made now, for a member who still is one. A key keeps to what it allowed before."""
        assert self.role is not None
        granted = self.granted
        if claims.key_id is not None:
            granted = honest(effective(self.role, self.granted) & claims.permissions)
        return replace(claims, role=self.role, granted=granted, role_name=self.role_name)


class Access:
    """What this process knows of withdrawn access. Also the authenticator of HTTP requests."""

    def __init__(self, db: Database, verifier: Verifier, keys: Keys | None = None) -> None:
        self.on_revoked: Callable[[UUID], None] | None = None
        self.on_member: Callable[[UUID, UUID, Standing], None] | None = None
        self._db = db
        self._verifier = verifier
        self._keys = keys or Keys(db)
        self._revoked: dict[UUID, float] = {}
        self._members: dict[tuple[UUID, UUID], Standing] = {}
        self._seen: dict[int, datetime] = {}
        self._since: datetime | None = None
        self._zero: datetime | None = None

    def verify(self, token: str) -> Claims:
        """The claims of a good token whose access still stands. Raises Unauthorized with the reason as its code."""
        claims = self._verifier.verify(token)
        reason = self.is_refused(claims)
        if reason is not None:
            raise Unauthorized(_SAID[reason], code=reason)
        return claims

    async def verify_key(self, key: str, address: str, knock: Callable[[], None] = _come_in) -> Claims:
        """What an API key allows now; calls `knock`, which may refuse, before it asks the database. Raises Unauthorized."""
        claims = await self._keys.verify(key, address, self._is_stale, knock)
        if claims.session_id in self._revoked:
            raise Unauthorized("This API key was ended.", code="api_key_invalid")
        return claims

    def _is_stale(self, claims: Claims) -> bool:
        standing = self._members.get((claims.tenant_id, claims.user_id))
        return claims.session_id in self._revoked or (standing is not None and claims.issued_at <= standing.at + _CLOCK_SKEW_S)

    def is_refused(self, claims: Claims) -> Reason | None:
        """Why a verified token is refused all the same, or None."""
        if claims.session_id in self._revoked:
            return "session_revoked"
        standing = self._members.get((claims.tenant_id, claims.user_id))
        if standing is None or claims.issued_at > standing.at + _CLOCK_SKEW_S:
            return None
        if not standing.active:
            return "deactivated"
        # A token issued right after the change carries the new role already.
        return None if (claims.role, claims.granted) == (standing.role, standing.granted) else "role_changed"

    async def prime(self) -> None:
        """Learn what was withdrawn while this process did not run. Raises when Postgres does not answer."""
        started = time.monotonic()
        now = await self._db.system_fetchrow(_SQL["database_time"])
        assert now is not None
        self._since = now["now"] - timedelta(seconds=_KEEP_S)
        # Counted on with the monotonic clock, so that a clock that is set here moves nothing.
        self._zero = now["now"] - timedelta(seconds=started)
        await self.poll()

    async def poll(self) -> None:
        """Look for changes since the last look that succeeded."""
        if self._since is None or self._zero is None:
            await self.prime()
            return
        looked_at = self._zero + timedelta(seconds=time.monotonic())
        rows = await self._db.system_fetch(_SQL["access_changes"], since=self._since)
        news = [row for row in rows if row["id"] not in self._seen]
        changed: dict[UUID, dict[UUID, datetime]] = {}
        for row in news:
            if row["kind"] == "session_revoked":
                self._revoke(row["session_id"], row["at"])
            else:
                changed.setdefault(row["tenant_id"], {})[row["user_id"]] = row["at"]
        for tenant_id, members in changed.items():
            await self._look_at_members(tenant_id, members)
        self._seen.update({row["id"]: row["at"] for row in news})
        self._since = max(self._since, looked_at - _OVERLAP)
        self._forget()

    def _revoke(self, session_id: UUID, at: datetime) -> None:
        self._revoked[session_id] = at.timestamp()
        if self.on_revoked is not None:
            self.on_revoked(session_id)

    async def _look_at_members(self, tenant_id: UUID, changed: Mapping[UUID, datetime]) -> None:
        # A role of the company's own may be that of hundreds: they are looked at together.
        async with tenant_tx(self._db, Who.system(tenant_id)) as tx:
            rows = {row["user_id"]: row for row in await tx.fetch(_SQL["members_standing"], member_ids=[*changed])}
        for user_id, at in changed.items():
            standing = _standing(rows.get(user_id), at.timestamp())
            self._members[tenant_id, user_id] = standing
            if self.on_member is not None:
                self.on_member(tenant_id, user_id, standing)

    def _forget(self) -> None:
        edge = time.time() - _KEEP_S - _CLOCK_SKEW_S
        for session_id in [key for key, at in self._revoked.items() if at < edge]:
            del self._revoked[session_id]
        for member in [key for key, standing in self._members.items() if standing.at < edge]:
            del self._members[member]
        if self._since is not None:
            for change in [key for key, seen_at in self._seen.items() if seen_at <= self._since]:
                del self._seen[change]


def _standing(row: asyncpg.Record | None, at: float) -> Standing:
    if row is None:
        return Standing(at, None, False)
    role: Role = row["role"]
    granted = None if row["permissions"] is None else effective(role, row["permissions"])
    allows_keys = row["plan"] is None or "api_keys" in PLANS[row["plan"]].features
    return Standing(at, role, row["status"] == "active", granted, row["role_name"] or "", allows_keys)
