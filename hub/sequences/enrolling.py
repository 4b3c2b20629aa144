"""Putting contacts into a sequence, from a list or from a saved filter, and saying who is not taken and why."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
import orjson
from pydantic import BaseModel

from hub.db import Tx
from hub.dialer.models import SavedFilter
from hub.errors import Conflict, Forbidden, Invalid
from hub.http.paging import LATEST
from hub.sequences import editing, moving, queries
from hub.sequences.models import Chosen, EnrolIn
from hub.sequences.rules import Rules, load_rules
from hub.sqlfiles import load_sql

_SQL = load_sql("enrolments")
_CORE = load_sql("core")
_SEQUENCES = load_sql("sequences")

# A filter's contacts are taken in batches: the first with the request, the others by a job.
ENROL = "sequences.enrol"
BATCH = 2000
_NAMED = 200
_TOLD_SINGLY = 100


@dataclass(frozen=True, slots=True)
class Applicant:
    """A contact who might be enrolled. `why` says in words what speaks against it; None when nothing does.

    `facts` are what conditions ask about.
    """

    id: UUID
    name: str
    domain: str
    zone: str
    why: str | None
    facts: asyncpg.Record


class Wish(BaseModel):
    """Who wants contacts in a sequence, and how: the same for every batch of a filter. `at` is when it was wished for."""

    sequence_id: UUID
    user_id: UUID
    mailbox_id: UUID | None
    again: bool
    at: datetime


async def enrol(tx: Tx, sequence_id: UUID, given: EnrolIn, now: datetime) -> str:
    """Enrol contacts at the first step; what it came to, as JSON (answers.Enrolled).

    Raises NotFound for the sequence, Conflict for one that has no steps or is archived, Invalid for a mailbox that is not there.
    """
    if tx.who.user_id is None:
        raise Forbidden("Only a person can enrol contacts.")
    rules = await enrollable(tx, sequence_id)
    mailbox_id = await writing_mailbox(tx, rules, given.mailbox_id)
    wish = Wish(sequence_id=rules.id, user_id=tx.who.user_id, mailbox_id=mailbox_id, again=given.again, at=now)
    last: UUID | None = None
    if given.contact_ids is not None:
        enrolled, refused = await _take(tx, rules, given.contact_ids, wish, now)
    else:
        assert given.filter is not None
        found, last = await page_of(tx, given.filter, None)
        enrolled, refused = await _take(tx, rules, found, wish, now)
        if last is not None:
            saved = given.filter.model_dump(mode="json", exclude_none=True)
            await tx.defer(ENROL, {"wish": wish.model_dump(mode="json"), "filter": saved, "after": last})
    await editing.recount(tx, sequence_id)
    return _told(enrolled, refused, more=last is not None)


async def enrol_batch(tx: Tx, wish: Wish, saved: SavedFilter, after: UUID, now: datetime) -> UUID | None:
    """Take the next contacts of a filter; where to go on, None at the end, or when the sequence takes nobody any more."""
    rules = (await load_rules(tx, [wish.sequence_id])).get(wish.sequence_id)
    if rules is None or rules.state == "archived" or not rules.steps:
        return None
    found, last = await page_of(tx, saved, after)
    await _take(tx, rules, found, wish, now)
    return last


async def enrollable(tx: Tx, sequence_id: UUID) -> Rules:
    """The rules of a sequence that takes contacts. Raises NotFound, and Conflict for one that does not."""
    rules = (await load_rules(tx, [sequence_id])).get(sequence_id)
    if rules is None:
        raise queries.no_sequence()
    if rules.state == "archived":
        raise Conflict("This sequence is archived.", code="sequence_is_archived")
    if not rules.steps:
        raise Conflict("This sequence has no steps yet.", code="sequence_is_empty")
    return rules


async def writing_mailbox(tx: Tx, rules: Rules, mailbox_id: UUID | None) -> UUID | None:
    """The mailbox to write from: the one that is asked for, the only one there is, none where no step writes mail.

    Raises Conflict for one that who acts can't write from, Invalid where one has to be chosen.
    """
    own = await tx.fetch(_SQL["own_mailboxes"])
    if mailbox_id is not None:
        if not any(row["id"] == mailbox_id for row in own):
            raise not_theirs()
        return mailbox_id
    if not any(step.kind == "email" for step in rules.steps):
        return None
    mine = [row for row in own if row["user_id"] == tx.who.user_id] or own
    if not mine:
        raise Invalid.field("mailbox_id", "Connect a mailbox first: this sequence writes mail.")
    if len(mine) > 1:
        raise Invalid.field("mailbox_id", "Say which mailbox to write from.")
    chosen: UUID = mine[0]["id"]
    return chosen


def not_theirs() -> Conflict:
    """The answer for a mailbox that is not there, or that who acts can't write from: the two are never told apart."""
    return Conflict("You have no such mailbox to write from.", code="mailbox_not_yours")


async def applicants(
    tx: Tx, rules: Rules, contact_ids: Sequence[UUID], *, again: bool = False, since: datetime = LATEST
) -> list[Applicant]:
    """These contacts, in their order, with what speaks against each. Those that do not exist are left out.

    With `again` those may come who were in the sequence before, unless they were enrolled from `since` on.
    """
    writes = any(step.kind == "email" for step in rules.steps)
    rows = await tx.fetch(
        _SQL["candidates"], ids=list(dict.fromkeys(contact_ids)), sequence_id=rules.id, again=again, since=since
    )
    return [Applicant(row["id"], row["name"], row["domain_lc"], row["zone"], _against(row, rules, writes), row) for row in rows]


def _against(row: asyncpg.Record, rules: Rules, writes: bool) -> str | None:
    if row["is_in"]:
        return "They are in this sequence already."
    if row["was_in"]:
        return "They were in this sequence before."
    if writes and row["address"] is None:
        return "They have no email address."
    if row["suppressed"] is not None:
        return str(row["suppressed"])
    if rules.stops_on("stage", row["stage"]):
        return f"Their stage ({row['stage']}) ends this sequence."
    return None


async def page_of(tx: Tx, saved: SavedFilter, after: UUID | None) -> tuple[list[UUID], UUID | None]:
    """The next contacts of a saved filter, and where to go on (None: these were the last)."""
    await tx.execute(_CORE["plan_for_these_values"])
    params: dict[str, object] = {"limit": BATCH}
    seen: list[UUID] | None = None
    if saved.q:
        # A search pages by itself: the other filters thin out what it found.
        rows = await tx.fetch(_SQL["find_contacts_after"], query=saved.q, after=after, limit=BATCH)
        params["found"] = seen = [row["contact_id"] for row in rows]
    else:
        params["after"] = after
    params |= {
        "owner_id": saved.owner_id,
        "stage": saved.stage,
        "tag": saved.tag.lower() if saved.tag else None,
        "company": saved.company.lower() if saved.company else None,
        "updated_since": saved.updated_since,
    }
    found = [row["id"] for row in await tx.fetch(_SQL["page_of_contacts"], **params)]
    turned = found if seen is None else seen
    return found, turned[-1] if len(turned) == BATCH else None


async def chosen_contacts(tx: Tx, given: Chosen, limit: int) -> list[UUID]:
    """The contacts of a list or a filter, at most `limit`."""
    if given.contact_ids is not None:
        return list(given.contact_ids[:limit])
    assert given.filter is not None
    found: list[UUID] = []
    async for page in _pages(tx, given.filter):
        found += page
        if len(found) >= limit:
            break
    return found[:limit]


async def _pages(tx: Tx, saved: SavedFilter) -> AsyncIterator[list[UUID]]:
    after: UUID | None = None
    while True:
        found, after = await page_of(tx, saved, after)
        yield found
        if after is None:
            return


async def _take(tx: Tx, rules: Rules, contact_ids: Sequence[UUID], wish: Wish, now: datetime) -> tuple[int, list[Applicant]]:
    found = await applicants(tx, rules, contact_ids, again=wish.again, since=wish.at)
    taken = [one for one in found if one.why is None]
    await tx.execute(_SEQUENCES["begin_settings"])
    rows = await tx.fetch(
        _SQL["insert_enrolments"],
        sequence_id=rules.id,
        for_user=wish.user_id,
        mailbox_id=wish.mailbox_id,
        step_id=rules.steps[0].id,
        at=now,
        contact_ids=[one.id for one in taken],
        domains=[one.domain for one in taken],
        zones=[one.zone for one in taken],
    )
    if len(rows) <= _TOLD_SINGLY:
        await moving.announce(tx, [row["id"] for row in rows])
    return len(rows), [one for one in found if one.why is not None]


def _told(enrolled: int, refused: Sequence[Applicant], *, more: bool) -> str:
    return orjson.dumps(
        {
            "enrolled": enrolled,
            "refused_total": len(refused),
            "refused": [refusal(one) for one in refused[:_NAMED]],
            "more": more,
        }
    ).decode()


def refusal(one: Applicant) -> dict[str, object]:
    """A contact that is not taken, as clients get it (answers.RefusedContact)."""
    return {"contact": {"id": str(one.id), "name": one.name}, "why": one.why}
