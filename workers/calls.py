"""The jobs of calls: between two transactions of hub.calls.dialing, the provider."""

from __future__ import annotations

from uuid import UUID

from hub.calls import dialing, holding, placing
from hub.calls.dialing import DOUBT_S, Heard, Plan, amd_path, answered_path, callback_path
from hub.calls.joining import adopt_conference, conference_name, conference_path
from hub.dialer import actions as dialer
from hub.inbound import actions as inbound
from hub.webhooks.inbox import read_delivery
from integrations.errors import Rejected
from integrations.ports import CallUpdate, PlaceCall, ProviderCall
from workers.cron import duty
from workers.job import Deps, Run, job
from workers.telephone import CLOCK_SLACK, argument, gone_or_wait, if_there, once, reader, telephony


def _heard(call: ProviderCall) -> Heard:
    return Heard(call.sid, call.state, call.ended_at or call.started_at, call.duration_s, call.answered_by)


def _told(update: CallUpdate) -> Heard:
    return Heard(update.sid, update.state, update.at, update.duration_s, update.answered_by)


@job("calls.dial", timeout_s=20.0, backoff_s=0.5, beats=True)
async def dial(run: Run) -> None:
    """Place a call at the provider, at most once whatever dies in between."""
    call_id = argument(run, "call_id")
    asked = telephony(run)
    async with run.tx() as tx:
        plan = await dialing.begin_dial(tx, call_id, run.deps.settings.call_dial_deadline_s)
    if plan.kind == "nothing":
        return
    if plan.kind == "look":
        await _look_again(run, call_id, plan)
        return
    try:
        placed = await once(lambda: asked.place_call(_wish(run, call_id, plan)), lambda: _forget(run, call_id))
    except Rejected as exc:
        async with run.finish() as tx:
            await dialing.fail(tx, call_id, exc.message)
        return
    async with run.finish() as tx:
        await dialing.record_placed(tx, call_id, _heard(placed))


def _wish(run: Run, call_id: UUID, plan: Plan) -> PlaceCall:
    settings, tenant_id = run.deps.settings, run.job.tenant_id
    return PlaceCall(
        to=plan.to,
        from_=plan.from_ or _default_number(run),
        status_callback_url=settings.public_url + callback_path(tenant_id, call_id),
        conference=None if plan.is_parallel else conference_name(call_id),
        answer_url=settings.public_url + answered_path(tenant_id, call_id) if plan.is_parallel else None,
        # Only who comes by an open line is announced by the conference; everybody else is by their own leg.
        conference_callback_url=settings.public_url + conference_path(tenant_id, call_id) if plan.has_line else None,
        timeout_s=plan.ring_s,
        machine_detection=plan.machine_detection,
        amd_callback_url=settings.public_url + amd_path(tenant_id, call_id) if plan.machine_detection != "off" else None,
    )


def _default_number(run: Run) -> str:
    account = run.deps.settings.twilio
    return account.from_number if account is not None else ""


async def _forget(run: Run, call_id: UUID) -> None:
    async with run.tx() as tx:
        await dialing.forget_asking(tx, call_id)


async def _look_again(run: Run, call_id: UUID, plan: Plan) -> None:
    """An earlier attempt asked and its answer was lost: adopt the provider's call if there is one, before dialing again."""
    found = await _find(run, plan)
    assert plan.asked_at is not None
    if found is None:
        await gone_or_wait(plan.asked_at, DOUBT_S, "call", lambda: _forget(run, call_id))
        return
    async with run.finish() as tx:
        await dialing.record_placed(tx, call_id, _heard(found))


async def _find(run: Run, plan: Plan) -> ProviderCall | None:
    assert plan.asked_at is not None
    calls = await telephony(run).find_calls(plan.to, plan.from_ or _default_number(run), plan.asked_at - CLOCK_SLACK)
    async with run.tx() as tx:
        unknown = await dialing.strangers(tx, [call.sid for call in calls])
    return next((call for call in calls if call.sid in unknown), None)


@job("calls.webhook", timeout_s=10.0, backoff_s=0.2, beats=True)
async def webhook(run: Run) -> None:
    """Take in what a stored status callback says."""
    async with run.finish() as tx:
        update = reader(run).read_call(await read_delivery(tx, argument(run, "delivery_id")))
        await dialing.hear(tx, argument(run, "call_id"), _told(update))


@job("calls.amd_webhook", timeout_s=10.0, backoff_s=0.2, beats=True)
async def amd_webhook(run: Run) -> None:
    """Take in who or what answered."""
    async with run.finish() as tx:
        update = reader(run).read_amd(await read_delivery(tx, argument(run, "delivery_id")))
        await dialing.hear_who_answered(tx, argument(run, "call_id"), update.sid, update.answered_by)


@job("calls.hang_up", timeout_s=20.0, backoff_s=0.5, beats=True)
async def hang_up(run: Run) -> None:
    """End a call at the provider; ending it twice is harmless."""
    call_id = argument(run, "call_id")
    async with run.tx() as tx:
        sid, live = await dialing.sid_of(tx, call_id)
    if sid is None or not live:
        return
    ended = await telephony(run).hang_up(sid)
    async with run.finish() as tx:
        await dialing.hear(tx, call_id, _heard(ended))


@job("calls.give_up", timeout_s=10.0, backoff_s=0.2, beats=True)
async def give_up(run: Run) -> None:
    """Another of the rep's parallel calls was answered."""
    async with run.finish() as tx:
        await placing.give_up(tx, argument(run, "call_id"))


@job("calls.hold", timeout_s=20.0, backoff_s=0.2, beats=True)
async def hold(run: Run) -> None:
    """Let the contact wait, or go on, as is wished by now."""
    call_id = argument(run, "call_id")
    async with run.tx() as tx:
        seat = await holding.contact_seat(tx, call_id)
    if seat is None:
        return
    room = seat.conference_sid or await _room(run, call_id)
    if room is not None:
        await if_there(telephony(run).update_participant(room, seat.call_sid, hold=seat.on_hold))
    async with run.finish() as tx:
        now = await holding.contact_seat(tx, call_id)
        if now is not None and now.on_hold != seat.on_hold:
            # Another wish came meanwhile, and may have been fulfilled before this one.
            await tx.defer("calls.hold", {"call_id": call_id})


@job("calls.press", max_attempts=1, timeout_s=20.0, beats=True)
async def press(run: Run) -> None:
    """Let the contact's side hear keys pressed. Tried once: twice would be other digits."""
    call_id = argument(run, "call_id")
    async with run.tx() as tx:
        seat = await holding.contact_seat(tx, call_id)
    room = None if seat is None else seat.conference_sid or await _room(run, call_id)
    if seat is None or room is None:
        return
    path = f"/webhooks/twilio/{run.job.tenant_id}/calls/{call_id}/digits/{_quoted(run.job.args['digits'])}"
    await if_there(telephony(run).announce(room, seat.call_sid, run.deps.settings.public_url + path))


def _quoted(digits: str) -> str:
    # In an address a hash would begin the fragment.
    return digits.replace("#", "p").replace("*", "s")


async def _room(run: Run, call_id: UUID) -> str | None:
    room = await telephony(run).find_conference(conference_name(call_id))
    if room is not None:
        async with run.tx() as tx:
            await adopt_conference(tx, call_id, room)
    return room


@job("calls.check", timeout_s=20.0, beats=True)
async def check(run: Run) -> None:
    """Ask the provider about a live call that was not heard of for a while, and settle it."""
    call_id = argument(run, "call_id")
    async with run.tx() as tx:
        sid, live = await dialing.sid_of(tx, call_id)
    if not live:
        return
    if sid is None:
        await _give_up(run, call_id)
        return
    async with run.tx() as tx:
        is_ending = await dialing.is_ending(tx, call_id)
    asked = telephony(run)
    known = await (if_there(asked.hang_up(sid)) if is_ending else asked.fetch_call(sid))
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


@job("calls.ended", timeout_s=20.0, backoff_s=0.2, beats=True)
async def ended(run: Run) -> None:
    """What follows the end of a call, for the features that care."""
    async with run.finish() as tx:
        await dialer.call_ended(tx, argument(run, "call_id"))
        await inbound.settle_untaken(tx, argument(run, "call_id"))


@duty(every_s=3.0)
async def check_silent_calls(deps: Deps) -> None:
    """Ask about live calls that nothing was heard of."""
    await dialing.check_silent_calls(deps.db, deps.settings.call_silence_s)
