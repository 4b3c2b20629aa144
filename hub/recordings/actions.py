"""What people do with recordings: switch them on, off and to pause, read what there is, delete."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import orjson

from hub.calls import reading
from hub.calls.audit import note
from hub.calls.states import is_live
from hub.db import Tx
from hub.errors import Conflict, Forbidden, NotFound
from hub.events import Event
from hub.recordings import queries
from hub.recordings.consent import Consent, consent_for
from hub.recordings.events import RecordingChanged, RecordingDeleted
from hub.recordings.models import Wanted
from hub.sqlfiles import load_sql

STEER = "recordings.steer"
FETCH = "recordings.fetch"
ERASE = "recordings.erase"

_SQL = load_sql("recordings")


def missing() -> NotFound:
    """The answer for a recording that is not there, or not this tenant's."""
    return NotFound("There is no such recording.", code="recording_not_found")


async def get_heard(tx: Tx, recording_id: UUID) -> asyncpg.Record:
    """A recording that who asks may hear. Raises NotFound and Forbidden."""
    row = await queries.get_recording(tx, recording_id)
    if row is None:
        raise missing()
    if not row["may_hear"]:
        raise Forbidden("This is a colleague's recording; a manager can hear it.")
    return row


async def get_playable(tx: Tx, recording_id: UUID) -> asyncpg.Record:
    """A recording with a file. Raises as `get_heard` does, and Conflict with the reason while there is none."""
    row = await get_heard(tx, recording_id)
    if row["state"] == "deleted":
        raise NotFound("This recording was deleted.", code="recording_deleted")
    if row["state"] != "stored":
        raise Conflict("This recording is not in the store yet. It is fetched when the call is over.", code="recording_not_ready")
    return row


async def note_listened(tx: Tx, recording_id: UUID, call_id: UUID, listener: UUID | None) -> None:
    """Write down that somebody heard it, once for each sitting."""
    await tx.execute(_SQL["note_listened"], id=recording_id, call_id=call_id, listener=listener)


async def describe(tx: Tx, call_id: UUID) -> str:
    """What can be recorded of a call, and what was, as JSON. For those who may hear it."""
    rules = await queries.get_rules(tx, call_id)
    if rules is None:
        raise reading.missing()
    if rules["user_id"] != tx.who.user_id and not tx.who.is_manager:
        raise Forbidden("This is a colleague's call; a manager can hear it.")
    consent = _consent(rules)
    recordings = await queries.recordings_of_call(tx, call_id)
    return orjson.dumps(
        {
            "setting": rules["recording"],
            "state": rules["recording_state"],
            "must_announce": consent.must_announce,
            "explanation": consent.explanation,
            "data": orjson.Fragment(recordings),
        }
    ).decode()


def _consent(rules: asyncpg.Record) -> Consent:
    return consent_for(rules["contact_number"], rules["own_number"], rules["announce_recording"])


async def set_recording(tx: Tx, call_id: UUID, wanted: Wanted) -> str:
    """Switch the recording of a live call on, off or to pause; what comes of it is told by events. The call's recordings.

    Raises Conflict when the company records nothing, nobody has answered yet, or the call is over.
    """
    await reading.lock_talking(tx, call_id)
    rules = await queries.get_rules(tx, call_id)
    assert rules is not None
    under_way: UUID | None = await tx.fetchval(_SQL["recording_under_way"], call_id=call_id)
    if under_way is None and wanted == "on":
        if rules["recording"] == "off":
            raise Conflict(
                "Your company does not record calls. An admin can change that in the settings.", code="recording_is_off"
            )
        under_way = await begin(tx, call_id, rules)
    elif under_way is None:
        raise Conflict("This call is not being recorded.", code="not_recorded")
    else:
        await _want(tx, under_way, wanted)
    await note(tx, call_id, f"recording.{wanted}", recording_id=under_way)
    return await describe(tx, call_id)


async def _want(tx: Tx, recording_id: UUID, wanted: Wanted) -> None:
    await tx.execute(_SQL["want"], id=recording_id, wanted=wanted)
    await tx.defer(STEER, {"recording_id": recording_id}, max_attempts=6)
    await emit(tx, RecordingChanged, recording_id)


async def begin(tx: Tx, call_id: UUID, rules: asyncpg.Record | None = None) -> UUID | None:
    """Ask for a call to be recorded from now on; None when it is already, or is none. Announcing and starting are a job."""
    rules = rules or await queries.get_rules(tx, call_id)
    if rules is None:
        return None
    consent = _consent(rules)
    recording_id: UUID | None = await tx.fetchval(
        _SQL["insert_recording"], call_id=call_id, rule=consent.rule, places=list(consent.places)
    )
    if recording_id is not None:
        await tx.defer(STEER, {"recording_id": recording_id}, max_attempts=6)
    return recording_id


async def begin_if_always(tx: Tx, call_id: UUID) -> None:
    """The contact has answered: record the call if the company has every call recorded."""
    call = await reading.lock_call(tx, call_id)
    rules = await queries.get_rules(tx, call_id)
    if call is None or rules is None or rules["recording"] != "always":
        return
    if is_live(call["state"]) and call["answered_at"] is not None:
        await begin(tx, call_id, rules)


async def adopt_voicemail(tx: Tx, call_id: UUID, sid: str, duration_s: int | None = None) -> UUID | None:
    """A message that a caller left: fetch it like any recording. None when it is here already, or there is no such call."""
    recording_id: UUID | None = await tx.fetchval(_SQL["insert_voicemail"], call_id=call_id, sid=sid, duration_s=duration_s)
    if recording_id is not None:
        await tx.defer(FETCH, {"recording_id": recording_id}, key=str(recording_id), max_attempts=12)
    return recording_id


async def delete(tx: Tx, recording_id: UUID, reason: str = "asked") -> None:
    """Make a recording unheard of, and what was said in it; the files go by a job. Deleting it twice is harmless.

    Raises NotFound, and Conflict while the call is still recorded.
    """
    await tx.fetchval(_SQL["lock_call_of"], id=recording_id)
    row = await tx.fetchrow(_SQL["lock_recording"], id=recording_id)
    if row is None:
        raise missing()
    if row["state"] == "deleted":
        return
    if row["state"] in ("starting", "recording", "paused"):
        raise Conflict("The call is being recorded. Switch the recording off, or wait for the end.", code="recording_under_way")
    await tx.execute(_SQL["delete_recording"], id=recording_id, reason=reason)
    await tx.execute(_SQL["forget_transcript"], id=recording_id)
    await tx.execute(_SQL["forget_pieces"], id=recording_id)
    await tx.defer(ERASE, {"recording_id": recording_id}, key=str(recording_id), max_attempts=20)
    await note(tx, row["call_id"], "recording.deleted", recording_id=recording_id, reason=reason)
    await emit(tx, RecordingDeleted, recording_id)


async def emit(tx: Tx, event: type[Event], recording_id: UUID) -> None:
    """Log the recording as it is now."""
    row = await queries.get_recording(tx, recording_id)
    assert row is not None
    tx.emit(event(recording_id, {"recording": orjson.Fragment(row["json"])}))


async def show_on_call(tx: Tx, call_id: UUID, state: str) -> None:
    """Let the call say whether it is being recorded."""
    if await tx.execute(_SQL["set_call_recording"], call_id=call_id, state=state):
        await reading.emit_updated(tx, call_id)
