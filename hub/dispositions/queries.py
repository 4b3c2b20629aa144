"""The statements of dispositions, typed."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from hub.db import Tx
from hub.sqlfiles import load_sql

_SQL = load_sql("dispositions")

# The telephone's own words for how a call ended that was never disposed of by a person.
_OF_OUTCOME = {"voicemail": "left_voicemail"}


@dataclass(frozen=True, slots=True)
class RetryRule:
    """A call is tried again `after_s` seconds later, `limit` times in all at the most."""

    after_s: int
    limit: int


async def list_dispositions(tx: Tx, *, archived: bool) -> str:
    """The page of this company's dispositions as JSON."""
    rows = await tx.fetch(_SQL["list_dispositions"], active=not archived)
    return '{"data":[' + ",".join(row["json"] for row in rows) + '],"next_cursor":null}'


async def active(tx: Tx) -> dict[str, str]:
    """The labels of the dispositions a call may get, by value, in their order."""
    return {row["value"]: row["label"] for row in await tx.fetch(_SQL["list_dispositions"], active=True)}


async def get_disposition(tx: Tx, value: str) -> str | None:
    """One disposition as JSON."""
    text: str | None = await tx.fetchval(_SQL["get_disposition"], value=value)
    return text


async def retry_rule(tx: Tx, outcome_or_value: str) -> RetryRule | None:
    """When a call that went like this is tried again, by a disposition's value or a call's outcome; None for never."""
    row = await tx.fetchrow(_SQL["retry_rule"], value=_OF_OUTCOME.get(outcome_or_value, outcome_or_value))
    return RetryRule(row["retry_after_s"], row["retry_limit"]) if row else None


async def get_follow_up(tx: Tx, call_id: UUID, value: str) -> asyncpg.Record | None:
    """What follows a call that went like this, with what that needs to know of the call."""
    return await tx.fetchrow(_SQL["get_follow_up"], call_id=call_id, value=value)
