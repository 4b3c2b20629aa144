"""Whom a call or a message to the installation's own number is for."""

from __future__ import annotations

from uuid import UUID

from hub.db import Database
from hub.sqlfiles import load_sql

_SQL = load_sql("inbound")


async def companies_of_shared(db: Database, shared: str, other: str) -> list[UUID]:
    """The companies that called or wrote to `other` from the number `shared`, the last one first.

    Where none did and there is but one company, it is that.
    """
    rows = await db.system_fetch(_SQL["companies_of_shared"], shared=shared, other=other)
    known = [row["tenant_id"] for row in rows if row["last_at"] is not None]
    if known or len(rows) != 1:
        return known
    return [rows[0]["tenant_id"]]


async def company_of_shared(db: Database, shared: str, other: str) -> UUID | None:
    """The first of `companies_of_shared`, or None."""
    found = await companies_of_shared(db, shared, other)
    return found[0] if found else None
