"""The audit log as a CSV, page by page."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Any

from hub.audit import queries
from hub.audit.models import AuditExport
from hub.db import Database, tenant_tx
from hub.http.paging import After
from hub.who import Who

_PAGE = 2000
COLUMNS = ("at", "action", "actor", "actor_id", "address", "subject_kind", "subject", "subject_id", "details", "request_id")
# What a spreadsheet takes for a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


async def stream_entries(db: Database, who: Who, asked: AuditExport) -> AsyncIterator[bytes]:
    """All entries that were asked for, newest first, each page read in a transaction of its own."""
    yield _lines([COLUMNS])
    after: After | None = None
    while True:
        async with tenant_tx(db, who) as tx:
            rows = await queries.export_entries(tx, asked, after, _PAGE)
        if rows:
            yield _lines([[_cell(row[name]) for name in COLUMNS] for row in rows])
        if len(rows) < _PAGE:
            return
        after = After(rows[-1]["at"].isoformat(), rows[-1]["id"])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()
