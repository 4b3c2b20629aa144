"""Reads of sequences and enrolments. JSON is built by Postgres and passed through as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from hub.db import Database, Tx
from hub.errors import NotFound
from hub.http.paging import PageQuery, page, read_cursor
from hub.sequences.models import EnrolmentState, SequenceQuery
from hub.sqlfiles import load_sql

_SEQUENCES = load_sql("sequences")
_SQL = load_sql("enrolments")

_NEWEST = "-created_at"
_IN_ORDER = "id"
STATES: tuple[EnrolmentState, ...] = ("active", "paused", "finished", "stopped", "failed")


def no_sequence() -> NotFound:
    """The answer for a sequence that is not there, or not this tenant's."""
    return NotFound("There is no such sequence.", code="sequence_not_found")


def no_enrolment() -> NotFound:
    """The answer for an enrolment that is not there, or not this tenant's."""
    return NotFound("There is no such enrolment.", code="enrolment_not_found")


async def list_sequences(tx: Tx, asked: SequenceQuery) -> str:
    """A page of sequences as JSON text, newest first."""
    after = read_cursor(asked.cursor, _NEWEST)
    rows = await tx.fetch(
        _SEQUENCES["list_sequences"],
        limit=asked.limit + 1,
        state=asked.state,
        after=after.moment() if after else None,
        after_id=after.id if after else None,
    )
    return page(rows, asked.limit, _NEWEST)


async def read_sequence(tx: Tx, sequence_id: UUID) -> tuple[str, int]:
    """A sequence as JSON, and its version. Raises NotFound."""
    row = await tx.fetchrow(_SEQUENCES["get_sequence"], id=sequence_id)
    if row is None:
        raise no_sequence()
    return row["json"], row["version"]


async def get_settings(tx: Tx) -> str:
    """What holds for all sequences, as JSON."""
    text: str = await tx.fetchval(_SEQUENCES["get_settings"])
    return text


async def list_enrolments(
    tx: Tx,
    asked: PageQuery,
    *,
    sequence_id: UUID | None = None,
    contact_id: UUID | None = None,
    state: EnrolmentState | None = None,
) -> str:
    """A page of the enrolments of a sequence or of a contact as JSON text, in the order they were made."""
    after = read_cursor(asked.cursor, _IN_ORDER)
    rows = await tx.fetch(
        _SQL["list_enrolments"],
        limit=asked.limit + 1,
        sequence_id=sequence_id,
        contact_id=contact_id,
        state=state,
        after_id=after.id if after else None,
    )
    return page(rows, asked.limit, _IN_ORDER)


async def read_enrolment(tx: Tx, enrolment_id: UUID) -> str:
    """An enrolment as JSON. Raises NotFound."""
    text: str | None = await tx.fetchval(_SQL["get_enrolment"], id=enrolment_id)
    if text is None:
        raise no_enrolment()
    return text


async def read_enrolment_with_runs(tx: Tx, enrolment_id: UUID) -> str:
    """An enrolment with every step it took, and the planned one, as JSON. Raises NotFound."""
    text: str | None = await tx.fetchval(_SQL["get_with_runs"], id=enrolment_id)
    if text is None:
        raise no_enrolment()
    return text


async def read_enrolments(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Several enrolments as JSON."""
    return {row["id"]: row["json"] for row in await tx.fetch(_SQL["get_enrolments"], ids=list(ids))}


async def census(tx: Tx, sequence_id: UUID) -> dict[str, int]:
    """The enrolments of a sequence by state, counted now."""
    found = dict.fromkeys((*STATES, "goals", "total"), 0)
    for row in await tx.fetch(_SEQUENCES["census"], id=sequence_id):
        found[row["state"]] += row["enrolments"]
        found["goals"] += row["goals"]
        found["total"] += row["enrolments"]
    return found


async def rules_of(tx: Tx, sequence_ids: Iterable[UUID]) -> list[asyncpg.Record]:
    """What sequences say about hours and ends."""
    return await tx.fetch(_SEQUENCES["sequence_rules"], ids=list(sequence_ids))


async def steps_of(tx: Tx, sequence_ids: Iterable[UUID]) -> list[asyncpg.Record]:
    """The steps of sequences in their order."""
    return await tx.fetch(_SEQUENCES["steps_of"], ids=list(sequence_ids))


async def tenants_to_plan(db: Database, now: datetime, limit: int) -> list[UUID]:
    """Companies in which a moment has to be found for somebody's next step."""
    return [row["tenant_id"] for row in await db.system_fetch(_SQL["sequences_to_plan"], now=now, limit=limit)]


async def enrolments_due(db: Database, now: datetime, limit: int) -> list[tuple[UUID, UUID]]:
    """(tenant, enrolment) of those with a step to take by now, whoever waits longest first."""
    rows = await db.system_fetch(_SQL["enrolments_due"], now=now, limit=limit)
    return [(row["tenant_id"], row["id"]) for row in rows]


async def enrolments_to_resume(db: Database, now: datetime, limit: int) -> list[tuple[UUID, UUID]]:
    """(tenant, enrolment) of those whose pause is over."""
    rows = await db.system_fetch(_SQL["enrolments_to_resume"], now=now, limit=limit)
    return [(row["tenant_id"], row["id"]) for row in rows]


async def runs_to_settle(db: Database, limit: int) -> list[tuple[UUID, UUID]]:
    """(tenant, step run) of steps under way that are over, or due to be looked at."""
    return [(row["tenant_id"], row["id"]) for row in await db.system_fetch(_SQL["runs_to_settle"], limit=limit)]


async def contacts_to_stop(db: Database, since: datetime, limit: int) -> list[tuple[UUID, UUID, str, str]]:
    """(tenant, contact, why, words) of those who may not be written to any more, or whose stage ends a sequence."""
    rows = await db.system_fetch(_SQL["contacts_to_stop"], since=since, limit=limit)
    return [(row["tenant_id"], row["contact_id"], row["why"], row["words"]) for row in rows]


async def sequences_moved(db: Database, margin_s: float, limit: int) -> list[tuple[UUID, UUID]]:
    """(tenant, sequence) of those whose enrolments changed since they were counted."""
    rows = await db.system_fetch(_SEQUENCES["sequences_moved"], margin_s=margin_s, limit=limit)
    return [(row["tenant_id"], row["id"]) for row in rows]
