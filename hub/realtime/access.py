"""Withdrawn access: sessions that were revoked and members who changed, known to every process within a second.

The truth is the table access_changes, polled with the same beat as the log; a message through Redis only makes the next
look come sooner. What is found is kept for as long as a token that was issued before it can live.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol
from uuid import UUID

from hub.auth.tokens import LIFETIME_S, Claims
from hub.db import Database, tenant_tx
from hub.errors import Unauthorized
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


class Verifier(Protocol):
    """Turns a token into the claims it was signed with."""

    def verify(self, token: str) -> Claims:
        """The claims of a good token. Raises Unauthorized."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A member as the database has them since a change at `at` (seconds since the epoch); role None: no member any more."""

    at: float
    role: Role | None
    active: bool


class Access:
    """What this process knows of withdrawn access. Also the authenticator of HTTP requests."""

    def __init__(self, db: Database, verifier: Verifier) -> None:
        self.on_revoked: Callable[[UUID], None] | None = None
        self.on_member: Callable[[UUID, UUID, Standing], None] | None = None
        self._db = db
        self._verifier = verifier
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
        return None if claims.role == standing.role else "role_changed"

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
        for row in rows:
            if row["id"] in self._seen:
                continue
            if row["kind"] == "session_revoked":
                self._revoke(row["session_id"], row["at"])
            else:
                await self._look_at_member(row["tenant_id"], row["user_id"], row["at"])
            self._seen[row["id"]] = row["at"]
        self._since = max(self._since, looked_at - _OVERLAP)
        self._forget()

    def _revoke(self, session_id: UUID, at: datetime) -> None:
        self._revoked[session_id] = at.timestamp()
        if self.on_revoked is not None:
            self.on_revoked(session_id)

    async def _look_at_member(self, tenant_id: UUID, user_id: UUID, at: datetime) -> None:
        async with tenant_tx(self._db, Who.system(tenant_id)) as tx:
            row = await tx.fetchrow(_SQL["member_standing"], member_id=user_id)
        role = row["role"] if row else None
        standing = Standing(at.timestamp(), role, row is not None and row["status"] == "active")
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
