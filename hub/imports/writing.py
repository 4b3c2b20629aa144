"""Writing many contacts at once: one statement a table, over arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from hub.db import Tx
from hub.imports.merging import Draft
from hub.imports.people import People
from hub.imports.rows import BadRow
from hub.sqlfiles import load_sql

_SQL = load_sql("imports")
# The fields of the records of People, as the statements call them.
_OWN = ("first_names", "last_names", "companies", "titles", "stages", "owner_ids", "customs")
_EMAIL = ("of", "positions", "addresses", "labels")
_PHONE = ("of", "positions", "numbers", "extensions", "labels", "kinds", "zones")
_TAG = ("of", "tags")


@dataclass(frozen=True, slots=True)
class Findable:
    """Contacts and what they are found by; `folded` says where that is folded already, as search_fold() does it."""

    ids: Sequence[UUID]
    terms: Sequence[str]
    folded: Sequence[bool]


async def write_new(tx: Tx, ids: Sequence[UUID], people: People) -> Findable:
    """Insert new contacts with all that belongs to them but their search words: those are for `add_search`."""
    await tx.execute(_SQL["plan_once"])
    if ids:
        await tx.execute(_SQL["insert_contacts"], **_own(ids, people))
        await _add_addresses(tx, ids, people)
    return Findable(ids, people.terms, people.folded)


async def write_changed(tx: Tx, drafts: Sequence[Draft]) -> None:
    """Bring contacts that are there to their drafts, with all that belongs to them."""
    if not drafts:
        return
    ids = [draft.id for draft in drafts]
    people = People()
    for draft in drafts:
        people.add(draft, draft.phones)
        draft.version += 1
    await tx.execute(_SQL["update_contacts"], **_own(ids, people))
    for name in ("clear_emails", "clear_phones", "clear_tags", "clear_search"):
        await tx.execute(_SQL[name], ids=ids)
    await _add_addresses(tx, ids, people)
    await add_search(tx, Findable(ids, people.terms, people.folded))


def _columns(names: Sequence[str], records: Sequence[Sequence[object]]) -> dict[str, Sequence[object]]:
    return dict(zip(names, zip(*records, strict=True), strict=True))


def _own(ids: Sequence[UUID], people: People) -> dict[str, Sequence[object]]:
    return {"ids": ids, **_columns(_OWN, people.own)}


async def _add_addresses(tx: Tx, ids: Sequence[UUID], people: People) -> None:
    for statement, names, records in (
        ("add_emails", _EMAIL, people.emails),
        ("add_phones", _PHONE, people.phones),
        ("add_tags", _TAG, people.tags),
    ):
        if records:
            columns = _columns(names, records)
            del columns["of"]
            await tx.execute(_SQL[statement], ids=[ids[record[0]] for record in records], **columns)


async def add_search(tx: Tx, found: Findable) -> None:
    """What contacts are found by, for those that have nothing yet."""
    await tx.execute(_SQL["add_search"], ids=found.ids, terms=found.terms, folded=found.folded)


async def note_created(tx: Tx, import_id: UUID, start: int, ids: Sequence[UUID]) -> None:
    """Remember for the undo which contacts the batch that begins at `start` created."""
    if ids:
        await tx.execute(_SQL["note_created"], id=import_id, start=start, ids=ids)


async def note_changes(tx: Tx, import_id: UUID, drafts: Sequence[Draft]) -> None:
    """Remember for the undo what these contacts were, and the version they have now."""
    if drafts:
        await tx.execute(
            _SQL["note_changes"],
            id=import_id,
            ids=[draft.id for draft in drafts],
            befores=[draft.before for draft in drafts],
            versions=[draft.version for draft in drafts],
        )


async def note_failures(tx: Tx, import_id: UUID, bad: Sequence[BadRow]) -> None:
    """Keep the rows that were not imported, as they are, with the reasons."""
    if bad:
        rows = [
            {"line": row.line, "cells": [cell.replace("\x00", "\ufffd") for cell in row.cells], "reason": row.reason}
            for row in bad
        ]
        text = orjson.dumps(rows).decode()
        await tx.execute(_SQL["add_failures"], id=import_id, failures=text)
