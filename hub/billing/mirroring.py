"""Fetches what the provider knows of a company and records it, whatever made it time to: a webhook, a click, the night."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from hub.billing import actions
from hub.billing.office import Office
from hub.db import Database, tenant_tx
from hub.errors import Conflict
from hub.sqlfiles import load_sql
from hub.who import Who
from integrations.payments import Payments

_SQL = load_sql("billing")
# Whoever was overtaken this often leaves it to those who overtook.
_TRIES = 5


async def mirror(
    db: Database,
    payments: Payments,
    office: Office,
    tenant_id: UUID,
    *,
    newer_than: datetime | None = None,
    compares: bool = False,
) -> None:
    """Fetch and record a company's account. With `newer_than` only when nobody has begun to fetch since (the database's time).

    What was fetched before somebody else wrote is thrown away and fetched again, so that the older never replaces the newer
    whatever order answers come in. Raises what `Payments` raises, and Conflict when it was overtaken again and again.
    """
    who = Who.system(tenant_id)
    for _ in range(_TRIES):
        async with tenant_tx(db, who) as tx:
            before = await tx.fetchrow(_SQL["get_account"])
        if before is None or before["customer_id"] is None:
            return
        if newer_than is not None and before["mirrored_at"] is not None and before["mirrored_at"] > newer_than:
            return
        customer = await payments.fetch(before["customer_id"])
        async with tenant_tx(db, who) as tx:
            if await actions.record(tx, before, customer, office, compares=compares):
                return
    raise Conflict("The plan is being changed by somebody else. Try again in a moment.", code="changed_meanwhile")


async def tell_customer(db: Database, payments: Payments, tenant_id: UUID) -> None:
    """Tell the provider what the company and its owner are called now, unless it knows. Raises what `Payments` raises."""
    who = Who.system(tenant_id)
    async with tenant_tx(db, who) as tx:
        account = await tx.fetchrow(_SQL["get_account"])
        row = await tx.fetchrow(_SQL["company_and_owner"])
    if account is None or account["customer_id"] is None or row is None:
        return
    said = (account["told_name"], account["told_email"])
    # An invoice has to go somewhere: without an owner it goes where it went before.
    now = (row["name"], row["email"] or account["told_email"])
    if now != said:
        await payments.describe(account["customer_id"], *now, before=said)
        async with tenant_tx(db, who) as tx:
            await tx.execute(_SQL["note_told"], name=now[0], email=now[1])


async def forget_customer(db: Database, payments: Payments | None, tenant_id: UUID) -> None:
    """Let the provider forget a company that is being erased: what it bought ends at once. Raises what `Payments` raises."""
    async with tenant_tx(db, Who.system(tenant_id)) as tx:
        account = await tx.fetchrow(_SQL["get_account"])
    if payments is not None and account is not None and account["customer_id"] is not None:
        await payments.forget(account["customer_id"])
