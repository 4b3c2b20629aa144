"""The jobs of calls that come in."""

from __future__ import annotations

from uuid import UUID

from hub.calls.joining import conference_name, conference_path
from hub.calls.moves import ask_to_end
from hub.calls.reading import lock_call
from hub.inbound import actions, missed
from hub.webhooks.inbox import read_delivery
from integrations.errors import Rejected
from integrations.ports import CallbackReader, Conference
from workers.job import Permanent, Run, job


def _reader(run: Run) -> CallbackReader:
    if run.deps.callbacks is None:
        raise Permanent("No telephone account is set up.")
    return run.deps.callbacks


@job("inbound.join", timeout_s=15.0, backoff_s=0.3)
async def join(run: Run) -> None:
    """Bring whoever took a call from the bridge with the caller into the call's conference; the caller follows by themselves."""
    call_id = UUID(run.job.args["call_id"])
    if run.deps.telephony is None:
        raise Permanent("No telephone account is set up.")
    async with run.tx() as tx:
        person_id = await actions.answerer(tx, call_id)
    if person_id is None:
        return
    callback = run.deps.settings.public_url + conference_path(run.job.tenant_id, call_id)
    try:
        await run.deps.telephony.redirect(
            run.job.args["leg_sid"], [Conference(conference_name(call_id), status_callback_url=callback)]
        )
    except Rejected:
        # Whoever answered has hung up again: nobody is left for the caller.
        async with run.finish() as tx:
            call = await lock_call(tx, call_id)
            if call is not None:
                await ask_to_end(tx, call)
        return
    async with run.finish() as tx:
        await actions.joined(tx, call_id, person_id)


@job("inbound.status", timeout_s=10.0, backoff_s=0.2)
async def status(run: Run) -> None:
    """Take in that an incoming call has ended."""
    async with run.finish() as tx:
        update = _reader(run).read_call(await read_delivery(tx, UUID(run.job.args["delivery_id"])))
        call_id = await actions.call_of_sid(tx, update.sid)
        if call_id is not None:
            await actions.ended(tx, call_id, update)


@job("inbound.voicemail", timeout_s=10.0, backoff_s=0.2)
async def voicemail(run: Run) -> None:
    """Keep the message that a caller left."""
    async with run.finish() as tx:
        update = _reader(run).read_recording(await read_delivery(tx, UUID(run.job.args["delivery_id"])))
        if update.status == "completed":
            await missed.note_voicemail(tx, UUID(run.job.args["call_id"]), update.recording_sid, update.duration_s)


@job("inbound.voicemail_text", timeout_s=10.0, backoff_s=1.0)
async def voicemail_text(run: Run) -> None:
    """Keep what the message says."""
    async with run.finish() as tx:
        update = _reader(run).read_transcription(await read_delivery(tx, UUID(run.job.args["delivery_id"])))
        await missed.note_transcript(tx, update)
