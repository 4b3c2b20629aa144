"""The writes on queues: making and changing them, filling them from a filter, counting what became of their items."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import orjson

from hub.db import Tx
from hub.dialer import queries
from hub.dialer.events import QueueCreated, QueueDeleted, QueueProgressed, QueueUpdated
from hub.dialer.models import QueueIn, QueuePatch, SavedFilter
from hub.dialer.sessions import LOOK
from hub.dialer.states import ON_THE_TELEPHONE, QueueState
from hub.errors import Conflict, Forbidden, NotFound
from hub.events import Event
from hub.sqlfiles import load_sql

FILL = "dialer.fill"
BATCH = 5000

_SQL = load_sql("dialer")
_CORE = load_sql("core")


def missing() -> NotFound:
    """The answer for a queue that is not there, or not this tenant's."""
    return NotFound("There is no such queue.", code="queue_not_found")


async def read_queue(tx: Tx, queue_id: UUID) -> str:
    """A queue as JSON. Raises NotFound."""
    text = await queries.get_queue(tx, queue_id)
    if text is None:
        raise missing()
    return text


async def announce(tx: Tx, event: type[Event], queue_id: UUID) -> str:
    """Tell everybody how the queue stands; its JSON."""
    text = await read_queue(tx, queue_id)
    tx.emit(event(queue_id, {"queue": orjson.Fragment(text)}))
    return text


async def lock_queue(tx: Tx, queue_id: UUID) -> asyncpg.Record:
    """The queue, held until the transaction ends. Raises NotFound."""
    row = await tx.fetchrow(_SQL["lock_queue"], id=queue_id)
    if row is None:
        raise missing()
    return row


async def _lock_own(tx: Tx, queue_id: UUID) -> asyncpg.Record:
    queue = await lock_queue(tx, queue_id)
    if queue["created_by"] != tx.who.user_id and not tx.who.is_manager:
        raise Forbidden("This is a colleague's queue; a manager can do this.")
    return queue


async def create_queue(tx: Tx, given: QueueIn) -> tuple[UUID, str]:
    """Make a queue and return its id and JSON. A saved filter is turned into items by a job.

    Raises Conflict for contacts, and Invalid for members, that are not there.
    """
    saved = given.filter.model_dump_json(exclude_none=True) if given.filter is not None else None
    queue_id: UUID = await tx.fetchval(
        _SQL["insert_queue"],
        name=given.name,
        filter=saved,
        dial_order=given.order,
        lines=given.lines,
        ring_s=given.ring_s,
        countdown_s=given.countdown_s,
        abandon_cap_per_mille=given.abandon_cap_per_mille,
        attempt_limit=given.retry.attempts,
        retry_busy_s=given.retry.busy_s,
        retry_no_answer_s=given.retry.no_answer_s,
    )
    await tx.execute(_SQL["add_members"], id=queue_id, members=given.members)
    if given.filter is not None:
        await tx.defer(FILL, {"queue_id": queue_id}, key=str(queue_id))
    elif given.contact_ids:
        await _add(tx, queue_id, given.contact_ids)
    await _count(tx, queue_id)
    return queue_id, await announce(tx, QueueCreated, queue_id)


async def update_queue(tx: Tx, queue_id: UUID, given: QueuePatch) -> str:
    """Change the given settings; the queue's JSON. Raises NotFound, and Forbidden for a colleague's queue."""
    await _lock_own(tx, queue_id)
    fields = {name: getattr(given, name) for name in given.model_fields_set if getattr(given, name) is not None}
    members, retry = fields.pop("members", None), fields.pop("retry", None)
    if "order" in fields:
        fields["dial_order"] = fields.pop("order")
    if retry is not None:
        fields |= {"attempt_limit": retry.attempts, "retry_busy_s": retry.busy_s, "retry_no_answer_s": retry.no_answer_s}
    await tx.execute(_SQL["update_queue"], id=queue_id, **fields, **{f"set_{name}": True for name in fields})
    if members is not None:
        await tx.execute(_SQL["clear_members"], id=queue_id)
        await tx.execute(_SQL["add_members"], id=queue_id, members=members)
    return await announce(tx, QueueUpdated, queue_id)


async def delete_queue(tx: Tx, queue_id: UUID) -> None:
    """Take a queue away; who works in it is sent home. Conflict while somebody is on the telephone from it."""
    await _lock_own(tx, queue_id)
    text = await read_queue(tx, queue_id)
    sessions = await tx.fetch(_SQL["live_sessions_of_queue"], id=queue_id)
    if any(row["state"] in ON_THE_TELEPHONE for row in sessions):
        raise Conflict("Somebody is on the telephone from this queue. Pause it and wait for the call's end.", code="queue_in_use")
    await tx.execute(_SQL["delete_queue"], id=queue_id)
    await wake(tx, queue_id)
    tx.emit(QueueDeleted(queue_id, {"queue": orjson.Fragment(text)}))


async def add_items(tx: Tx, queue_id: UUID, contact_ids: Sequence[UUID]) -> str:
    """Add contacts; the queue's JSON. Those who are in it already stay as they are. Raises Conflict for unknown ones."""
    queue = await _lock_own(tx, queue_id)
    await _add(tx, queue_id, contact_ids)
    if queue["state"] == "done":
        await tx.execute(_SQL["set_queue_state"], id=queue_id, state="running")
    await _count(tx, queue_id)
    await wake(tx, queue_id)
    return await announce(tx, QueueUpdated, queue_id)


async def set_state(tx: Tx, queue_id: UUID, state: QueueState) -> str:
    """Start or pause a queue; its JSON. Whoever works in it stops after the call they are on, or goes on."""
    queue = await _lock_own(tx, queue_id)
    if queue["state"] != state and not (queue["state"] == "done" and state == "paused"):
        await tx.execute(_SQL["set_queue_state"], id=queue_id, state=state)
        await wake(tx, queue_id)
        return await announce(tx, QueueUpdated, queue_id)
    return await read_queue(tx, queue_id)


async def finish(tx: Tx, queue_id: UUID) -> None:
    """Everybody in the queue was called or skipped."""
    queue = await lock_queue(tx, queue_id)
    if queue["state"] == "running":
        await tx.execute(_SQL["set_queue_state"], id=queue_id, state="done")
        await _count(tx, queue_id)
        await announce(tx, QueueUpdated, queue_id)


async def wake(tx: Tx, queue_id: UUID) -> None:
    """Have everybody who works in the queue look at it again."""
    for row in await tx.fetch(_SQL["live_sessions_of_queue"], id=queue_id):
        await tx.defer(LOOK, {"session_id": row["id"]})


async def _add(tx: Tx, queue_id: UUID, contact_ids: Sequence[UUID]) -> None:
    wanted = list(dict.fromkeys(contact_ids))
    known = await tx.fetchval(_SQL["known_contacts"], ids=wanted)
    if known < len(wanted):
        raise Conflict(
            f"{len(wanted) - known} of these {len(wanted)} contacts are not there (any more).", code="contacts_missing"
        )
    await tx.fetchrow(_SQL["fill_batch"], queue_id=queue_id, found=wanted, limit=len(wanted))


async def fill_batch(tx: Tx, queue_id: UUID) -> bool:
    """Turn the next contacts of a saved filter into items; whether there may be more. Announces the progress."""
    row = await tx.fetchrow(_SQL["lock_queue"], id=queue_id)
    if row is None or row["fill_state"] != "filling" or row["filter"] is None:
        return False
    saved = SavedFilter.model_validate_json(row["filter"])
    await tx.execute(_CORE["plan_for_these_values"])
    params: dict[str, object] = {"queue_id": queue_id, "limit": BATCH}
    if saved.q:
        # A search pages by itself: the other filters thin out what it found.
        rows = await tx.fetch(_SQL["find_contacts_after"], query=saved.q, after=row["fill_after"], limit=BATCH)
        found = [one["contact_id"] for one in rows]
        params["found"] = found
    else:
        params["after"] = row["fill_after"]
    params |= {
        "owner_id": saved.owner_id,
        "stage": saved.stage,
        "tag": saved.tag.lower() if saved.tag else None,
        "company": saved.company.lower() if saved.company else None,
        "updated_since": saved.updated_since,
    }
    filled = await tx.fetchrow(_SQL["fill_batch"], **params)
    assert filled is not None
    seen, last = (len(found), found[-1] if found else None) if saved.q else (filled["seen"], filled["last"])
    if last is not None:
        await tx.execute(_SQL["advance_fill"], id=queue_id, after=last)
    if seen < BATCH:
        await tx.execute(_SQL["end_fill"], id=queue_id, state="filled", error=None)
        await wake(tx, queue_id)
    await _count(tx, queue_id)
    await announce(tx, QueueProgressed, queue_id)
    return bool(seen == BATCH)


async def give_up_fill(tx: Tx, queue_id: UUID, why: str) -> None:
    """The filter could not be turned into items to the end. What is in stays."""
    if await tx.execute(_SQL["end_fill"], id=queue_id, state="failed", error=why):
        await announce(tx, QueueProgressed, queue_id)


async def recount(tx: Tx, queue_id: UUID) -> bool:
    """Count a queue's items again and announce what changed; whether something had."""
    row = await tx.fetchrow(_SQL["lock_queue"], id=queue_id)
    if row is None:
        return False
    changed = await _count(tx, queue_id, before=orjson.loads(row["counts"]))
    if changed:
        await announce(tx, QueueProgressed, queue_id)
    return changed


async def _count(tx: Tx, queue_id: UUID, before: dict[str, int] | None = None) -> bool:
    now = await queries.counts(tx, queue_id)
    await tx.execute(_SQL["keep_census"], id=queue_id, counts=orjson.dumps(now).decode())
    return now != before
