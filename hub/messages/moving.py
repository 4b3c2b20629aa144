"""The one place that moves messages from state to state."""

from __future__ import annotations

import asyncpg
import orjson

from hub.db import Tx
from hub.messages.events import MessageStateChanged
from hub.messages.states import MessageState, may_move
from hub.sqlfiles import load_sql

_SQL = load_sql("messages")


async def move_message(
    tx: Tx, message: asyncpg.Record, to: MessageState, *, error: str | None = None, error_code: int | None = None
) -> bool:
    """Move a locked message (a row of `lock_message`) to another state; False when the table of moves forbids it."""
    if not may_move(message["state"], to):
        return False
    if to in ("failed", "undelivered") and error is None:
        error = "The message was not delivered; the carrier did not say why."
    await tx.execute(_SQL["move_message"], id=message["id"], state=to, error=error, error_code=error_code)
    text = await tx.fetchval(_SQL["get_message"], id=message["id"])
    tx.emit(MessageStateChanged(message["id"], {"message": orjson.Fragment(text)}))
    return True
