"""Everybody in a call but the contact: the rows, and the one place that moves them from state to state.

What follows for the call when somebody comes or goes is in hub.calls.joining.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import asyncpg

from hub.calls.states import LegState, leg_may_move
from hub.db import Tx
from hub.lines import actions as lines
from hub.presence import actions as presence
from hub.sqlfiles import load_sql

LegKind = Literal["rep", "supervisor", "colleague"]
Mode = Literal["listen", "whisper", "barge"]

_SQL = load_sql("calls")


async def add_leg(
    tx: Tx,
    call_id: UUID,
    kind: LegKind,
    *,
    user_id: UUID | None = None,
    phone: str = "",
    mode: Mode | None = None,
    takes_over: Literal["warm", "cold"] | None = None,
    line_id: UUID | None = None,
    ring_s: int = 25,
) -> UUID:
    """Write down that somebody is to be in a call and see to it that they are asked. Whoever is in it is a Conflict.

    Members are found by their own way of talking, everybody else at `phone`. A leg with a line is that open line.
    """
    leg_id: UUID = await tx.fetchval(
        _SQL["insert_leg"],
        call_id=call_id,
        kind=kind,
        person_id=user_id,
        line_id=line_id,
        address=phone,
        mode=mode,
        muted=mode == "listen",
        takes_over=takes_over,
        ring_s=ring_s,
    )
    await tx.defer("calls.join", {"call_id": call_id, "leg_id": leg_id}, key=str(leg_id), max_attempts=20)
    return leg_id


async def live_legs(tx: Tx, call_id: UUID) -> list[asyncpg.Record]:
    """Everybody in a call, oldest first, locked."""
    return await tx.fetch(_SQL["live_legs"], call_id=call_id)


async def lock_leg(tx: Tx, call_id: UUID, leg_id: UUID) -> asyncpg.Record | None:
    """One leg of a call, locked. Lock the call first."""
    return await tx.fetchrow(_SQL["lock_leg"], call_id=call_id, id=leg_id)


async def move_leg(tx: Tx, leg: asyncpg.Record, to: LegState, *, error: str | None = None) -> bool:
    """Move a locked leg to another state; False when the table of moves forbids it."""
    if not leg_may_move(leg["state"], to):
        return False
    await tx.execute(_SQL["move_leg"], id=leg["id"], state=to, error=error)
    return True


async def ask_to_leave(tx: Tx, leg: asyncpg.Record) -> None:
    """Take somebody out of a call: at once who was not asked yet, else as soon as the provider has done it."""
    await tx.execute(_SQL["ask_leg_to_leave"], id=leg["id"])
    if leg["line_id"] is not None:
        await move_leg(tx, leg, "left")
        await lines.leave(tx, leg["line_id"], leg["call_id"])
    elif leg["asked_at"] is None:
        await move_leg(tx, leg, "left")
    elif leg["provider_sid"] is not None:
        await tx.defer("calls.drop_leg", {"call_id": leg["call_id"], "leg_id": leg["id"]})


async def end_legs(tx: Tx, call_id: UUID, rep_id: UUID | None, *, talked: bool) -> None:
    """The call is over: everybody leaves, lines are parked, colleagues are free again (the rep has a wrap-up of their own).

    A contact who had answered has taken the conference along, and everybody in it; the reaper looks after any who stayed.
    """
    for leg in await tx.fetch(_SQL["end_legs"], call_id=call_id):
        if leg["line_id"] is not None:
            await lines.leave(tx, leg["line_id"], call_id)
        elif not talked and leg["state"] != "left" and leg["provider_sid"] is not None:
            await tx.defer("calls.drop_leg", {"call_id": call_id, "leg_id": leg["id"]})
        if leg["kind"] == "colleague" and leg["user_id"] is not None and leg["user_id"] != rep_id:
            await presence.free(tx, leg["user_id"], call_id)
