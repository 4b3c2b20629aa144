"""Handing over what is somebody's: asked for by who manages people or by the person who leaves, done by a job, batch by batch."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson

from hub.db import Tx
from hub.errors import Forbidden, Invalid, NotFound
from hub.handovers.events import HandoverCompleted, HandoverProgressed, HandoverStarted
from hub.handovers.models import KINDS, NEED_SOMEBODY, Departure, HandoverIn, Kind
from hub.mailboxes import owners
from hub.notifications.actions import notify
from hub.roles import actions as roles
from hub.sqlfiles import Statement, load_sql
from hub.tenants import actions as tenants
from hub.tenants.models import MemberPatch
from hub.visibility.actions import check_sight, is_out_of_sight
from hub.who import ADMINS

_SQL = load_sql("handovers")

BATCH = 250
_COUNTED = 10_000
_ALL = 100_000_000
# Which statements hand a kind over, under what they are counted as. What must be somebody's stays where nobody takes over.
_STEPS: dict[Kind, tuple[tuple[str, str, bool], ...]] = {
    "contacts": (("contacts", "give_contacts", False),),
    "tasks": (("tasks", "give_tasks", False),),
    "sequences": (("sequences", "give_sequences", False), ("enrolments", "give_enrolments", True)),
    "conversations": (("conversations", "give_conversations", False),),
    "queues": (("callbacks", "give_callbacks", False),),
    "templates": (("templates", "give_templates", True),),
    "numbers": (("numbers", "give_numbers", False), ("routes", "give_routes", False)),
    "mailboxes": (),
}
_WORDS = {
    "contacts": "contacts",
    "tasks": "tasks",
    "sequences": "sequences",
    "enrolments": "people in sequences",
    "conversations": "conversations",
    "callbacks": "calls back",
    "templates": "templates",
    "numbers": "numbers",
    "mailboxes": "mailboxes",
}


def missing() -> NotFound:
    """The answer for a handover that is not there, or not this tenant's."""
    return NotFound("There is no such handover.", code="handover_not_found")


async def deactivate(tx: Tx, member_id: UUID, given: Departure) -> str:
    """Withdraw a member's access at once, and begin to hand over what is theirs; the member's JSON.

    Raises what `update_member` raises, and Forbidden for oneself: who goes, leaves.
    """
    if member_id == tx.who.user_id:
        raise Forbidden("You can't deactivate yourself. Leave the company instead.", code="not_oneself")
    text = await tenants.update_member(tx, member_id, MemberPatch(status="deactivated"))
    if given.handover is not None:
        await start(tx, member_id, given.handover)
    return text


async def start(tx: Tx, from_id: UUID, given: HandoverIn) -> str:
    """Begin to hand over; the handover's JSON. A job does the rest.

    Raises NotFound for who is no member, Invalid for who can't take over, Conflict while another one of theirs runs, Forbidden
    for the mailboxes of somebody who is here and could give them away, for what is somebody's whose role reaches farther than
    one's own, and for what one would only see because of it.
    """
    giver = await tx.fetchrow(_SQL["standing_of"], member_id=from_id)
    if giver is None:
        raise tenants.missing()
    await _check_taker(tx, from_id, given)
    is_oneself = from_id == tx.who.user_id
    if "mailboxes" in given.kinds and (giver["status"] == "active" or not (is_oneself or tx.who.role in ADMINS)):
        raise Forbidden("Only its owner can give a mailbox away; an admin can when the owner is no active member.")
    if not is_oneself:
        await _check_giver(tx, from_id, giver, given)
    kinds = [kind for kind in KINDS if kind in given.kinds]
    handover_id: UUID = await tx.fetchval(_SQL["insert_handover"], from_id=from_id, to_id=given.to_id, kinds=kinds)
    await tx.defer("handovers.run", {"handover_id": handover_id})
    text = await read_handover(tx, handover_id)
    between = {"from_id": from_id, "to_id": given.to_id}
    tx.emit(HandoverStarted(handover_id, {"handover": orjson.Fragment(text), **between}))
    return text


async def step(tx: Tx, handover_id: UUID) -> bool:
    """Hand the next batch over. False when nothing is left (or the handover is none, or done). May be repeated."""
    row = await tx.fetchrow(_SQL["lock_handover"], id=handover_id)
    if row is None or row["state"] != "running":
        return False
    done: dict[str, int] = orjson.loads(row["done"])
    if not done:
        await _note_counts(tx, handover_id, row["from_id"])
    for kind in row["kinds"]:
        moved = await _move(tx, kind, row["from_id"], row["to_id"])
        if moved is None:
            continue
        name, many = moved
        done[name] = done.get(name, 0) + many
        await tx.execute(_SQL["note_done"], id=handover_id, done=orjson.dumps(done).decode())
        text = await read_handover(tx, handover_id)
        tx.emit(HandoverProgressed(handover_id, {"handover": orjson.Fragment(text)}))
        return True
    return False


async def complete(tx: Tx, handover_id: UUID) -> None:
    """Everything is handed over: say so, and tell whoever has it now. May be repeated."""
    if await tx.fetchval(_SQL["finish_handover"], id=handover_id) is None:
        return
    row = await tx.fetchrow(_SQL["lock_handover"], id=handover_id)
    assert row is not None
    text = await read_handover(tx, handover_id)
    tx.emit(HandoverCompleted(handover_id, {"handover": orjson.Fragment(text)}))
    done: dict[str, int] = orjson.loads(row["done"])
    taken = [f"{many:,} {_WORDS[name]}" for name, many in done.items() if name in _WORDS]
    if row["to_id"] is not None and taken:
        giver = await tx.fetchrow(_SQL["standing_of"], member_id=row["from_id"])
        name = giver["name"] if giver else "a colleague"
        await notify(tx, row["to_id"], "handover", f"You took over from {name}", ", ".join(taken) + ".", "member", row["from_id"])


async def read_handover(tx: Tx, handover_id: UUID) -> str:
    """A handover as JSON. NotFound when there is none."""
    text: str | None = await tx.fetchval(_SQL["get_handover"], id=handover_id)
    if text is None:
        raise missing()
    return text


async def read_belongings(tx: Tx, member_id: UUID) -> dict[str, int]:
    """How much a member has of each kind, counted up to ten thousand. NotFound for who is no member."""
    if await tx.fetchrow(_SQL["standing_of"], member_id=member_id) is None:
        raise tenants.missing()
    return await _count(tx, member_id, _COUNTED)


async def _count(tx: Tx, member_id: UUID, most: int) -> dict[str, int]:
    row = await tx.fetchrow(_SQL["count_belongings"], from_id=member_id, most=most)
    assert row is not None
    return dict(row)


async def _note_counts(tx: Tx, handover_id: UUID, from_id: UUID) -> None:
    counts = await _count(tx, from_id, _ALL)
    await tx.execute(_SQL["note_counts"], id=handover_id, counts=orjson.dumps(counts).decode())


async def _check_giver(tx: Tx, from_id: UUID, giver: Any, given: HandoverIn) -> None:
    roles.check_reach(tx, await roles.resolve(tx, giver["role"], giver["role_id"]))
    # What goes to somebody whom one does not see either stays hidden; what becomes nobody's is everybody's to see.
    keeps_hidden = given.to_id is not None and await is_out_of_sight(tx, given.to_id)
    if not keeps_hidden:
        await check_sight(tx, [from_id], "to hand it over to whom you see")


async def _check_taker(tx: Tx, from_id: UUID, given: HandoverIn) -> None:
    if given.to_id is None:
        left = NEED_SOMEBODY & set(given.kinds)
        if left:
            raise Invalid.field("to_id", f"Name who takes over: {' and '.join(sorted(left))} can't be nobody's.")
        return
    if given.to_id == from_id:
        raise Invalid.field("to_id", "Name somebody else than the person who hands over.")
    taker = await tx.fetchrow(_SQL["standing_of"], member_id=given.to_id)
    if taker is None or taker["status"] != "active":
        raise Invalid.field("to_id", "There is no such active member.")


async def _move(tx: Tx, kind: Kind, from_id: UUID, to_id: UUID | None) -> tuple[str, int] | None:
    """A batch of a kind: what it is counted as and how many; None when nothing is left of it."""
    if kind == "mailboxes":
        return await _move_mailboxes(tx, from_id, to_id)
    for name, statement, needs_somebody in _STEPS[kind]:
        if needs_somebody and to_id is None:
            continue
        many = await _give(tx, _SQL[statement], from_id, to_id)
        if many:
            return name, many
    if kind == "queues" and to_id is not None:
        many = await tx.execute(_SQL["join_queues"], from_id=from_id, to_id=to_id, limit=BATCH)
        return ("queues", many) if many else None
    return None


async def _give(tx: Tx, statement: Statement, from_id: UUID, to_id: UUID | None) -> int:
    return await tx.execute(statement, from_id=from_id, to_id=to_id, limit=BATCH)


async def _move_mailboxes(tx: Tx, from_id: UUID, to_id: UUID | None) -> tuple[str, int] | None:
    rows = await tx.fetch(_SQL["mailboxes_of"], from_id=from_id, limit=10)
    if to_id is None or not rows:
        return None
    for row in rows:
        await owners.give(tx, row["id"], to_id)
    return "mailboxes", len(rows)
