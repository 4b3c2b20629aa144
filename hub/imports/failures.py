"""The rows that were not imported, as a CSV to put right and send again."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from hub.db import Database, tenant_tx
from hub.imports import queries
from hub.imports.fields import FAILURE_COLUMNS
from hub.imports.queries import Failure
from hub.who import Who

_PAGE = 2000
# What a spreadsheet takes for a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(columns: Sequence[str], failures: Sequence[Failure]) -> str:
    """Failed rows as lines of CSV: the original cells as they were, the line, and the reason.

    Only the reason is ours, so only the reason is kept from being a formula. Cells beyond the last column come at the end.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    width = len(columns)
    for failure in failures:
        cells = failure.cells[:width] + [""] * (width - len(failure.cells))
        reason = f"'{failure.reason}" if failure.reason.startswith(_FORMULA) else failure.reason
        writer.writerow([*cells, failure.line, reason, *failure.cells[width:]])
    return out.getvalue()


def header_line(columns: Sequence[str]) -> str:
    """The first line of that CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([*columns, *FAILURE_COLUMNS])
    return out.getvalue()


async def stream_failures(db: Database, who: Who, import_id: UUID, columns: Sequence[str]) -> AsyncIterator[bytes]:
    """The whole CSV, page by page, each read in a transaction of its own."""
    yield header_line(columns).encode()
    line = 0
    while True:
        async with tenant_tx(db, who) as tx:
            failures = await queries.list_failures(tx, import_id, line, _PAGE)
        if not failures:
            return
        line = failures[-1].line
        yield as_csv(columns, failures).encode()
