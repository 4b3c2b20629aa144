"""What follows when nobody takes a call: a task, word to those who should know, and the caller's message."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from hub.db import Tx
from hub.errors import Unavailable
from hub.notifications.actions import notify, notify_managers
from hub.recordings.actions import adopt_voicemail
from hub.recordings.running import keep_transcript
from hub.sqlfiles import load_sql
from hub.tasks.actions import create_task
from integrations.ports import TranscriptionUpdate

_SQL = load_sql("inbound")


async def note_missed(tx: Tx, call_id: UUID) -> None:
    """Nobody took this call: somebody shall call back. May be repeated; it is noted once."""
    call = await tx.fetchrow(_SQL["call_facts"], id=call_id)
    if call is None or call["user_id"] is not None or await tx.fetchval(_SQL["note_missed"], call_id=call_id) is None:
        return
    route = await tx.fetchrow(_SQL["get_route"], number_id=call["number_id"])
    who = call["contact_name"]
    assignee = (route["user_id"] if route else None) or call["owner_id"]
    if route is None and assignee is None:
        assignee = await tx.fetchval(_SQL["last_rep"], contact_id=call["contact_id"])
    await create_task(
        tx,
        kind="missed_call",
        title=f"Call {who} back",
        contact_id=call["contact_id"],
        assignee_id=assignee,
        due_at=call["created_at"],
        call_id=call_id,
    )
    line = f" on {route['label']}" if route and route["label"] else ""
    await _tell(tx, call, route, "missed_call", f"Missed call from {who}", f"{call['from_number']} called{line}.")


async def note_voicemail(tx: Tx, call_id: UUID, recording_sid: str, duration_s: int | None) -> None:
    """The caller left a message: keep it, and say so. May be repeated."""
    call = await tx.fetchrow(_SQL["call_facts"], id=call_id)
    if call is None:
        return
    await note_missed(tx, call_id)
    await tx.execute(_SQL["note_voicemail"], call_id=call_id, sid=recording_sid, duration_s=duration_s)
    if await adopt_voicemail(tx, call_id, recording_sid, duration_s) is not None:
        route = await tx.fetchrow(_SQL["get_route"], number_id=call["number_id"])
        length = f"{duration_s} seconds." if duration_s is not None else ""
        await _tell(tx, call, route, "voicemail", f"Voicemail from {call['contact_name']}", length)


async def note_transcript(tx: Tx, update: TranscriptionUpdate) -> None:
    """What the caller said, in writing. Raises Unavailable while the recording itself has not been heard of."""
    recording_id = await tx.fetchval(_SQL["recording_of_sid"], sid=update.recording_sid)
    if recording_id is None:
        raise Unavailable("The recording of this transcript has not been heard of yet.", retry_after_s=2)
    await keep_transcript(tx, recording_id, update)


async def _tell(tx: Tx, call: asyncpg.Record, route: asyncpg.Record | None, kind: str, title: str, body: str) -> None:
    people: list[UUID] = []
    if route is not None and route["user_id"] is not None:
        people = [route["user_id"]]
    elif route is not None and route["team_id"] is not None:
        people = [row["user_id"] for row in await tx.fetch(_SQL["people_to_tell"], of_team=route["team_id"])]
    elif call["owner_id"] is not None:
        people = [call["owner_id"]]
    for person in people:
        await notify(tx, person, kind, title, body, "call", call["id"])
    if not people:
        await notify_managers(tx, kind, title, body, "call", call["id"])
