"""Reads of leases."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from hub.db import Tx
from hub.sqlfiles import load_sql

_SQL = load_sql("leases")


@dataclass(frozen=True, slots=True)
class Held:
    """Who holds a contact, and what for."""

    json: str
    name: str
    purpose: str


async def lease_of(tx: Tx, contact_id: UUID) -> Held | None:
    """The lease on a contact; None when there is none."""
    row = await tx.fetchrow(_SQL["lease_of"], contact_id=contact_id)
    return Held(row["json"], row["name"], row["purpose"]) if row else None


async def list_leases(tx: Tx) -> str:
    """Every lease that is held, as JSON text."""
    text: str = await tx.fetchval(_SQL["list_leases"])
    return text
