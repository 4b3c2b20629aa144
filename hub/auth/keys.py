"""API keys as they come with a request: whose they are, and what they may do at this moment.

A key is 256 random bits behind a prefix that scanners of leaked secrets can find; only its SHA-256 is kept, which is enough for
what nobody can guess. It never allows more than its person may do when it is used.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final
from uuid import UUID

import asyncpg

from hub.auth.tokens import Claims
from hub.db import Database, tenant_tx
from hub.errors import Unauthorized
from hub.permissions import effective, honest
from hub.plans import require
from hub.sqlfiles import load_sql
from hub.who import Who

PREFIX: Final = "rsk_"
# How long a process may believe what it read. What is withdrawn meanwhile it hears of at once (hub.realtime.access).
_BELIEVED_S = 55.0
_CACHE_SIZE = 5_000
_FORM = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}")
_SQL = load_sql("api_keys")


def new_key() -> str:
    """A key that was never before."""
    return PREFIX + secrets.token_urlsafe(32)


def key_hash(key: str) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(key.encode()).digest()


def hint_of(key: str) -> str:
    """How a key begins, to tell it from others: 24 of its 256 bits."""
    return key[: len(PREFIX) + 4]


def is_key(token: str) -> bool:
    """Does this want to be an API key rather than an access token?"""
    return token.startswith(PREFIX)


class Keys:
    """The keys that were used here of late. `is_stale` says whether something was withdrawn since claims were made."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: OrderedDict[bytes, Claims] = OrderedDict()

    async def verify(self, key: str, address: str, is_stale: Callable[[Claims], bool], knock: Callable[[], None]) -> Claims:
        """Whose key this is and what it allows now; notes the use, at most once a minute.

        `knock` is called before the database is asked and may refuse: whoever guesses keys must not keep it busy.
        Raises Unauthorized with code `api_key_invalid` when it is unknown, run out, ended, or its person is no active member,
        and PlanLimit when the company's plan has no API keys any more.
        """
        if _FORM.fullmatch(key) is None:
            raise _invalid()
        hashed, now = key_hash(key), time.time()
        claims = self._known.get(hashed)
        if claims is not None and now < min(claims.issued_at + _BELIEVED_S, claims.expires_at) and not is_stale(claims):
            return claims
        self._known.pop(hashed, None)
        knock()
        row = await self._db.system_fetchrow(_SQL["use_key"], hash=hashed, address=address)
        if row is None:
            raise _invalid()
        claims = _claims(row, now)
        async with tenant_tx(self._db, Who.system(claims.tenant_id)) as tx:
            await require(tx, "api_keys")
        self._known[hashed] = claims
        if len(self._known) > _CACHE_SIZE:
            self._known.popitem(last=False)
        return claims


def _claims(row: asyncpg.Record, now: float) -> Claims:
    key_id: UUID = row["id"]
    return Claims(
        user_id=row["user_id"],
        tenant_id=row["tenant_id"],
        role=row["role"],
        session_id=key_id,
        name=row["name"],
        issued_at=now,
        expires_at=row["expires_at"].timestamp(),
        granted=honest(effective(row["role"], row["permissions"]) & frozenset(row["scopes"])),
        role_name=row["role_name"] or "",
        key_id=key_id,
    )


def _invalid() -> Unauthorized:
    return Unauthorized("This API key is not valid: it was ended, has run out, or never was one.", code="api_key_invalid")
