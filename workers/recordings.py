"""The jobs of recordings: between two transactions of hub.recordings.running, the provider and the store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

from hub.recordings import actions, running
from hub.recordings.actions import ERASE, FETCH, STEER
from hub.recordings.running import Next
from hub.recordings.sound import NotSound, Sound, read_wav
from hub.webhooks.inbox import read_delivery
from integrations.errors import CircuitOpen, Rejected, Transient
from integrations.ports import CallbackReader, ObjectStore, Telephony
from workers.cron import duty
from workers.job import Deps, Permanent, Run, is_permanent, job

# Announce, start, pause: what may be due at once, and a little more.
_STEPS = 8
_HEAD_BYTES = 4096


def _telephony(run: Run) -> Telephony:
    if run.deps.telephony is None:
        raise Permanent("No telephone account is set up.")
    return run.deps.telephony


def _store(run: Run) -> ObjectStore:
    if run.deps.objects is None:
        raise Permanent("No store for recordings is set up. Set RINGSIDE_OBJECTS.")
    return run.deps.objects


def _reader(run: Run) -> CallbackReader:
    if run.deps.callbacks is None:
        raise Permanent("No telephone account is set up.")
    return run.deps.callbacks


@job("recordings.begin", timeout_s=10.0, backoff_s=0.2)
async def begin(run: Run) -> None:
    """The contact has answered: record the call if that is what the company wants."""
    async with run.finish() as tx:
        await actions.begin_if_always(tx, UUID(run.job.args["call_id"]))


@job(STEER, timeout_s=30.0, backoff_s=0.3)
async def steer(run: Run) -> None:
    """Bring a recording to what is wanted of it: announced, started, paused, gone on, ended."""
    recording_id = UUID(run.job.args["recording_id"])
    for _ in range(_STEPS):
        async with run.tx() as tx:
            step = await running.next_step(tx, recording_id)
        if step is None or step.kind == "nothing":
            return
        try:
            await _take(run, recording_id, step)
        except Rejected as exc:
            await _refused(run, recording_id, step, exc)
            return
        except (Transient, CircuitOpen) as exc:
            if run.job.attempts >= run.job.max_attempts and step.kind in ("announce", "start"):
                async with run.tx() as tx:
                    await running.fail(tx, recording_id, f"The recording could not be begun: {exc}")
            raise


async def _take(run: Run, recording_id: UUID, step: Next) -> None:
    telephony, tenant_id = _telephony(run), run.job.tenant_id
    public_url = run.deps.settings.public_url
    if step.kind == "announce":
        conference = step.conference_sid or await telephony.find_conference(f"ringside-{step.call_id}")
        if conference is None:
            raise Transient("The contact is not in the call's conference yet.", retry_after=0.3)
        await telephony.announce(conference, step.call_sid, public_url + running.announcement_path(tenant_id, step.call_id))
        async with run.tx() as tx:
            await running.note_announced(tx, recording_id, step.call_id)
    elif step.kind == "start":
        # Asked again after an answer that got lost, the provider names the recording that is under way.
        sid = await telephony.start_recording(step.call_sid, public_url + running.callback_path(tenant_id, recording_id))
        async with run.tx() as tx:
            is_ours = await running.record_started(tx, recording_id, sid)
        if not is_ours:
            raise Transient("The recording before this one is still ending.", retry_after=0.5)
    elif step.kind == "transcribe":
        sid = await telephony.start_transcription(step.call_sid, public_url + running.spoken_path(tenant_id, recording_id))
        async with run.tx() as tx:
            await running.record_spoken(tx, recording_id, sid)
    elif step.kind == "hush":
        await telephony.stop_transcription(step.call_sid, step.sid)
        async with run.tx() as tx:
            await running.record_spoken(tx, recording_id, None)
    elif step.kind == "stop":
        await telephony.stop_recording(step.call_sid, step.sid)
        async with run.tx() as tx:
            await running.record_stopped(tx, recording_id)
    else:
        await telephony.pause_recording(step.call_sid, step.sid, step.kind == "pause")
        async with run.tx() as tx:
            await running.record_paused(tx, recording_id, step.kind == "pause")


async def _refused(run: Run, recording_id: UUID, step: Next, exc: Rejected) -> None:
    """Without its announcement, or refused, there is no recording. A pause that is refused comes after the call's end."""
    if step.kind == "transcribe":
        # The recording goes on without it.
        async with run.finish() as tx:
            await running.record_spoken(tx, recording_id, None, exc.message)
        return
    async with run.finish() as tx:
        if step.kind in ("announce", "start"):
            said = "The contact could not be told of it" if step.kind == "announce" else "The provider refused it"
            await running.fail(tx, recording_id, f"{said}: {exc.message}")


@job("recordings.webhook", timeout_s=10.0, backoff_s=0.2)
async def webhook(run: Run) -> None:
    """Take in what a stored callback says of a recording."""
    async with run.finish() as tx:
        fields = await read_delivery(tx, UUID(run.job.args["delivery_id"]))
        await running.hear(tx, UUID(run.job.args["recording_id"]), _reader(run).read_recording(fields))


@job("recordings.transcript", timeout_s=10.0, backoff_s=0.2)
async def transcript(run: Run) -> None:
    """Keep what was said in a recording."""
    async with run.finish() as tx:
        fields = await read_delivery(tx, UUID(run.job.args["delivery_id"]))
        await running.keep_transcript(tx, UUID(run.job.args["recording_id"]), _reader(run).read_transcription(fields))


@job("recordings.spoken", timeout_s=10.0, backoff_s=0.2)
async def spoken(run: Run) -> None:
    """Keep what is being said in a call."""
    async with run.finish() as tx:
        fields = await read_delivery(tx, UUID(run.job.args["delivery_id"]))
        await running.hear_spoken(tx, UUID(run.job.args["recording_id"]), _reader(run).read_spoken(fields))


@dataclass(slots=True)
class _Seen:
    """What passed by on its way into the store."""

    head: bytearray = field(default_factory=bytearray)

    async def watch(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for piece in pieces:
            if len(self.head) < _HEAD_BYTES:
                self.head += piece[: _HEAD_BYTES - len(self.head)]
            yield piece


@job(FETCH, timeout_s=300.0, backoff_s=1.0)
async def fetch(run: Run) -> None:
    """Bring a recording into our own store, whole or not at all; the provider's copy goes afterwards."""
    recording_id = UUID(run.job.args["recording_id"])
    telephony, store = _telephony(run), _store(run)
    async with run.tx() as tx:
        files = await running.to_fetch(tx, recording_id)
    if files is None or files.sid is None or files.key is None:
        return
    seen = _Seen()
    try:
        size = await store.put(files.key, seen.watch(telephony.download_recording(files.sid)), "audio/wav")
        sound = _sound(bytes(seen.head), size)
    except Exception as exc:
        if is_permanent(exc) or run.job.attempts >= run.job.max_attempts:
            async with run.tx() as tx:
                await running.fail(tx, recording_id, f"It could not be fetched: {exc}")
        raise
    async with run.finish() as tx:
        is_wanted = await running.record_stored(tx, recording_id, size, sound.duration_ms // 1000, sound.channels)
    if not is_wanted:
        # Deleted while it was on its way.
        await store.delete(files.key)


def _sound(head: bytes, size: int) -> Sound:
    """What was fetched. What is no sound may be an error page, or a file that is not ready: worth another try."""
    try:
        return read_wav(head, size)
    except NotSound as exc:
        raise Transient(f"The provider sent something else than a recording. {exc}") from None


@job("recordings.forget", timeout_s=30.0, backoff_s=2.0)
async def forget(run: Run) -> None:
    """Delete the provider's copy of what we have ourselves."""
    recording_id = UUID(run.job.args["recording_id"])
    async with run.tx() as tx:
        files = await running.where(tx, recording_id)
    if files is None or files.sid is None:
        return
    await _telephony(run).delete_recording(files.sid)
    async with run.finish() as tx:
        await running.note_gone(tx, recording_id, provider=True)


@job(ERASE, timeout_s=30.0, backoff_s=2.0)
async def erase(run: Run) -> None:
    """Delete a recording's file, and the provider's copy if it is there still."""
    recording_id = UUID(run.job.args["recording_id"])
    async with run.tx() as tx:
        files = await running.where(tx, recording_id)
    if files is None:
        return
    if files.key is not None:
        await _store(run).delete(files.key)
    if files.sid is not None:
        await _telephony(run).delete_recording(files.sid)
    async with run.finish() as tx:
        await running.note_gone(tx, recording_id, provider=files.sid is not None, store=files.key is not None)


@duty(every_s=600.0)
async def delete_expired_recordings(deps: Deps) -> None:
    """Delete recordings whose time is over."""
    await running.delete_expired(deps.db)


@duty(every_s=30.0)
async def settle_silent_recordings(deps: Deps) -> None:
    """Settle recordings of which nothing was heard since their call ended."""
    await running.settle_silent(deps.db)
