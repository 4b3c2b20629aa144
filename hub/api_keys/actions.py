"""The writes on API keys."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import orjson

from hub.api_keys.events import ApiKeyCreated, ApiKeyEnded
from hub.api_keys.models import ApiKeyIn
from hub.auth.keys import hint_of, key_hash, new_key
from hub.db import Tx
from hub.errors import Conflict, Forbidden, Invalid, NotFound
from hub.events import only_user
from hub.permissions import EVENTS_TELL, FOLLOW, NOT_FOR_KEYS, PERMISSIONS, permissions_of
from hub.plans import require
from hub.sqlfiles import load_sql

MOST_KEYS = 50
# Whoever may set how people sign in sees and ends everybody's keys.
OVERSEES = "security:write"
_SQL = load_sql("api_keys")


def missing() -> NotFound:
    """The answer for a key that is not there, not this tenant's, or not one's own to see."""
    return NotFound("There is no such API key.", code="api_key_not_found")


async def make_key(tx: Tx, given: ApiKeyIn) -> str:
    """Make a key for oneself; its JSON, with the key itself, which nobody can show again.

    Raises PlanLimit, Invalid for a scope there is not or that keys can't have, Forbidden for one that its maker lacks, Conflict
    after fifty keys that still count.
    """
    await require(tx, "api_keys")
    scopes = _checked(tx, given.scopes)
    if await tx.fetchval(_SQL["count_keys"]) >= MOST_KEYS:
        raise Conflict(f"You have {MOST_KEYS} API keys. End one that is not used any more.", code="too_many_api_keys")
    key = new_key()
    key_id: UUID = await tx.fetchval(
        _SQL["insert_key"],
        name=given.name,
        hint=hint_of(key),
        hash=key_hash(key),
        scopes=scopes,
        days=given.expires_in_days,
    )
    row = await tx.fetchrow(_SQL["get_key"], id=key_id)
    assert row is not None
    assert tx.who.user_id is not None
    text: str = row["json"]
    tx.emit(ApiKeyCreated(key_id, {"api_key": orjson.Fragment(text)}, only_user(tx.who.user_id)))
    return orjson.dumps({**orjson.loads(text), "key": key}).decode()


async def end_key(tx: Tx, key_id: UUID) -> str:
    """End a key, for every process within a second; its JSON. To end it again changes nothing.

    Raises NotFound, also for somebody else's key unless one may set how people sign in.
    """
    row = await tx.fetchrow(_SQL["get_key"], id=key_id)
    if row is None or (row["user_id"] != tx.who.user_id and OVERSEES not in permissions_of(tx.who)):
        raise missing()
    if await tx.fetchval(_SQL["end_key"], id=key_id) is not None:
        await tx.execute(_SQL["note_key_ended"], id=key_id)
        row = await tx.fetchrow(_SQL["get_key"], id=key_id)
        assert row is not None
        tx.emit(ApiKeyEnded(key_id, {"api_key": orjson.Fragment(row["json"])}, only_user(row["user_id"])))
    text: str = row["json"]
    return text


def _checked(tx: Tx, scopes: Sequence[str]) -> list[str]:
    wanted = frozenset(scopes)
    for name in sorted(wanted):
        if name not in PERMISSIONS:
            raise Invalid.field("scopes", f"There is no permission {name!r}. GET /permissions lists them.")
        if name in NOT_FOR_KEYS:
            raise Invalid.field("scopes", f"{name} is for people only; no API key can have it.")
    more = sorted(wanted - permissions_of(tx.who))
    if more:
        raise Forbidden(f"You can't give a key what you may not do yourself: {', '.join(more)}.", code="scope_reaches_farther")
    if FOLLOW in wanted and not wanted >= EVENTS_TELL:
        lacking = ", ".join(sorted(EVENTS_TELL - wanted))
        raise Invalid.field("scopes", f"{FOLLOW} tells of what only {lacking} may show. Add that, or leave {FOLLOW} out.")
    return sorted(wanted)
