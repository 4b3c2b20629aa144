"""The writes on timelines."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import orjson

from hub.activities.events import ActivityCreated
from hub.db import Tx
from hub.sqlfiles import load_sql

_SQL = load_sql("activities")


async def add_activity(
    tx: Tx,
    contact_id: UUID,
    kind: Literal["call", "email", "sms", "note", "task", "system"],
    *,
    body: str = "",
    call_id: UUID | None = None,
    message_id: UUID | None = None,
) -> str:
    """Put something on a contact's timeline and return its JSON. The contact must exist."""
    activity_id: UUID = await tx.fetchval(
        _SQL["insert_activity"], contact_id=contact_id, kind=kind, body=body, call_id=call_id, message_id=message_id
    )
    text: str = await tx.fetchval(_SQL["get_activity"], id=activity_id)
    tx.emit(ActivityCreated(activity_id, {"activity": orjson.Fragment(text)}))
    return text
