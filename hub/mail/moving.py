"""The one place that moves mails of ours from state to state."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import orjson

from hub.db import Tx
from hub.events import only_user
from hub.mail.events import MailSendChanged
from hub.mail.states import may_move
from hub.mail.values import SendState
from hub.sqlfiles import load_sql

_SQL = load_sql("mail_sends")


async def move_send(tx: Tx, send: asyncpg.Record, to: SendState, *, error: str | None = None, quiet: bool = False) -> bool:
    """Move a locked mail (a row of `lock_send`) to another state; False when the table of moves forbids it.

    `error` replaces what was said before; None takes it away. `quiet`: nobody need hear of this one.
    """
    if send["state"] == to or not may_move(send["state"], to):
        return False
    await tx.execute(_SQL["move_send"], id=send["id"], state=to, error=error[:2000] if error else None)
    if not quiet:
        await tell_send(tx, send["id"])
    return True


async def tell_send(tx: Tx, send_id: UUID) -> None:
    """Tell whose mail it is how it stands."""
    row = await tx.fetchrow(_SQL["send_for_event"], id=send_id)
    if row is not None:
        tx.emit(MailSendChanged(send_id, {"send": orjson.Fragment(row["json"])}, only_user(row["person_id"])))
