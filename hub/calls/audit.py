"""Who did what in a call: written with the change, read by those who may know."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson

from hub.audit.actions import record
from hub.db import Tx
from hub.sqlfiles import load_sql

_SQL = load_sql("calls")
# Who is in somebody else's call stands in the company's audit log, too.
_HEARD = {"listen": "listened", "whisper": "whispered", "barge": "joined"}


async def note(tx: Tx, call_id: UUID, action: str, **detail: Any) -> None:
    """Write down that the acting person (or Ringside itself) did `action` in a call."""
    text = orjson.dumps({name: value for name, value in detail.items() if value is not None}, default=str).decode()
    await tx.execute(_SQL["insert_audit"], call_id=call_id, action=action, detail=text)
    if action in _HEARD:
        await record(tx, f"call.{_HEARD[action]}", subject_kind="call", subject_id=call_id)
