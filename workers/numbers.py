"""The jobs of telephone numbers: between two transactions of hub.numbers.buying, the provider."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hub.numbers import buying
from hub.numbers.buying import DOUBT_S
from integrations.errors import CircuitOpen, Rejected, Transient
from integrations.ports import Numbers
from workers.job import Permanent, Run, job


def _numbers(run: Run) -> Numbers:
    if run.deps.numbers is None:
        raise Permanent("No telephone account is set up.")
    return run.deps.numbers


def _addresses(run: Run, number_id: UUID) -> tuple[str, str, str]:
    base, tenant_id = run.deps.settings.public_url, run.job.tenant_id
    paths = (buying.voice_path, buying.sms_path, buying.status_path)
    voice, sms, status = (base + path(tenant_id, number_id) for path in paths)
    return voice, sms, status


@job("numbers.buy", timeout_s=20.0, backoff_s=0.5)
async def buy(run: Run) -> None:
    """Buy a number at the provider, at most once whatever dies in between."""
    number_id = UUID(run.job.args["number_id"])
    numbers = _numbers(run)
    async with run.tx() as tx:
        plan = await buying.begin_buy(tx, number_id)
    if plan.kind == "nothing":
        return
    if plan.kind == "look":
        await _look_again(run, number_id, plan)
        return
    try:
        owned = await numbers.buy(plan.e164, *_addresses(run, number_id))
    except Rejected as exc:
        async with run.finish() as tx:
            await buying.fail(tx, number_id, exc.message)
        return
    except (CircuitOpen, Transient) as exc:
        if not (isinstance(exc, Transient) and exc.ambiguous):
            async with run.tx() as tx:
                await buying.forget_asking(tx, number_id)
        raise
    async with run.finish() as tx:
        await buying.record_bought(tx, number_id, owned)


async def _look_again(run: Run, number_id: UUID, plan: buying.Plan) -> None:
    """An earlier attempt asked and its answer was lost: take the number if the account has it, before buying again."""
    numbers = _numbers(run)
    found = await numbers.list(plan.e164)
    if found:
        # Whose it is was settled before anybody asked (number_claims), so it can be nobody else's.
        owned = await numbers.configure(found[0].sid, *_addresses(run, number_id))
        async with run.finish() as tx:
            await buying.record_bought(tx, number_id, owned)
        return
    assert plan.asked_at is not None
    if datetime.now(UTC) - plan.asked_at < timedelta(seconds=DOUBT_S):
        raise Transient("The provider does not show the number whose answer was lost; looking again.", retry_after=2.0)
    async with run.tx() as tx:
        await buying.forget_asking(tx, number_id)
    raise Transient("The provider never sold the number; it may be bought.", retry_after=0.0)


@job("numbers.release", timeout_s=20.0, backoff_s=0.5)
async def release(run: Run) -> None:
    """Give a number back; one that is gone already is fine."""
    number_id = UUID(run.job.args["number_id"])
    async with run.tx() as tx:
        plan = await buying.release_plan(tx, number_id)
    if plan.kind == "nothing":
        return
    if plan.sid is not None:
        try:
            await _numbers(run).release(plan.sid)
        except Rejected as exc:
            async with run.finish() as tx:
                await buying.keep(tx, number_id, exc.message)
            return
    async with run.finish() as tx:
        await buying.record_released(tx, number_id)
