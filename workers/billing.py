"""Jobs and duties of billing: fetching what webhooks tell of, what time changes, usage, and the nightly comparison."""

from __future__ import annotations

from datetime import timedelta

import structlog

from hub.billing import actions, usage
from hub.billing.mirroring import mirror, tell_customer
from hub.billing.office import Office
from hub.db import tenant_tx
from hub.errors import HubError
from hub.plans.table import TRIAL_DAYS, TRIAL_PLAN, TRIAL_SEATS
from hub.sqlfiles import load_sql
from hub.who import Who
from workers.cron import duty
from workers.job import Deps, Run, job

_SQL = load_sql("billing")
_BATCH = 500
_log = structlog.get_logger(__name__)


def office_of(deps: Deps) -> Office:
    """The office of a worker."""
    return Office(deps.clock, deps.settings.public_url)


@job("billing.mirror", timeout_s=60.0, backoff_s=2.0, max_attempts=12)
async def mirror_account(run: Run) -> None:
    """Fetch what webhooks told of, unless it was fetched since the last of them came."""
    payments = run.deps.payments
    if payments is None:
        return
    async with run.tx() as tx:
        told_at = await tx.fetchval(_SQL["last_told_at"])
    await mirror(run.deps.db, payments, office_of(run.deps), run.job.tenant_id, newer_than=told_at)


@job("billing.compare", timeout_s=60.0, backoff_s=10.0, max_attempts=6)
async def compare_account(run: Run) -> None:
    """Fetch a company's account, note what differs, and mend it; count what was used, and report what is not confirmed."""
    payments = run.deps.payments
    if payments is None:
        return
    await mirror(run.deps.db, payments, office_of(run.deps), run.job.tenant_id, compares=True)
    await tell_customer(run.deps.db, payments, run.job.tenant_id)
    await usage.compare(run.deps.db, payments, office_of(run.deps), run.job.tenant_id)
    async with run.finish() as tx:
        await usage.count(tx, office_of(run.deps))
        await tx.defer("billing.report_usage", {})


@job("billing.tell_customer", timeout_s=60.0, backoff_s=10.0, max_attempts=12)
async def tell_provider(run: Run) -> None:
    """Have the provider's customer called as the company and its owner are."""
    if run.deps.payments is not None:
        await tell_customer(run.deps.db, run.deps.payments, run.job.tenant_id)


@job("billing.report_usage", timeout_s=120.0, backoff_s=10.0, max_attempts=12)
async def report_usage(run: Run) -> None:
    """Tell the provider's meters what was used."""
    if run.deps.payments is not None:
        await usage.report(run.deps.db, run.deps.payments, run.job.tenant_id)


@duty(every_s=15.0)
async def open_billing_accounts(deps: Deps) -> None:
    """Companies that are new begin with a trial. Without a provider nobody is billed."""
    if deps.payments is None:
        await deps.db.system_fetch(_SQL["billing_close_accounts"])
        return
    now = office_of(deps).now()
    ends_at = now + timedelta(days=TRIAL_DAYS)
    begins = {"plan": TRIAL_PLAN, "seats": TRIAL_SEATS, "now": now, "trial_ends_at": ends_at}
    await deps.db.system_fetch(_SQL["billing_open_accounts"], **begins)


@duty(every_s=5.0)
async def settle_standings(deps: Deps) -> None:
    """Trials and graces end, and people are told before."""
    office = office_of(deps)
    for row in await deps.db.system_fetch(_SQL["billing_due"], now=office.now(), limit=_BATCH):
        try:
            async with tenant_tx(deps.db, Who.system(row["tenant_id"])) as tx:
                await actions.look(tx, office)
        except HubError as exc:
            _log.warning("a standing could not be settled", tenant_id=str(row["tenant_id"]), error=str(exc))


@duty(every_s=15.0, jitter_s=2.0)
async def tell_provider_of_companies(deps: Deps) -> None:
    """Ask that the provider is told of companies that were renamed, and of those whose owner is another or has another address.

    Looked for rather than noted where it happens: there are many ways for an owner to become another one.
    """
    if deps.payments is None:
        return
    for row in await deps.db.system_fetch(_SQL["billing_to_tell"], limit=_BATCH):
        async with tenant_tx(deps.db, Who.system(row["tenant_id"])) as tx:
            await tx.defer("billing.tell_customer", {})


@duty(every_s=3600.0, jitter_s=60.0)
async def count_usage(deps: Deps) -> None:
    """Count calls and messages of the companies that pay, and report them."""
    if deps.payments is None:
        return
    for row in await deps.db.system_fetch(_SQL["billing_customers"]):
        async with tenant_tx(deps.db, Who.system(row["tenant_id"])) as tx:
            await usage.count(tx, office_of(deps))


@duty(every_s=24 * 3600.0, jitter_s=3600.0)
async def compare_accounts(deps: Deps) -> None:
    """Ask for the comparison of every customer. The key lets it happen once a day, whatever many workers start."""
    if deps.payments is None:
        return
    today = office_of(deps).now().date().isoformat()
    for row in await deps.db.system_fetch(_SQL["billing_customers"]):
        async with tenant_tx(deps.db, Who.system(row["tenant_id"])) as tx:
            await tx.defer("billing.compare", {}, key=f"compare:{today}")
