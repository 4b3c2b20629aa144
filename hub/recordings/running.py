"""The transactions around the provider: what a recording needs next, the record of what came of it, the settling of doubt.

None of these functions calls the provider or the store; workers.recordings does, between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import asyncpg

from hub.calls.audit import note
from hub.calls.states import is_live
from hub.db import Database, Tx, tenant_tx
from hub.errors import Conflict
from hub.recordings import queries
from hub.recordings.actions import FETCH, STEER, delete, emit, show_on_call
from hub.recordings.consent import consent_for
from hub.recordings.events import (
    RecordingChanged,
    RecordingPaused,
    RecordingStarted,
    RecordingStored,
    RecordingTranscribed,
)
from hub.sqlfiles import load_sql
from hub.who import Who
from integrations.ports import RecordingUpdate, SpokenUpdate, TranscriptionUpdate

_SQL = load_sql("recordings")

# So long after a call's end the provider has told what became of its recording, or never will.
SILENT_S = 120.0
_LONGEST_TRANSCRIPT = 400_000

StepKind = Literal["announce", "start", "pause", "resume", "stop", "transcribe", "hush", "nothing"]


@dataclass(frozen=True, slots=True)
class Next:
    """What a recording needs now, and the ids of the provider's that it takes."""

    kind: StepKind
    call_id: UUID
    call_sid: str = ""
    sid: str = ""
    conference_sid: str | None = None


@dataclass(frozen=True, slots=True)
class Files:
    """Where a recording is: at the provider, and in our own store."""

    sid: str | None
    key: str | None
    needs_duration: bool = False


def callback_path(tenant_id: UUID, recording_id: UUID) -> str:
    """Where the provider reports on a recording."""
    return f"/webhooks/twilio/{tenant_id}/recordings/{recording_id}/status"


def spoken_path(tenant_id: UUID, recording_id: UUID) -> str:
    """Where the provider tells what is being said."""
    return f"/webhooks/twilio/{tenant_id}/recordings/{recording_id}/spoken"


def announcement_path(tenant_id: UUID, call_id: UUID) -> str:
    """Where the provider asks what to tell the contact."""
    return f"/webhooks/twilio/{tenant_id}/calls/{call_id}/announcement"


def object_key(tenant_id: UUID, recording_id: UUID) -> str:
    """A recording's place in the store: always the same, so that storing it twice stores it once."""
    return f"recordings/{tenant_id}/{recording_id}.wav"


async def _lock(tx: Tx, recording_id: UUID) -> asyncpg.Record | None:
    await tx.fetchval(_SQL["lock_call_of"], id=recording_id)
    return await tx.fetchrow(_SQL["lock_recording"], id=recording_id)


async def next_step(tx: Tx, recording_id: UUID) -> Next | None:
    """What to do now to make a recording as it is wanted. None when there is no such recording."""
    row = await _lock(tx, recording_id)
    if row is None:
        return None
    nothing = Next("nothing", row["call_id"])
    if row["state"] == "starting":
        if row["wanted"] == "off" or not is_live(row["call_state"]):
            if row["asked_at"] is None:
                await _fail(tx, row, "It was switched off or the call ended before it began.")
            return nothing
        rules = await queries.get_rules(tx, row["call_id"])
        assert rules is not None
        consent = consent_for(rules["contact_number"], rules["own_number"], rules["announce_recording"])
        if consent.must_announce and row["announced_at"] is None:
            return Next("announce", row["call_id"], row["call_sid"], conference_sid=row["conference_sid"])
        await tx.execute(_SQL["ask_recording"], id=recording_id)
        return Next("start", row["call_id"], row["call_sid"])
    if row["state"] not in ("recording", "paused") or row["provider_sid"] is None or not is_live(row["call_state"]):
        return nothing
    # Nothing is written down that is not recorded: a card number would be there for everybody to read.
    if row["wanted"] != "on" and row["spoken_sid"] is not None:
        return Next("hush", row["call_id"], row["call_sid"], row["spoken_sid"])
    if (row["state"], row["wanted"]) == ("recording", "on") and row["spoken_sid"] is None and row["spoken_error"] is None:
        rules = await queries.get_rules(tx, row["call_id"])
        if rules is not None and rules["transcribe_calls"]:
            return Next("transcribe", row["call_id"], row["call_sid"])
    wants: dict[tuple[str, str], StepKind] = {
        ("recording", "paused"): "pause",
        ("paused", "on"): "resume",
        ("recording", "off"): "stop",
        ("paused", "off"): "stop",
    }
    kind = wants.get((row["state"], row["wanted"]))
    return Next(kind, row["call_id"], row["call_sid"], row["provider_sid"]) if kind is not None else nothing


async def note_announced(tx: Tx, recording_id: UUID, call_id: UUID) -> None:
    """The contact has been told, and in which words."""
    rules = await queries.get_rules(tx, call_id)
    assert rules is not None
    await tx.execute(_SQL["note_announced"], id=recording_id, announcement=rules["announcement"])
    await note(tx, call_id, "recording.announced", recording_id=recording_id, words=rules["announcement"])


async def forget_asking(tx: Tx, recording_id: UUID) -> None:
    """The provider certainly does not record: it may be asked as if for the first time."""
    await tx.execute(_SQL["unask_recording"], id=recording_id)


async def fail(tx: Tx, recording_id: UUID, reason: str) -> None:
    """There will be no recording, or none that can be heard; say why."""
    row = await _lock(tx, recording_id)
    if row is not None:
        await _fail(tx, row, reason)


async def _fail(tx: Tx, row: asyncpg.Record, reason: str) -> None:
    if row["state"] in ("stored", "deleted", "failed"):
        return
    await tx.execute(_SQL["move_recording"], id=row["id"], state="failed", error=reason)
    await emit(tx, RecordingChanged, row["id"])
    await show_on_call(tx, row["call_id"], "off")


async def record_started(tx: Tx, recording_id: UUID, sid: str) -> bool:
    """The provider records. False when what it named is another recording's, which is just ending."""
    row = await _lock(tx, recording_id)
    if row is None or row["provider_sid"] is not None:
        return True
    other = await tx.fetchval(_SQL["recording_of_sid"], sid=sid)
    if other is not None:
        return False
    await tx.execute(_SQL["adopt_recording"], id=recording_id, sid=sid)
    await note(tx, row["call_id"], "recording.started", recording_id=recording_id)
    await emit(tx, RecordingStarted, recording_id)
    await show_on_call(tx, row["call_id"], "on")
    return True


async def record_paused(tx: Tx, recording_id: UUID, paused: bool) -> None:
    """The provider listens no more for a while, or again."""
    row = await _lock(tx, recording_id)
    if row is None or row["state"] not in ("recording", "paused"):
        return
    await tx.execute(_SQL["move_recording"], id=recording_id, state="paused" if paused else "recording", error=None)
    await emit(tx, RecordingPaused if paused else RecordingStarted, recording_id)
    await show_on_call(tx, row["call_id"], "paused" if paused else "on")


async def record_spoken(tx: Tx, recording_id: UUID, sid: str | None, error: str | None = None) -> None:
    """What is said is written down from now on, or (without `sid`) no more."""
    await tx.execute(_SQL["set_spoken"], id=recording_id, sid=sid, error=error)


async def hear_spoken(tx: Tx, recording_id: UUID, update: SpokenUpdate) -> bool:
    """Take in what is said; False when it is about another call, or the recording was deleted."""
    row = await _lock(tx, recording_id)
    if row is None or row["call_sid"] != update.call_sid or row["state"] == "deleted":
        return False
    if update.event == "began" and row["spoken_sid"] is None and row["state"] in ("starting", "recording"):
        # The answer to our request got lost; this is the one that it made.
        await record_spoken(tx, recording_id, update.transcription_sid)
    if update.event == "piece" and update.text:
        text = update.text.replace("\x00", "")
        await tx.execute(
            _SQL["add_piece"],
            id=recording_id,
            sid=update.transcription_sid,
            sequence=update.sequence,
            speaker=update.speaker,
            text=text,
        )
    is_late = not is_live(row["call_state"]) or row["spoken_sid"] != update.transcription_sid
    if update.event == "ended" or (update.event == "piece" and is_late):
        await _keep_text(tx, recording_id, await tx.fetchval(_SQL["spoken_text"], id=recording_id))
    return True


async def record_stopped(tx: Tx, recording_id: UUID) -> None:
    """The provider records no more; its file follows."""
    row = await _lock(tx, recording_id)
    if row is not None:
        await _ended(tx, row, None, None)


async def _ended(tx: Tx, row: asyncpg.Record, duration_s: int | None, channels: int | None) -> None:
    if row["state"] not in ("starting", "recording", "paused"):
        return
    await tx.execute(_SQL["end_recording"], id=row["id"], duration_s=duration_s, channels=channels)
    await emit(tx, RecordingChanged, row["id"])
    await show_on_call(tx, row["call_id"], "off")


async def hear(tx: Tx, recording_id: UUID, update: RecordingUpdate) -> bool:
    """Take in what the provider says of a recording. False when it is late, repeated, or about some other one."""
    row = await _lock(tx, recording_id)
    if row is None or row["provider_sid"] not in (None, update.recording_sid):
        return False
    if update.call_sid is not None and row["call_sid"] is not None and update.call_sid != row["call_sid"]:
        return False
    if row["provider_sid"] is None:
        if row["state"] != "starting" or not await record_started(tx, recording_id, update.recording_sid):
            return False
        await tx.defer(STEER, {"recording_id": recording_id}, max_attempts=6)
        row = await _lock(tx, recording_id)
        assert row is not None
    if update.status == "completed":
        if row["state"] not in ("starting", "recording", "paused", "fetching"):
            return False
        # Stopped by us it is on its way already, but how long it is is only said now.
        await _ended(tx, row, update.duration_s, update.channels)
        if row["state"] == "fetching":
            await tx.execute(_SQL["end_recording"], id=recording_id, duration_s=update.duration_s, channels=update.channels)
        await tx.defer(FETCH, {"recording_id": recording_id}, key=str(recording_id), max_attempts=12)
    elif update.status in ("absent", "failed"):
        await _fail(tx, row, "There was nothing to record." if update.status == "absent" else "The provider could not record it.")
    return True


async def to_fetch(tx: Tx, recording_id: UUID) -> Files | None:
    """Where to fetch a recording from and where to put it; None when there is nothing to fetch."""
    row = await _lock(tx, recording_id)
    if row is None or row["state"] not in ("fetching", "failed") or row["provider_sid"] is None:
        return None
    return Files(row["provider_sid"], object_key(tx.who.tenant_id, recording_id), row["duration_s"] is None)


async def record_stored(tx: Tx, recording_id: UUID, size: int, duration_s: int | None, channels: int | None) -> bool:
    """The file is in our store. False when it was deleted meanwhile and has to go again."""
    row = await _lock(tx, recording_id)
    if row is None or row["state"] == "deleted":
        return False
    if row["state"] in ("fetching", "failed"):
        key = object_key(tx.who.tenant_id, recording_id)
        await tx.execute(_SQL["store_recording"], id=recording_id, key=key, bytes=size, duration_s=duration_s, channels=channels)
        await tx.defer("recordings.forget", {"recording_id": recording_id}, key=str(recording_id), max_attempts=20)
        await emit(tx, RecordingStored, recording_id)
    return True


async def where(tx: Tx, recording_id: UUID) -> Files | None:
    """Where there may be something of a recording still; None when there is no such recording."""
    row = await _lock(tx, recording_id)
    if row is None:
        return None
    key = object_key(tx.who.tenant_id, recording_id)
    return Files(row["provider_sid"] if row["provider_gone_at"] is None else None, key if row["object_gone_at"] is None else None)


async def note_gone(tx: Tx, recording_id: UUID, *, provider: bool = False, store: bool = False) -> None:
    """The provider, or our store, has nothing of it any more."""
    await tx.execute(_SQL["note_gone"], id=recording_id, provider=provider, object=store)


async def keep_transcript(tx: Tx, recording_id: UUID, update: TranscriptionUpdate) -> bool:
    """Keep what was said; False when it is about some other recording, or one that was deleted."""
    row = await _lock(tx, recording_id)
    if row is None or row["provider_sid"] != update.recording_sid or update.status != "completed":
        return False
    return await _keep_text(tx, recording_id, update.text.replace("\x00", ""))


async def _keep_text(tx: Tx, recording_id: UUID, text: str | None) -> bool:
    if not text or await tx.fetchval(_SQL["keep_transcript"], id=recording_id, text=text[:_LONGEST_TRANSCRIPT]) is None:
        return False
    await emit(tx, RecordingTranscribed, recording_id)
    return True


async def delete_expired(db: Database, limit: int = 200) -> int:
    """Delete the recordings of any tenant whose time is over. Returns how many."""
    deleted = 0
    for row in await db.system_fetch(_SQL["expired"], limit=limit):
        async with tenant_tx(db, Who.system(row["tenant_id"])) as tx:
            try:
                await delete(tx, row["id"], reason="retention")
            except Conflict:
                continue
            deleted += 1
    return deleted


async def settle_silent(db: Database, silent_s: float = SILENT_S, limit: int = 200) -> int:
    """Settle recordings whose call is over and of which nothing was heard since. Returns how many."""
    settled = 0
    for row in await db.system_fetch(_SQL["unheard"], silent_s=silent_s, limit=limit):
        async with tenant_tx(db, Who.system(row["tenant_id"])) as tx:
            if await tx.fetchval(_SQL["touch_recording"], id=row["id"], silent_s=silent_s) is not None:
                await _settle(tx, row["id"])
                settled += 1
    return settled


async def _settle(tx: Tx, recording_id: UUID) -> None:
    row = await _lock(tx, recording_id)
    if row is None:
        return
    if row["provider_sid"] is None:
        await _fail(tx, row, "The telephone provider never said that it recorded.")
        return
    # Its end was never told: what the provider has is all there is.
    await _ended(tx, row, None, None)
    await tx.defer(FETCH, {"recording_id": recording_id}, key=str(recording_id), max_attempts=12)
