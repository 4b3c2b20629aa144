"""The jobs of reps' open lines: between two transactions of hub.lines.opening, the provider."""

from __future__ import annotations

from uuid import UUID

from hub.calls import joining
from hub.calls.joining import conference_name, conference_path
from hub.lines import opening
from hub.lines.opening import DOUBT_S, OpenPlan, Place, line_path, parking_name
from hub.webhooks.inbox import read_delivery
from integrations.errors import Rejected
from integrations.ports import FINAL_STATES, CallState, Conference, PlaceCall
from workers.cron import duty
from workers.job import Deps, Run, job
from workers.telephone import CLOCK_SLACK, argument, gone_or_wait, once, reader, telephony


@job("lines.open", timeout_s=20.0, backoff_s=0.2, beats=True)
async def open_line(run: Run) -> None:
    """Ring a rep for their line, at most once whatever dies in between."""
    line_id = argument(run, "line_id")
    asked = telephony(run)
    async with run.tx() as tx:
        plan = await opening.begin_open(tx, line_id, run.deps.settings.call_dial_deadline_s)
    if plan.kind == "nothing":
        return
    if plan.kind == "look":
        await _look_again(run, line_id, plan)
        return
    wish = PlaceCall(
        to=plan.to,
        from_=plan.from_,
        status_callback_url=run.deps.settings.public_url + line_path(run.job.tenant_id, line_id),
        conference=parking_name(line_id),
    )
    try:
        placed = await once(lambda: asked.place_call(wish), lambda: _forget(run, line_id))
    except Rejected as exc:
        async with run.finish() as tx:
            await opening.fail(tx, line_id, exc.message)
        return
    async with run.finish() as tx:
        await opening.record_opened(tx, line_id, placed.sid, placed.state)


async def _forget(run: Run, line_id: UUID) -> None:
    async with run.tx() as tx:
        await opening.forget_asking(tx, line_id)


async def _look_again(run: Run, line_id: UUID, plan: OpenPlan) -> None:
    assert plan.asked_at is not None
    calls = await telephony(run).find_calls(plan.to, plan.from_, plan.asked_at - CLOCK_SLACK)
    async with run.tx() as tx:
        unknown = await opening.strangers(tx, [call.sid for call in calls])
    found = next((call for call in calls if call.sid in unknown and call.state not in FINAL_STATES), None)
    if found is None:
        await gone_or_wait(plan.asked_at, DOUBT_S, "line", lambda: _forget(run, line_id))
        return
    async with run.finish() as tx:
        await opening.record_opened(tx, line_id, found.sid, found.state)


@job("lines.move", timeout_s=20.0, backoff_s=0.2, beats=True)
async def move(run: Run) -> None:
    """Put a line where it is to be: into a call's conference, or back to where it waits."""
    line_id = argument(run, "line_id")
    async with run.tx() as tx:
        place = await opening.place_of(tx, line_id)
        leg_id = await opening.leg_in(tx, line_id, place.call_id) if place and place.call_id else None
    if place is None:
        return
    try:
        await telephony(run).redirect(place.sid, _steps(run, line_id, place, leg_id))
    except Rejected:
        # It has ended, most likely; the check says so for certain.
        async with run.finish() as tx:
            await tx.defer("lines.check", {"line_id": line_id}, max_attempts=3)
        return
    async with run.finish() as tx:
        if place.call_id is not None and leg_id is not None:
            await joining.hear_leg(tx, place.call_id, leg_id, place.sid, "in_progress")
        await opening.is_still(tx, line_id, place)


def _steps(run: Run, line_id: UUID, place: Place, leg_id: UUID | None) -> list[Conference]:
    parking = Conference(parking_name(line_id))
    if place.call_id is None or leg_id is None:
        return [parking]
    heard_at = run.deps.settings.public_url + conference_path(run.job.tenant_id, place.call_id)
    # When the call's conference ends, the line goes on to the next step by itself.
    return [Conference(conference_name(place.call_id), status_callback_url=heard_at, label=str(leg_id)), parking]


@job("lines.hang_up", timeout_s=20.0, backoff_s=0.5, beats=True)
async def hang_up(run: Run) -> None:
    """End a line at the provider; twice is harmless."""
    line_id = argument(run, "line_id")
    async with run.tx() as tx:
        sid = await opening.sid_of(tx, line_id)
    if sid is not None:
        ended = await telephony(run).hang_up(sid)
        await _hear(run, line_id, ended.sid, ended.state)


@job("lines.webhook", timeout_s=10.0, backoff_s=0.2, beats=True)
async def webhook(run: Run) -> None:
    """Take in what a stored callback says of a line."""
    async with run.tx() as tx:
        update = reader(run).read_call(await read_delivery(tx, argument(run, "delivery_id")))
    await _hear(run, argument(run, "line_id"), update.sid, update.state)


@job("lines.check", timeout_s=20.0, beats=True)
async def check(run: Run) -> None:
    """Ask the provider about a line that was not heard of for a while, settle it, and end one that nobody is at."""
    line_id = argument(run, "line_id")
    async with run.tx() as tx:
        sid = await opening.sid_of(tx, line_id)
        deserted = await opening.desert(tx, line_id)
    if sid is None:
        async with run.tx() as tx:
            if await opening.is_overdue(tx, line_id, run.deps.settings.call_dial_deadline_s):
                await opening.fail(tx, line_id, "It was never opened: the telephone provider did not answer.")
        return
    known = await telephony(run).hang_up(sid) if deserted else await telephony(run).fetch_call(sid)
    await _hear(run, line_id, sid, "failed" if known is None else known.state)


async def _hear(run: Run, line_id: UUID, sid: str, state: CallState) -> None:
    async with run.finish() as tx:
        if state in FINAL_STATES and await opening.sid_of(tx, line_id) in (None, sid):
            for call_id, leg_id in await opening.calls_of(tx, line_id):
                await joining.fail_leg(tx, call_id, leg_id, "The rep's line ended.")
        await opening.hear_line(tx, line_id, sid, state)


@duty(every_s=3.0)
async def check_silent_lines(deps: Deps) -> None:
    """Ask about lines that nothing was heard of."""
    await opening.check_silent_lines(deps.db, deps.settings.call_silence_s)
