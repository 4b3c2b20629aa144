"""The rules of presence: online with the first socket, offline with the last, and a call comes before both."""

from __future__ import annotations

from uuid import UUID

import orjson

from hub.db import Database, Tx, tenant_tx
from hub.errors import Conflict, NotFound
from hub.presence import queries
from hub.presence.events import PresenceChanged
from hub.presence.models import ChosenState, PresenceState
from hub.presence.queries import Presence
from hub.who import Who

LIVE_CALL_STATES = frozenset({"queued", "dialing", "ringing", "in_progress"})
# Somebody may choose a state over HTTP before their socket is there; for longer than this nobody is there without one.
SILENT_S = 30.0
_REAP_AT_ONCE = 500

LEFT = "Closed Ringside."
HUB_LOST = "The server they were connected to stopped answering."
HUB_STOPPED = "The server they were connected to was stopped, and they have not come back."
NO_SOCKET = "No connection for a while."
CALL_OVER = "The call they were on had ended without saying so."
TIME_IS_UP = "The time to write the call up was over."


async def arrive(tx: Tx, user_id: UUID, hub_id: UUID) -> None:
    """A hub process holds a socket of this person. May be repeated."""
    now = await queries.hold(tx, user_id)
    await queries.add_socket(tx, user_id, hub_id)
    if now.state == "offline":
        await _become(tx, user_id, "online")


async def leave(tx: Tx, user_id: UUID, hub_id: UUID) -> None:
    """A hub process holds no socket of this person any more. May be repeated."""
    now = await queries.hold(tx, user_id)
    await queries.remove_socket(tx, user_id, hub_id)
    if now.state not in ("offline", "on_call") and not await queries.is_connected(tx, user_id):
        await _become(tx, user_id, "offline", reason=LEFT)


async def hold(tx: Tx, user_id: UUID) -> Presence:
    """Lock a person's presence, so that whatever else wants to change it waits for this transaction."""
    return await queries.hold(tx, user_id)


async def on_call(tx: Tx, user_id: UUID, call_id: UUID) -> None:
    """The person is on this call now."""
    now = await queries.hold(tx, user_id)
    if (now.state, now.call_id) != ("on_call", call_id):
        await _become(tx, user_id, "on_call", call_id=call_id)


async def wrap_up(tx: Tx, user_id: UUID, call_id: UUID) -> None:
    """The call has ended; its rep still has to write it up. Says nothing to somebody who is not on this call any more."""
    now = await queries.hold(tx, user_id)
    if (now.state, now.call_id) != ("on_call", call_id):
        return
    if await queries.is_connected(tx, user_id):
        await _become(tx, user_id, "wrap_up", call_id=call_id, lasts_s=await queries.wrap_up_s(tx))
    else:
        await _become(tx, user_id, "offline", reason=LEFT)


async def free(tx: Tx, user_id: UUID, call_id: UUID | None = None) -> None:
    """The call is done with. With `call_id` only when it is that call the person is on or wraps up."""
    now = await queries.hold(tx, user_id)
    if now.call_id is None or (call_id is not None and now.call_id != call_id):
        return
    await _release(tx, user_id, None)


async def set_state(tx: Tx, user_id: UUID, state: ChosenState) -> str:
    """Be online or away; ends a wrap-up. Returns the person's JSON.

    Raises Conflict while on a call, NotFound for somebody who is no member.
    """
    person = await queries.person_json(tx, user_id)
    if person is None:
        raise NotFound("There is no such member.", code="member_not_found")
    now = await queries.hold(tx, user_id)
    if now.state == "on_call":
        raise Conflict("You are on a call. End it first.", code="on_a_call")
    if now.state == state:
        return person
    return await _become(tx, user_id, state)


async def extend(tx: Tx, user_id: UUID, seconds: int) -> str:
    """Give somebody more time to write their call up. Returns the person's JSON. Raises Conflict when they do not wrap up."""
    now = await queries.hold(tx, user_id)
    if now.state != "wrap_up":
        raise Conflict("You are not writing a call up.", code="not_in_wrap_up")
    if now.until is not None:
        await queries.extend_wrap_up(tx, user_id, seconds)
        return await _emit(tx, user_id)
    person = await queries.person_json(tx, user_id)
    assert person is not None  # a foreign key says so
    return person


async def end_wrap_ups(db: Database) -> list[tuple[UUID, UUID]]:
    """Free those whose time to write a call up is over. Returns (tenant, user) of each."""
    freed: list[tuple[UUID, UUID]] = []
    for tenant_id, user_id in await queries.list_wrap_ups_over(db, _REAP_AT_ONCE):
        async with tenant_tx(db, Who.system(tenant_id)) as tx:
            if await _end_wrap_up(tx, user_id):
                freed.append((tenant_id, user_id))
    return freed


async def _end_wrap_up(tx: Tx, user_id: UUID) -> bool:
    now = await queries.hold(tx, user_id)
    if now.state != "wrap_up" or not now.is_over:
        return False
    await _release(tx, user_id, TIME_IS_UP)
    return True


async def reap(db: Database) -> int:
    """Put right whose presence cannot be true, and say why. Safe to run anywhere, at any time, by several at once.

    Returns how many people were put right.
    """
    freed = 0
    for tenant_id, user_id in await queries.list_stuck(db, SILENT_S, _REAP_AT_ONCE):
        async with tenant_tx(db, Who.system(tenant_id)) as tx:
            freed += await reap_person(tx, user_id)
    await queries.forget_hubs(db)
    return freed


async def reap_person(tx: Tx, user_id: UUID) -> bool:
    """Look at one person again, now that nobody else can change them, and put them right; whether that was needed."""
    now = await queries.hold(tx, user_id)
    ended = await queries.remove_dead_sockets(tx, user_id)
    if now.state == "on_call":
        if await queries.call_state(tx, now.call_id) in LIVE_CALL_STATES:
            return False
        await _release(tx, user_id, CALL_OVER)
        return True
    if now.state == "offline" or await queries.is_connected(tx, user_id):
        return False
    reason = NO_SOCKET if not ended else HUB_LOST if "lost" in ended else HUB_STOPPED
    await _become(tx, user_id, "offline", reason=reason)
    return True


async def _release(tx: Tx, user_id: UUID, reason: str | None) -> None:
    if await queries.is_connected(tx, user_id):
        await _become(tx, user_id, "online", reason=reason)
    else:
        await _become(tx, user_id, "offline", reason=reason or LEFT)


async def _become(
    tx: Tx,
    user_id: UUID,
    state: PresenceState,
    *,
    call_id: UUID | None = None,
    reason: str | None = None,
    lasts_s: int | None = None,
) -> str:
    await queries.save(tx, user_id, Presence(state, call_id, reason), lasts_s)
    return await _emit(tx, user_id)


async def _emit(tx: Tx, user_id: UUID) -> str:
    person = await queries.person_json(tx, user_id)
    assert person is not None  # a foreign key says so
    tx.emit(PresenceChanged(user_id, {"person": orjson.Fragment(person)}))
    return person
