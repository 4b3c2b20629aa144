"""What people do with messages: keep them, delete them, leave one on the machine that answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import orjson

from hub.calls import actions as calls
from hub.calls import reading
from hub.calls.audit import note
from hub.calls.legs import live_legs, move_leg
from hub.calls.moves import ask_to_end
from hub.calls.states import is_live
from hub.db import Tx
from hub.dialer import actions as dialer
from hub.errors import Conflict, Forbidden, NotFound
from hub.events import TENANT, only_user
from hub.lines import actions as lines
from hub.presence import actions as presence
from hub.recordings.sound import Sound
from hub.sqlfiles import load_sql
from hub.voicemail.events import CallVoicemailDropped, VoicemailDropCreated, VoicemailDropDeleted

LEAVE = "voicemail.leave"
ERASE = "voicemail.erase"
DISPOSITION = "left_voicemail"

_SQL = load_sql("voicemail")
# Nothing that was being played when its message was deleted plays for longer.
_STILL_PLAYING = timedelta(minutes=15)


def missing() -> NotFound:
    """The answer for a message that is not there, somebody else's, or not this tenant's."""
    return NotFound("There is no such message.", code="voicemail_drop_not_found")


async def get_drop(tx: Tx, drop_id: UUID) -> asyncpg.Record:
    """A message that who asks may leave: their own or a shared one."""
    row = await tx.fetchrow(_SQL["get_drop"], id=drop_id)
    if row is None:
        raise missing()
    return row


def object_key(tenant_id: UUID, drop_id: UUID, sound: Sound) -> str:
    """A message's place in the store."""
    return f"drops/{tenant_id}/{drop_id}.{'wav' if sound.content_type == 'audio/wav' else 'mp3'}"


async def keep_drop(tx: Tx, drop_id: UUID, name: str, shared: bool, sound: Sound, key: str, size: int) -> str:
    """Keep a message whose file is in the store; its JSON. Conflict when there is one of this name."""
    owner = None if shared else tx.who.user_id
    await tx.execute(
        _SQL["insert_drop"],
        id=drop_id,
        owner_id=owner,
        name=name,
        object_key=key,
        content_type=sound.content_type,
        bytes=size,
        duration_ms=sound.duration_ms,
    )
    row = await get_drop(tx, drop_id)
    tx.emit(VoicemailDropCreated(drop_id, {"voicemail_drop": orjson.Fragment(row["json"])}, _audience(row["user_id"])))
    text: str = row["json"]
    return text


def _audience(owner: UUID | None) -> str:
    return only_user(owner) if owner is not None else TENANT


def check_may_share(tx: Tx) -> None:
    """Raise Forbidden for who may not keep what is everybody's."""
    if not tx.who.is_manager:
        raise Forbidden("Messages for everybody are kept by managers. Save it as your own.")


async def delete_drop(tx: Tx, drop_id: UUID) -> None:
    """Delete a message; its file goes when nothing plays it any more."""
    row = await get_drop(tx, drop_id)
    if row["user_id"] is None:
        check_may_share(tx)
    await tx.execute(_SQL["delete_drop"], id=drop_id)
    run_at = datetime.now(UTC) + _STILL_PLAYING
    await tx.defer(ERASE, {"key": row["object_key"]}, key=str(drop_id), run_at=run_at, max_attempts=20)
    tx.emit(VoicemailDropDeleted(drop_id, {"voicemail_drop": orjson.Fragment(row["json"])}, _audience(row["user_id"])))


async def leave_drop(tx: Tx, call_id: UUID, drop_id: UUID) -> str:
    """Leave a message on the machine that answered a call; the rep is out of the call at once. The call as JSON.

    Everybody on our side leaves, the contact's leg hears the message and ends, and the call with it. Raises Conflict when
    nobody has answered, the call is over, or a message is being left already.
    """
    call = await reading.lock_talking(tx, call_id)
    drop = await get_drop(tx, drop_id)
    if await tx.fetchval(_SQL["insert_call_drop"], call_id=call_id, drop_id=drop_id) is None:
        raise Conflict("A message is being left in this call already.", code="drop_under_way")
    # Out of the books first: otherwise the end of the rep's leg would end the call, as it does when a rep hangs up.
    for leg in await live_legs(tx, call_id):
        await move_leg(tx, leg, "left")
        if leg["line_id"] is not None:
            await lines.leave(tx, leg["line_id"], call_id)
        elif leg["kind"] == "colleague" and leg["user_id"] is not None and leg["user_id"] != call["user_id"]:
            await presence.free(tx, leg["user_id"], call_id)
    await tx.execute(_SQL["release_rep"], call_id=call_id)
    await note(tx, call_id, "voicemail_dropped", drop_id=drop_id, name=drop["name"])
    is_said = await _say_how_it_went(tx, call)
    if call["user_id"] is not None:
        await (presence.free if is_said else presence.wrap_up)(tx, call["user_id"], call_id)
    await dialer.call_ended(tx, call_id)
    await tx.defer(LEAVE, {"call_id": call_id}, key=str(call_id), max_attempts=5)
    text = await reading.emit_updated(tx, call_id)
    data = {"call": orjson.Fragment(text), "voicemail_drop": orjson.Fragment(drop["json"])}
    tx.emit(CallVoicemailDropped(call_id, data))
    return text


async def _say_how_it_went(tx: Tx, call: asyncpg.Record) -> bool:
    """Set the disposition, where the company has it and the rep has chosen none; whether the call has one now."""
    if call["disposition"] is not None:
        return True
    if not await tx.fetchval(_SQL["has_disposition"], value=DISPOSITION):
        return False
    await calls.set_disposition(tx, call["id"], DISPOSITION, None)
    return True


@dataclass(frozen=True, slots=True)
class Leaving:
    """What a worker has to do to leave a message: the contact's leg hears it, the others end."""

    drop_id: UUID
    call_sid: str
    leg_sids: tuple[str, ...]


async def begin_leaving(tx: Tx, call_id: UUID) -> Leaving | None:
    """What is to be played to whom; None when that has been done, or the call is over."""
    row = await tx.fetchrow(_SQL["get_call_drop"], call_id=call_id)
    if row is None or row["played_at"] is not None or not is_live(row["state"]) or row["provider_sid"] is None:
        return None
    return Leaving(row["drop_id"], row["provider_sid"], tuple(row["leg_sids"]))


async def note_played(tx: Tx, call_id: UUID) -> None:
    """The contact's leg hears the message."""
    await tx.execute(_SQL["note_played"], call_id=call_id)


async def give_up(tx: Tx, call_id: UUID, reason: str) -> None:
    """The message can't be left: end the call, which nobody is in any more."""
    await tx.execute(_SQL["note_unplayed"], call_id=call_id, error=reason)
    call = await reading.lock_call(tx, call_id)
    if call is not None:
        await note(tx, call_id, "voicemail_not_left", error=reason)
        await ask_to_end(tx, call, error=f"The message could not be left: {reason}")
