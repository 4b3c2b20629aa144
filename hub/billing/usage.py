"""What is paid by use: counted from the calls and messages themselves, day by day, and reported to the provider's meters.

A day is counted again for as long as something of it may still change; what it has grown by since is one report. A report's id is
what the provider tells repeats by, so a lost answer costs nobody anything.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from hub.billing.differences import note_difference
from hub.billing.office import Office
from hub.db import Database, Tx, tenant_tx
from hub.plans.table import METERED
from hub.sqlfiles import load_sql
from hub.who import Who
from integrations.errors import Rejected
from integrations.payments import Payments

_SQL = load_sql("billing")
# A call made so long ago has ended, or its end is known by now.
LOOKS_BACK: Final = timedelta(days=3)
_COUNTS: Final = {"call_minutes": "used_minutes", "sms": "used_messages"}


async def count(tx: Tx, office: Office) -> int:
    """Count the days that may have grown, and write reports of what was added; how many. Only for who has bought a plan."""
    account = await tx.fetchrow(_SQL["lock_account"])
    if account is None or account["status"] not in ("trialing", "active", "past_due"):
        return 0
    now = datetime.now(UTC)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    since = max(today - LOOKS_BACK, account["metered_since"])
    written = 0
    for meter, name in _COUNTS.items():
        for row in await tx.fetch(_SQL[name], since=since, until=now):
            counted = {"meter": meter, "day": row["day"], "quantity": row["quantity"]}
            added = await tx.fetchval(_SQL["count_usage"], **counted)
            if added:
                day_ends = datetime(row["day"].year, row["day"].month, row["day"].day, 23, 59, 59, tzinfo=UTC)
                # So long ago by the provider's clock as it is by ours: with the sandbox the two may differ.
                at = office.now() - max(now - day_ends, timedelta())
                if account["period_starts_at"] is not None:
                    # What is known of only after its period was billed is billed with the next one, rather than never.
                    at = max(at, account["period_starts_at"])
                report = {"meter": meter, "day": row["day"], "quantity": added, "at": at}
                await tx.fetchval(_SQL["write_report"], **report)
                written += 1
    if written:
        await tx.defer("billing.report_usage", {})
    return written


async def report(db: Database, payments: Payments, tenant_id: UUID) -> int:
    """Send the reports that are not confirmed; how many. Raises what `Payments` raises.

    One that is too old for the provider is given up, with a word for the company and the operator; it costs nobody anything, and
    those after it go on.
    """
    who = Who.system(tenant_id)
    async with tenant_tx(db, who) as tx:
        account = await tx.fetchrow(_SQL["get_account"])
        waiting = await tx.fetch(_SQL["waiting_reports"])
    if account is None or account["customer_id"] is None:
        return 0
    for row in waiting:
        try:
            await payments.report_usage(account["customer_id"], row["meter"], row["quantity"], str(row["id"]), row["at"])
        except Rejected as refusal:
            if refusal.code != "too_old":
                raise
            async with tenant_tx(db, who) as tx:
                await tx.execute(_SQL["give_report_up"], id=row["id"], why=refusal.message)
                said = f"{row['quantity']} of {row['day']:%Y-%m-%d}, which is too long ago to be reported"
                await note_difference(tx, f"used_{row['meter']}", said, "", mended=False)
            continue
        async with tenant_tx(db, who) as tx:
            await tx.execute(_SQL["note_reported"], id=row["id"])
    return len(waiting)


async def compare(db: Database, payments: Payments, office: Office, tenant_id: UUID) -> None:
    """Compare what was reported in this period, up to today, with what the provider has counted. Raises what `Payments` raises.

    A difference is noted for a person to look at: to report once more might bill somebody twice.
    """
    who = Who.system(tenant_id)
    async with tenant_tx(db, who) as tx:
        account = await tx.fetchrow(_SQL["get_account"])
        if account is None or account["customer_id"] is None or account["period_starts_at"] is None:
            return
        # The provider counts in whole minutes, and some while after it was told.
        since = account["period_starts_at"].replace(second=0, microsecond=0)
        until = office.now().replace(hour=0, minute=0, second=0, microsecond=0)
        if since >= until:
            return
        rows = await tx.fetch(_SQL["reported_within"], since=since, until=until)
    reported = {row["meter"]: row["quantity"] for row in rows}
    waits = {row["meter"] for row in rows if row["waits"]}
    for meter in METERED.keys() - waits:
        ours, theirs = reported.get(meter, 0), await payments.used(account["customer_id"], meter, since, until)
        if ours != theirs:
            async with tenant_tx(db, who) as tx:
                await note_difference(tx, f"used_{meter}", str(ours), str(theirs), mended=False)


async def used(tx: Tx, since: datetime) -> list[dict[str, object]]:
    """What was used since a moment, with what it costs; also of what nothing was used."""
    rows = {row["meter"]: row["quantity"] for row in await tx.fetch(_SQL["usage_since"], since=since)}
    found: list[dict[str, object]] = []
    for each in METERED.values():
        quantity = rows.get(each.name, 0)
        amount = (quantity * each.price_centiminor + 50) // 100
        found.append({"meter": each.name, "title": each.title, "unit": each.unit, "quantity": quantity, "amount_minor": amount})
    return found
