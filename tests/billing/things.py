"""Things of billing, for tests that try everybody's ids."""

from __future__ import annotations

from uuid import uuid4

from hub.db import tenant_tx
from tests.conftest import Company
from tests.harness import RunningHub

_OPENED = "SELECT billing_open_accounts('enterprise', 25, now(), now() + interval '14 days')"
_INVOICE = """
INSERT INTO billing_invoices (tenant_id, provider_id, status, total_minor, due_minor, paid_minor, currency, period_start,
    period_end, created_at)
VALUES ($1, $2, 'paid', 4900, 0, 4900, 'usd', now(), now(), now()) RETURNING id
"""


async def an_invoice(server: RunningHub, company: Company) -> str:
    """A paid invoice of a company that is billed no more, so that no plan limits what else is tried."""
    async with server.hub.db.acquire() as conn:
        await conn.execute(_OPENED)
        await conn.execute("SELECT billing_close_accounts()")
    async with tenant_tx(server.hub.db, company.who("owner")) as tx:
        return str(await tx.conn.fetchval(_INVOICE, company.tenant_id, f"in_{uuid4().hex}"))
