"""A session as a transaction works on it: locked, changed in memory, written back once with one event."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from uuid import UUID

import orjson

from hub.db import Tx
from hub.dialer.events import DialSessionChanged
from hub.dialer.states import SessionState, may_move
from hub.errors import NotFound
from hub.sqlfiles import load_sql

LOOK = "dialer.look"

_SQL = load_sql("dialer")


@dataclass(slots=True)
class Session:
    """A locked session. `now` is the database's clock; `dial_at` the end of the countdown, `look_at` when to look again."""

    id: UUID
    queue_id: UUID
    user_id: UUID
    state: SessionState
    since: datetime
    next_item_id: UUID | None
    call_id: UUID | None
    lines: int
    lines_used: int
    lines_note: str | None
    is_automatic: bool
    pause_asked: bool
    leave_asked: bool
    dial_at: datetime | None
    look_at: datetime | None
    note: str | None
    calls: int
    connected: int
    now: datetime

    def move(self, to: SessionState) -> None:
        """Go to another state. A move that the table forbids is a programming error."""
        if to == self.state:
            return
        if not may_move(self.state, to):
            raise RuntimeError(f"a session can't go from {self.state} to {to}")
        self.state = to
        self.dial_at = None

    def look_in(self, seconds: float) -> None:
        """Look at it again after so long."""
        self.look_at = self.now + timedelta(seconds=seconds)

    @property
    def is_look_due(self) -> bool:
        """Whether it is time to look at what it prepares, or nobody said when."""
        return self.look_at is None or self.look_at <= self.now


# What is nobody's business but the duty's: a change of these alone is written and not announced.
_QUIET = ("look_at", "now")


def missing() -> NotFound:
    """The answer for a session that is not there, or not this tenant's."""
    return NotFound("There is no such session.", code="dial_session_not_found")


async def lock_session(tx: Tx, session_id: UUID) -> Session | None:
    """The session, held until the transaction ends; None when there is none."""
    row = await tx.fetchrow(_SQL["lock_session"], id=session_id)
    return Session(**{field.name: row[field.name] for field in fields(Session)}) if row is not None else None


async def save_session(tx: Tx, before: Session, after: Session, *, always: bool = False) -> None:
    """Write the session back and announce it, if anything changed (or `always`)."""
    if before == after and not always:
        return
    await tx.execute(
        _SQL["save_session"],
        **{f.name: getattr(after, f.name) for f in fields(Session) if f.name not in ("queue_id", "user_id", "since", "now")},
    )
    quiet = {name: getattr(before, name) for name in _QUIET}
    if after.dial_at is not None and after.dial_at != before.dial_at:
        await tx.defer(LOOK, {"session_id": after.id}, run_at=after.dial_at)
    elif after.look_at is not None and after.look_at <= after.now and after.state != "ended":
        await tx.defer(LOOK, {"session_id": after.id})
    if always or replace(after, **quiet) != before:
        await announce(tx, after.id)


async def announce(tx: Tx, session_id: UUID) -> None:
    """Log the session as it is now."""
    tx.emit(DialSessionChanged(session_id, {"session": orjson.Fragment(await read_session(tx, session_id))}))


async def read_session(tx: Tx, session_id: UUID) -> str:
    """A session as JSON. Raises NotFound."""
    row = await tx.fetchrow(_SQL["get_session"], id=session_id)
    if row is None:
        raise missing()
    text: str = row["json"]
    return text
