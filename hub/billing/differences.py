"""What differs from the payment provider: noted for the company's people to see, and counted for the operator."""

from __future__ import annotations

import structlog
from prometheus_client import Counter

from hub.db import Tx
from hub.sqlfiles import load_sql

DIFFERENCES = Counter(
    "ringside_billing_differences_total", "Differences from the payment provider that the comparison found.", ["field", "mended"]
)

_SQL = load_sql("billing")
_log = structlog.get_logger("hub.billing")


async def note_difference(tx: Tx, field: str, ours: str, theirs: str, *, mended: bool) -> None:
    """Note that the provider says otherwise. What could not be mended is noted once, and not again each night."""
    if await tx.fetchval(_SQL["note_difference"], field=field, mended=mended, ours=ours, theirs=theirs) is None:
        return
    DIFFERENCES.labels(field, str(mended).lower()).inc()
    _log.warning("the payment provider says otherwise", tenant_id=str(tx.who.tenant_id), field=field, mended=mended)
