"""Reads of permits and of what they are made from. JSON is built by Postgres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hub.db import Tx
from hub.http.paging import page, read_cursor
from hub.permits.models import Channel, PermitFilter, SuppressionFilter
from hub.sqlfiles import load_sql

_SQL = load_sql("permits")
_CORE = load_sql("core")
_SORT = "-created_at"


async def get_permit(tx: Tx, permit_id: UUID) -> str | None:
    """A decision as JSON; None when there is none."""
    text: str | None = await tx.fetchval(_SQL["get_permit"], id=permit_id)
    return text


async def look(tx: Tx, contact_id: UUID, channel: Channel, address: str, at: datetime | None = None) -> str | None:
    """What the decision would be at a moment (None: now), as JSON; None when there is no such contact."""
    text: str | None = await tx.fetchval(_SQL["look"], contact_id=contact_id, channel=channel, address=address, at=at)
    return text


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the decision about a contact's first address would be; `address` is None, and it is not allowed, without one."""

    contact_id: UUID
    address: str | None
    allowed: bool
    code: str
    explanation: str


async def look_many(tx: Tx, contact_ids: Sequence[UUID], at: datetime | None = None) -> list[Outlook]:
    """What the decision about mail would be at a moment for many contacts; those that do not exist are left out."""
    rows = await tx.fetch(_SQL["look_many"], contact_ids=list(contact_ids), at=at)
    return [
        Outlook(row["id"], row["address"], row["allowed"], row["code"], row["explanation"])
        if row["address"] is not None
        else Outlook(row["id"], None, False, "no_address", "This contact has no email address.")
        for row in rows
    ]


async def list_permits(tx: Tx, asked: PermitFilter) -> str:
    """A page of the log as JSON text."""
    after = read_cursor(asked.cursor, _SORT)
    rows = await tx.fetch(
        _SQL["list_permits"],
        limit=asked.limit + 1,
        contact_id=asked.contact_id,
        allowed=asked.allowed is True,
        refused=asked.allowed is False,
        since=asked.since,
        after=after.moment() if after else None,
        after_id=after.id if after else None,
    )
    return page(rows, asked.limit, _SORT)


async def contact_email(tx: Tx, contact_id: UUID, address: str | None) -> str | None:
    """The contact's address: the one asked for if it is theirs, else their first; None when there is none."""
    found: str | None = await tx.fetchval(_SQL["contact_email"], id=contact_id, address_lc=address.lower() if address else None)
    return found


async def rules(tx: Tx) -> str:
    """The rules of the law as JSON text."""
    text: str = await tx.fetchval(_SQL["rules"])
    return text


async def get_suppression(tx: Tx, suppression_id: UUID) -> tuple[str, str] | None:
    """An entry of the list as JSON, and its source; None when there is none."""
    row = await tx.fetchrow(_SQL["get_suppression"], id=suppression_id)
    return (row["json"], row["source"]) if row else None


async def list_suppressions(tx: Tx, asked: SuppressionFilter) -> str:
    """A page of the list as JSON text."""
    after = read_cursor(asked.cursor, _SORT)
    if asked.kind or asked.value:
        await tx.execute(_CORE["plan_for_these_values"])
    rows = await tx.fetch(
        _SQL["list_suppressions"],
        limit=asked.limit + 1,
        kind=asked.kind,
        value=asked.value.strip().lower() if asked.value else None,
        after=after.moment() if after else None,
        after_id=after.id if after else None,
    )
    return page(rows, asked.limit, _SORT)


async def list_consents(tx: Tx, contact_id: UUID) -> str:
    """What a contact has said, as JSON text."""
    text: str = await tx.fetchval(_SQL["list_consents"], contact_id=contact_id)
    return '{"data":' + text + "}"


async def list_quiet_days(tx: Tx) -> str:
    """The company's quiet days as JSON text."""
    text: str = await tx.fetchval(_SQL["list_quiet_days"])
    return text


async def get_settings(tx: Tx) -> str:
    """The company's own rules as JSON text."""
    text: str = await tx.fetchval(_SQL["get_settings"])
    return text
