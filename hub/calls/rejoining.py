"""A browser's telephone that calls us: its person comes back into their own call."""

from __future__ import annotations

from uuid import UUID

from hub.calls import audit
from hub.calls.joining import aim_listeners
from hub.calls.legs import live_legs
from hub.calls.reading import emit_updated, lock_call
from hub.calls.states import is_live
from hub.db import Tx
from hub.lines.kinds import identity_of
from hub.sqlfiles import load_sql

_SQL = load_sql("calls")


def person_of(identity: str) -> tuple[UUID, UUID] | None:
    """(tenant, user) of an identity that `identity_of` made; None for anything else."""
    tenant, _, user = identity.removeprefix("client:").partition("_")
    try:
        found = UUID(hex=tenant), UUID(hex=user)
    except ValueError:
        return None
    return found if identity_of(*found) == identity.removeprefix("client:") else None


async def rejoin(tx: Tx, user_id: UUID, sid: str) -> UUID | None:
    """Let a rep's own leg `sid` into the call they are on and not in; returns that call, None when there is none."""
    row = await tx.fetchrow(_SQL["live_calls_of"], rep_id=user_id)
    call = await lock_call(tx, row["id"]) if row is not None else None
    if call is None or not is_live(call["state"]) or call["user_id"] != user_id:
        return None
    own = [leg for leg in await live_legs(tx, call["id"]) if leg["user_id"] == user_id]
    if any(leg["provider_sid"] not in (None, sid) or leg["asked_at"] is not None for leg in own):
        return None if all(leg["provider_sid"] != sid for leg in own) else call["id"]
    for leg in own:
        await tx.execute(_SQL["move_leg"], id=leg["id"], state="left", error=None)
    await tx.execute(_SQL["insert_joined_leg"], call_id=call["id"], person_id=user_id, address="client:", sid=sid)
    await audit.note(tx, call["id"], "joined", kind="rep", user_id=user_id)
    await aim_listeners(tx, call["id"])
    await emit_updated(tx, call["id"])
    found: UUID = call["id"]
    return found
