"""Who hears of a thread, and what they are told."""

from __future__ import annotations

from uuid import UUID

import orjson

from hub.db import Tx
from hub.events import TENANT, Event, only_user
from hub.mail.events import MailReceived, MailSent, MailThreadUpdated
from hub.sqlfiles import load_sql

_SQL = load_sql("mail")

ThreadEvent = type[MailReceived] | type[MailSent] | type[MailThreadUpdated]


async def audiences_of_thread(tx: Tx, thread_id: UUID) -> list[str]:
    """Everybody's, or those of the few who may see the thread."""
    row = await tx.fetchrow(_SQL["audience"], id=thread_id)
    if row is None:
        return []
    if row["visibility"] == "everyone" and not row["private"]:
        return [TENANT]
    people = {row["user_id"], *(row["people"] or ())}
    return [only_user(person) for person in sorted(people)]


async def tell(tx: Tx, thread_id: UUID, kind: ThreadEvent = MailThreadUpdated) -> str:
    """Tell those who may see a thread how it is now; its JSON."""
    text: str = await tx.fetchval(_SQL["read_thread_json"], id=thread_id)
    data = {"thread": orjson.Fragment(text)}
    for audience in await audiences_of_thread(tx, thread_id):
        event: Event = kind(thread_id, data, audience)
        tx.emit(event)
    return text
