"""A company of hundreds of thousands of contacts beside others that fill the same tables, made within a minute or two."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import asyncpg

FILL = (Path(__file__).parent / "api_company.sql").read_text(encoding="utf-8")
TABLES = ("contacts", "contact_emails", "contact_phones", "contact_tags", "contact_search", "activities")
# As many contacts as one of the companies beside it has.
A_NEIGHBOUR = 100_000
# Calls of the last hours: what a floor of forty people makes on a long day.
CALLS = 3_000


async def fill(
    admin_url: str, tenant_id: UUID, reps: Sequence[UUID], contacts: int, in_table: int, *, live_calls: int = 12
) -> float:
    """Give the company `contacts` contacts, and the tables `in_table` rows with those of its neighbours; the seconds it took.

    `live_calls` of its calls ring (for ever: no provider knows of them). The indexes are made afterwards, which takes a fifth of
    the time; the statistics, too.
    """
    began = time.monotonic()
    # Making the index that search reads by takes longer than any statement of the product may.
    admin = await asyncpg.connect(admin_url, command_timeout=600)
    try:
        indexes = await admin.fetch(
            "SELECT x.indexrelid::regclass::text AS name, pg_get_indexdef(x.indexrelid) AS made_by FROM pg_index x"
            " WHERE x.indrelid = ANY ($1::text[]::regclass[]) AND NOT x.indisunique",
            list(TABLES),
        )
        await admin.execute(
            "SET session_replication_role = replica; SET synchronous_commit = off; SET maintenance_work_mem = '1GB';"
            "SET work_mem = '256MB'; SET max_parallel_maintenance_workers = 2"
        )
        for index in indexes:
            await admin.execute(f"DROP INDEX {index['name']}")
        await _company(admin, tenant_id, reps, 1, contacts, live_calls)
        made = contacts
        while made < in_table:
            count = min(A_NEIGHBOUR, in_table - made)
            neighbour: UUID = await admin.fetchval("SELECT create_company($1)", f"Neighbour {made}")
            await _company(admin, neighbour, (), made + 1, made + count, 0)
            made += count
        for index in indexes:
            await admin.execute(index["made_by"])
        await admin.execute("RESET session_replication_role")
        await admin.execute("VACUUM (ANALYZE)")
        # Else it is written to the disk in the midst of what is measured.
        await admin.execute("CHECKPOINT")
    finally:
        await admin.close()
    return time.monotonic() - began


async def _company(admin: asyncpg.Connection, tenant_id: UUID, reps: Sequence[UUID], first: int, last: int, live: int) -> None:
    values = {
        "tenant": str(tenant_id),
        "slug": tenant_id.hex,
        "first": str(first),
        "last": str(last),
        "reps": "'{" + ",".join(str(rep) for rep in reps) + "}'",
        "live": str(live),
        "calls": str(min(CALLS, last - first)),
    }
    sql = FILL
    for name, value in values.items():
        sql = sql.replace("{" + name + "}", value)
    async with admin.transaction():
        await admin.execute(sql)
