"""The jobs of messages that are left on answering machines."""

from __future__ import annotations

from uuid import UUID

from hub.voicemail import actions
from hub.voicemail.actions import ERASE, LEAVE
from hub.voicemail.links import provider_path
from integrations.errors import CircuitOpen, Rejected, Transient
from integrations.ports import Hangup, Play
from workers.job import Permanent, Run, job
from workers.telephone import telephony


@job(LEAVE, timeout_s=20.0, backoff_s=0.3)
async def leave(run: Run) -> None:
    """Send the contact's leg out of the conference to hear the message and end; everybody else's leg ends."""
    call_id = UUID(run.job.args["call_id"])
    asked = telephony(run)
    async with run.tx() as tx:
        plan = await actions.begin_leaving(tx, call_id)
    if plan is None:
        return
    settings = run.deps.settings
    url = settings.public_url + provider_path(settings, run.job.tenant_id, plan.drop_id)
    try:
        await asked.redirect(plan.call_sid, [Play(url), Hangup()])
        async with run.tx() as tx:
            await actions.note_played(tx, call_id)
    except Rejected as exc:
        await _give_up(run, call_id, exc.message)
    except (Transient, CircuitOpen) as exc:
        if run.job.attempts < run.job.max_attempts:
            raise
        await _give_up(run, call_id, str(exc))
    for sid in plan.leg_sids:
        await asked.hang_up(sid)


async def _give_up(run: Run, call_id: UUID, reason: str) -> None:
    async with run.tx() as tx:
        await actions.give_up(tx, call_id, reason)


@job(ERASE, timeout_s=30.0, backoff_s=2.0)
async def erase(run: Run) -> None:
    """Delete the file of a message that was deleted."""
    if run.deps.objects is None:
        raise Permanent("No store for recordings is set up. Set RINGSIDE_OBJECTS.")
    await run.deps.objects.delete(run.job.args["key"])
