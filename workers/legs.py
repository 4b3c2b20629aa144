"""The jobs of everybody in a call but the contact: between two transactions of hub.calls.joining, the provider."""

from __future__ import annotations

from uuid import UUID

from hub.calls import joining
from hub.calls.dialing import DOUBT_S
from hub.calls.joining import JoinPlan, conference_name, leg_path
from hub.webhooks.inbox import read_delivery
from integrations.errors import Rejected, Transient
from integrations.ports import AddParticipant, Participant
from workers.cron import duty
from workers.job import Deps, Run, job
from workers.telephone import argument, gone_or_wait, if_there, once, reader, telephony


@job("calls.join", timeout_s=20.0, backoff_s=0.2, beats=True)
async def join(run: Run) -> None:
    """Ring somebody into a call's conference, at most once whatever dies in between."""
    call_id, leg_id = argument(run, "call_id"), argument(run, "leg_id")
    asked = telephony(run)
    async with run.tx() as tx:
        plan = await joining.begin_join(tx, run.deps.settings, call_id, leg_id)
    if plan.kind == "nothing":
        return
    if plan.kind == "wait":
        raise Transient("The rep is not on the line yet.", retry_after=0.5)
    if plan.kind == "look":
        await _look_again(run, call_id, leg_id, plan)
        return
    try:
        seat = await once(lambda: asked.add_participant(_wish(run, call_id, leg_id, plan)), lambda: _forget(run, leg_id))
    except Rejected as exc:
        async with run.finish() as tx:
            await joining.fail_leg(tx, call_id, leg_id, exc.message)
        return
    async with run.finish() as tx:
        await joining.record_leg(tx, call_id, leg_id, seat.call_sid, seat.conference_sid, seat.state)


def _wish(run: Run, call_id: UUID, leg_id: UUID, plan: JoinPlan) -> AddParticipant:
    settings, tenant_id = run.deps.settings, run.job.tenant_id
    return AddParticipant(
        conference=conference_name(call_id),
        to=plan.to,
        from_=plan.from_,
        status_callback_url=settings.public_url + leg_path(tenant_id, call_id, leg_id),
        label=str(leg_id),
        muted=plan.muted,
        coach_sid=plan.coach_sid,
        timeout_s=plan.ring_s,
    )


async def _forget(run: Run, leg_id: UUID) -> None:
    async with run.tx() as tx:
        await joining.forget_leg(tx, leg_id)


async def _look_again(run: Run, call_id: UUID, leg_id: UUID, plan: JoinPlan) -> None:
    """An earlier attempt asked and its answer was lost: adopt the leg if it is in the conference, before ringing again."""
    found = await _find(run, call_id, leg_id, plan.conference_sid)
    assert plan.asked_at is not None
    if found is None:
        await gone_or_wait(plan.asked_at, DOUBT_S, "leg", lambda: _forget(run, leg_id))
        return
    async with run.finish() as tx:
        await joining.record_leg(tx, call_id, leg_id, found.call_sid, found.conference_sid, found.state)


async def _find(run: Run, call_id: UUID, leg_id: UUID, room: str | None) -> Participant | None:
    asked = telephony(run)
    room = room or await asked.find_conference(conference_name(call_id))
    if room is None:
        return None
    return next((seat for seat in await asked.list_participants(room) if seat.label == str(leg_id)), None)


@job("calls.apply_leg", timeout_s=20.0, backoff_s=0.2, beats=True)
async def apply_leg(run: Run) -> None:
    """Mute somebody, or change whom they are heard by, as is wished by now."""
    call_id, leg_id = argument(run, "call_id"), argument(run, "leg_id")
    async with run.tx() as tx:
        seat = await joining.seat_of(tx, call_id, leg_id)
    if seat is None:
        return
    asked = telephony(run)
    room = seat.conference_sid or await asked.find_conference(conference_name(call_id))
    if room is None:
        return
    await if_there(
        asked.update_participant(
            room, seat.call_sid, muted=seat.muted, coach_sid=seat.coach_sid, coaching=seat.coach_sid is not None
        )
    )
    async with run.finish() as tx:
        await joining.adopt_conference(tx, call_id, room)
        now = await joining.seat_of(tx, call_id, leg_id)
        if now is not None and now.changes != seat.changes:
            # Another wish came meanwhile, and may have been fulfilled before this one.
            await tx.defer("calls.apply_leg", {"call_id": call_id, "leg_id": leg_id})


@job("calls.drop_leg", timeout_s=20.0, backoff_s=0.5, beats=True)
async def drop_leg(run: Run) -> None:
    """Take somebody out of a call at the provider; twice is harmless."""
    call_id, leg_id = argument(run, "call_id"), argument(run, "leg_id")
    async with run.tx() as tx:
        sid = await joining.leg_sid(tx, call_id, leg_id)
    if sid is None:
        return
    ended = await if_there(telephony(run).hang_up(sid))
    async with run.finish() as tx:
        if ended is None:
            await joining.fail_leg(tx, call_id, leg_id, "The telephone provider does not know this leg any more.")
        else:
            await joining.hear_leg(tx, call_id, leg_id, ended.sid, ended.state)


@job("calls.leg_webhook", timeout_s=10.0, backoff_s=0.2, beats=True)
async def leg_webhook(run: Run) -> None:
    """Take in what a stored callback says of somebody's leg."""
    async with run.finish() as tx:
        update = reader(run).read_call(await read_delivery(tx, argument(run, "delivery_id")))
        await joining.hear_leg(tx, argument(run, "call_id"), argument(run, "leg_id"), update.sid, update.state)


@job("calls.conference_webhook", timeout_s=10.0, backoff_s=0.2, beats=True)
async def conference_webhook(run: Run) -> None:
    """Take in that somebody came into a call's conference."""
    call_id = argument(run, "call_id")
    async with run.finish() as tx:
        update = reader(run).read_participant(await read_delivery(tx, argument(run, "delivery_id")))
        if update.event == "join":
            await joining.hear_join(tx, call_id, update.conference_sid, update.call_sid, update.label)


@job("calls.check_leg", timeout_s=20.0, beats=True)
async def check_leg(run: Run) -> None:
    """Ask the provider about a leg that was not heard of for a while, and settle it."""
    call_id, leg_id = argument(run, "call_id"), argument(run, "leg_id")
    async with run.tx() as tx:
        doubt = await joining.doubt_of(tx, call_id, leg_id, run.deps.settings.call_dial_deadline_s)
    if doubt is None:
        return
    if doubt.sid is None:
        found = await _find(run, call_id, leg_id, doubt.conference_sid)
        async with run.finish() as tx:
            if found is not None:
                await joining.record_leg(tx, call_id, leg_id, found.call_sid, found.conference_sid, found.state)
            else:
                await joining.fail_leg(tx, call_id, leg_id, "The telephone provider did not answer in time.")
        return
    asked = telephony(run)
    known = await (if_there(asked.hang_up(doubt.sid)) if doubt.is_leaving else asked.fetch_call(doubt.sid))
    async with run.finish() as tx:
        if known is None:
            await joining.fail_leg(tx, call_id, leg_id, "The telephone provider does not know this leg any more.")
        else:
            await joining.hear_leg(tx, call_id, leg_id, known.sid, known.state)


@duty(every_s=3.0)
async def check_silent_legs(deps: Deps) -> None:
    """Ask about people in calls that nothing was heard of."""
    await joining.check_silent_legs(deps.db, deps.settings.call_silence_s)
