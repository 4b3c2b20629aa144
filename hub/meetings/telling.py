"""Who hears of a meeting, and what stands on the timeline."""

from __future__ import annotations

from uuid import UUID

import orjson

from hub.activities.actions import add_activity
from hub.db import Tx
from hub.events import TENANT, only_user
from hub.meetings.events import MeetingCanceled, MeetingChanged, MeetingPlanned
from hub.sqlfiles import load_sql

_SQL = load_sql("meetings")

MeetingEvent = type[MeetingPlanned] | type[MeetingChanged] | type[MeetingCanceled]


async def tell(tx: Tx, meeting_id: UUID, kind: MeetingEvent) -> str:
    """Tell those who may see a meeting how it is now; its JSON. One that is new goes onto its contact's timeline."""
    row = await tx.fetchrow(_SQL["meeting_told"], id=meeting_id)
    assert row is not None
    if row["visibility"] == "everyone" and not row["private"]:
        audiences = [TENANT]
    else:
        people = {row["owner_id"], row["user_id"], *(row["people"] or ())} - {None}
        audiences = [only_user(person) for person in sorted(people)]
    text: str = row["json"]
    for audience in audiences:
        tx.emit(kind(meeting_id, {"meeting": orjson.Fragment(text)}, audience))
    if kind is MeetingPlanned:
        told = orjson.loads(text)
        await add_activity(
            tx, UUID(told["contact_id"]), "meeting", body=told["summary"], meeting_id=meeting_id, audiences=audiences
        )
    return text
