"""The writes on timelines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import orjson

from hub.activities.events import ActivityCreated
from hub.db import Tx
from hub.events import TENANT
from hub.sqlfiles import load_sql

_SQL = load_sql("activities")


async def add_note(tx: Tx, contact_id: UUID, body: str) -> str | None:
    """Put a note on a contact's timeline and return its JSON; None when there is no such contact."""
    made = await tx.fetchrow(_SQL["insert_note"], contact_id=contact_id, body=body)
    return None if made is None else _told(tx, made["id"], made["json"], (TENANT,))


async def add_activity(
    tx: Tx,
    contact_id: UUID,
    kind: Literal["call", "email", "sms", "note", "task", "system", "meeting"],
    *,
    body: str = "",
    call_id: UUID | None = None,
    message_id: UUID | None = None,
    meeting_id: UUID | None = None,
    mail_message_id: UUID | None = None,
    at: datetime | None = None,
    actor_id: UUID | None = None,
    audiences: Sequence[str] = (TENANT,),
) -> str:
    """Put something on a contact's timeline and return its JSON. The contact must exist.

    `at` is when it happened, now if left out, `actor_id` whose deed it was, if not that of whoever acts now. `audiences` are
    those who hear of it at once, where not the whole company may see it; who may read it later follows from the thing itself.
    """
    made = await tx.fetchrow(
        _SQL["insert_activity"],
        contact_id=contact_id,
        kind=kind,
        body=body,
        call_id=call_id,
        message_id=message_id,
        meeting_id=meeting_id,
        mail_message_id=mail_message_id,
        at=at,
        actor_id=actor_id,
    )
    assert made is not None
    return _told(tx, made["id"], made["json"], audiences)


def _told(tx: Tx, activity_id: UUID, text: str, audiences: Sequence[str]) -> str:
    for audience in audiences:
        tx.emit(ActivityCreated(activity_id, {"activity": orjson.Fragment(text)}, audience))
    return text
