"""The statements of presence, typed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from hub.db import Database, Tx
from hub.presence.models import PresenceState
from hub.sqlfiles import load_sql

_SQL = load_sql("presence")


@dataclass(frozen=True, slots=True)
class Presence:
    """A person's presence, held by this transaction."""

    state: PresenceState
    call_id: UUID | None
    reason: str | None
    until: datetime | None = None
    is_over: bool = False
    """Whether `until` has passed."""


async def hold(tx: Tx, user_id: UUID) -> Presence:
    """Lock a person's presence; those who were never seen are offline."""
    row = await tx.fetchrow(_SQL["hold_presence"], person_id=user_id)
    assert row is not None
    return Presence(cast(PresenceState, row["state"]), row["call_id"], row["reason"], row["until"], row["is_over"])


async def is_connected(tx: Tx, user_id: UUID) -> bool:
    """Whether the person has a socket anywhere."""
    return bool(await tx.fetchval(_SQL["is_connected"], person_id=user_id))


async def save(tx: Tx, user_id: UUID, presence: Presence, lasts_s: int | None = None) -> None:
    """Write a new state, as of now, until something changes it or for `lasts_s` seconds."""
    await tx.execute(
        _SQL["set_presence"],
        person_id=user_id,
        state=presence.state,
        call_id=presence.call_id,
        reason=presence.reason,
        lasts_s=lasts_s,
    )


async def extend_wrap_up(tx: Tx, user_id: UUID, seconds: int) -> None:
    """Give somebody who wraps up more time."""
    await tx.execute(_SQL["extend_wrap_up"], person_id=user_id, seconds=seconds)


async def wrap_up_s(tx: Tx) -> int | None:
    """How many seconds the company gives its people to write a call up; None for as long as they like."""
    return await tx.fetchval(_SQL["wrap_up_s"]) or None


async def list_wrap_ups_over(db: Database, limit: int) -> list[tuple[UUID, UUID]]:
    """(tenant, user) of those whose wrap-up is over, in any company."""
    return [(row["tenant_id"], row["user_id"]) for row in await db.system_fetch(_SQL["wrap_ups_over"], limit=limit)]


async def person_json(tx: Tx, user_id: UUID) -> str | None:
    """The person as clients get them; None for somebody who is no member."""
    row = await tx.fetchrow(_SQL["get_person"], person_id=user_id)
    return row["json"] if row else None


async def call_state(tx: Tx, call_id: UUID | None) -> str | None:
    """The state of a call."""
    state: str | None = await tx.fetchval(_SQL["call_state"], call_id=call_id)
    return state


async def add_socket(tx: Tx, user_id: UUID, hub_id: UUID) -> None:
    """Note that a hub process holds a socket of the person."""
    await tx.execute(_SQL["add_socket"], person_id=user_id, hub_id=hub_id)


async def remove_socket(tx: Tx, user_id: UUID, hub_id: UUID) -> None:
    """Note that a hub process holds none any more."""
    await tx.execute(_SQL["remove_socket"], person_id=user_id, hub_id=hub_id)


async def remove_dead_sockets(tx: Tx, user_id: UUID) -> set[str]:
    """Take the person from hub processes that are gone; how those ended: "stopped" or "lost"."""
    return {row["ended"] for row in await tx.fetch(_SQL["remove_dead_sockets"], person_id=user_id)}


async def beat(db: Database, hub_id: UUID, name: str, lease_s: float) -> bool:
    """Renew a hub process's lease; False when it had run out or is new."""
    row = await db.system_fetchrow(_SQL["beat"], hub_id=hub_id, name=name, lease_s=lease_s)
    return bool(row and row["held"])


async def stop_hub(db: Database, hub_id: UUID, grace_s: float) -> None:
    """Let a hub process's lease run out after a moment for its people to come back elsewhere."""
    await db.system_fetch(_SQL["stop_hub"], hub_id=hub_id, grace_s=grace_s)


async def list_stuck(db: Database, silent_s: float, limit: int) -> list[tuple[UUID, UUID]]:
    """(tenant, user) of those whose presence cannot be right."""
    rows = await db.system_fetch(_SQL["list_stuck"], silent_s=silent_s, limit=limit)
    return [(row["tenant_id"], row["user_id"]) for row in rows]


async def forget_hubs(db: Database) -> None:
    """Delete what is long gone."""
    await db.system_fetch(_SQL["forget_hubs"])
