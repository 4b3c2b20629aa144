"""Reading the audit log."""

from __future__ import annotations

from typing import Any

import orjson

from hub.audit.models import AuditExport, AuditFilter
from hub.db import Tx
from hub.http.paging import After, page, read_cursor
from hub.sqlfiles import load_sql

_SQL = load_sql("audit")
_CORE = load_sql("core")
_SORT = "-at"


async def list_entries(tx: Tx, asked: AuditFilter) -> str:
    """A page of the log as JSON text, newest first."""
    after = read_cursor(asked.cursor, _SORT)
    await tx.execute(_CORE["plan_for_these_values"])
    rows = await tx.fetch(_SQL["list_entries"], limit=asked.limit + 1, **_chosen(asked, after))
    return page(rows, asked.limit, _SORT)


async def export_entries(tx: Tx, asked: AuditExport, after: After | None, limit: int) -> list[Any]:
    """The next entries for a CSV, newest first."""
    await tx.execute(_CORE["plan_for_these_values"])
    return await tx.fetch(_SQL["export_entries"], limit=limit, **_chosen(asked, after))


async def list_actions(tx: Tx) -> str:
    """The actions that occur in the log, as JSON text."""
    rows = await tx.fetch(_SQL["list_actions"])
    return orjson.dumps({"data": [row["action"] for row in rows]}).decode()


def _chosen(asked: AuditFilter | AuditExport, after: After | None) -> dict[str, Any]:
    return {
        "actor_id": asked.actor_id,
        "action": asked.action,
        "subject_id": asked.subject_id,
        "since": asked.since,
        "until": asked.until,
        "after": after.moment() if after else None,
        "after_id": after.id if after else None,
    }
