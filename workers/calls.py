"""The jobs of calls: between two transactions of hub.calls.dialing, the provider."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hub.calls import dialing
from hub.calls.dialing import DOUBT_S, Heard, Plan, callback_path
from integrations.errors import CircuitOpen, Rejected, Transient
from integrations.ports import PlaceCall, ProviderCall, Telephony
from workers.cron import duty
from workers.job import Deps, Permanent, Run, job

# The provider's clock and ours may differ by this much when its list of calls is searched.
_CLOCK_SLACK = timedelta(seconds=5)


def _telephony(run: Run) -> Telephony:
    if run.deps.telephony is None:
        raise Permanent("No telephone account is set up.")
    return run.deps.telephony


def _heard(call: ProviderCall) -> Heard:
    return Heard(call.sid, call.state, call.ended_at or call.started_at, call.duration_s, call.answered_by)


@job("calls.dial", timeout_s=20.0, backoff_s=0.5)
async def dial(run: Run) -> None:
    """Place a call at the provider, at most once whatever dies in between."""
    call_id = UUID(run.job.args["call_id"])
    telephony = _telephony(run)
    async with run.tx() as tx:
        plan = await dialing.begin_dial(tx, call_id, run.deps.settings.call_dial_deadline_s)
    if plan.kind == "nothing":
        return
    if plan.kind == "look":
        await _look_again(run, call_id, plan)
        return
    try:
        placed = await telephony.place_call(
            PlaceCall(
                to=plan.to,
                from_=plan.from_,
                status_callback_url=run.deps.settings.public_url + callback_path(run.job.tenant_id, call_id),
                conference=f"ringside-{call_id}",
            )
        )
    except Rejected as exc:
        async with run.finish() as tx:
            await dialing.fail(tx, call_id, exc.message)
        return
    except (CircuitOpen, Transient) as exc:
        if not (isinstance(exc, Transient) and exc.ambiguous):
            async with run.tx() as tx:
                await dialing.forget_asking(tx, call_id)
        raise
    async with run.finish() as tx:
        await dialing.record_placed(tx, call_id, _heard(placed))


async def _look_again(run: Run, call_id: UUID, plan: Plan) -> None:
    """An earlier attempt asked and its answer was lost: adopt the provider's call if there is one, before dialing again."""
    found = await _find(run, plan)
    if found is not None:
        async with run.finish() as tx:
            await dialing.record_placed(tx, call_id, _heard(found))
        return
    assert plan.asked_at is not None
    if datetime.now(UTC) - plan.asked_at < timedelta(seconds=DOUBT_S):
        raise Transient("The provider does not show the call whose answer was lost; looking again.", retry_after=2.0)
    async with run.tx() as tx:
        await dialing.forget_asking(tx, call_id)
    raise Transient("The provider never had the call; it may be dialed.", retry_after=0.0)


async def _find(run: Run, plan: Plan) -> ProviderCall | None:
    assert plan.asked_at is not None
    calls = await _telephony(run).find_calls(plan.to, plan.from_, plan.asked_at - _CLOCK_SLACK)
    async with run.tx() as tx:
        unknown = await dialing.strangers(tx, [call.sid for call in calls])
    return next((call for call in calls if call.sid in unknown), None)


@job("calls.webhook", timeout_s=10.0, backoff_s=0.2)
async def webhook(run: Run) -> None:
    """Take in what a stored callback says."""
    async with run.finish() as tx:
        heard = await dialing.read_delivery(tx, UUID(run.job.args["delivery_id"]))
        if heard is not None:
            await dialing.hear(tx, UUID(run.job.args["call_id"]), heard)


@job("calls.hang_up", timeout_s=20.0, backoff_s=0.5)
async def hang_up(run: Run) -> None:
    """End a call at the provider; ending it twice is harmless."""
    call_id = UUID(run.job.args["call_id"])
    async with run.tx() as tx:
        sid, live = await dialing.sid_of(tx, call_id)
    if sid is None or not live:
        return
    ended = await _telephony(run).hang_up(sid)
    async with run.finish() as tx:
        await dialing.hear(tx, call_id, _heard(ended))


@job("calls.check", timeout_s=20.0)
async def check(run: Run) -> None:
    """Ask the provider about a live call that was not heard of for a while, and settle it."""
    call_id = UUID(run.job.args["call_id"])
    async with run.tx() as tx:
        sid, live = await dialing.sid_of(tx, call_id)
    if not live:
        return
    if sid is None:
        await _give_up(run, call_id)
        return
    known = await _telephony(run).fetch_call(sid)
    async with run.finish() as tx:
        if known is None:
            await dialing.fail(tx, call_id, "The telephone provider does not know this call any more.")
        else:
            await dialing.hear(tx, call_id, _heard(known))


async def _give_up(run: Run, call_id: UUID) -> None:
    async with run.tx() as tx:
        plan = await dialing.give_up_plan(tx, call_id, run.deps.settings.call_dial_deadline_s)
    if plan.kind == "nothing":
        return
    found = await _find(run, plan)
    async with run.finish() as tx:
        if found is not None:
            await dialing.record_placed(tx, call_id, _heard(found))
        else:
            await dialing.fail(tx, call_id, "It was never placed: the telephone provider did not answer.")


@duty(every_s=3.0)
async def check_silent_calls(deps: Deps) -> None:
    """Ask about live calls that nothing was heard of."""
    await dialing.check_silent_calls(deps.db, deps.settings.call_silence_s)
