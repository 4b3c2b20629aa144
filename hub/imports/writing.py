"""Writing many contacts at once: one statement a table, over arrays."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import orjson

from hub.db import Tx
from hub.imports.merging import Draft
from hub.imports.rows import BadRow
from hub.sqlfiles import load_sql

_SQL = load_sql("imports")


async def write_contacts(tx: Tx, drafts: Sequence[Draft]) -> None:
    """Insert the new contacts and bring those that were there to their drafts, with all that belongs to them."""
    new = [draft for draft in drafts if draft.is_new]
    old = [draft for draft in drafts if not draft.is_new]
    if old:
        ids = [draft.id for draft in old]
        await tx.execute(_SQL["update_contacts"], **_columns(old))
        for name in ("clear_emails", "clear_phones", "clear_tags"):
            await tx.execute(_SQL[name], ids=ids)
        for draft in old:
            draft.version += 1
    await tx.execute(_SQL["plan_once"])
    if new:
        await tx.execute(_SQL["insert_contacts"], **_columns(new))
    if drafts:
        await _add_addresses(tx, drafts)
        await _add_search(tx, drafts)


def _columns(drafts: Sequence[Draft]) -> dict[str, list[object]]:
    return {
        "ids": [draft.id for draft in drafts],
        "first_names": [draft.first_name for draft in drafts],
        "last_names": [draft.last_name for draft in drafts],
        "companies": [draft.company for draft in drafts],
        "titles": [draft.title for draft in drafts],
        "stages": [draft.stage for draft in drafts],
        "owner_ids": [draft.owner_id for draft in drafts],
        "customs": [orjson.dumps(draft.custom).decode() for draft in drafts],
    }


async def _add_addresses(tx: Tx, drafts: Sequence[Draft]) -> None:
    emails = [(draft.id, n, address, label) for draft in drafts for n, (address, label) in enumerate(draft.emails)]
    if emails:
        ids, positions, addresses, labels = zip(*emails, strict=True)
        await tx.execute(_SQL["add_emails"], ids=ids, positions=positions, addresses=addresses, labels=labels)
    phones = [
        (draft.id, n, e164, extension, label, kind, ",".join(zones))
        for draft in drafts
        for n, (e164, extension, label, kind, zones) in enumerate(draft.phones)
    ]
    if phones:
        ids, positions, numbers, extensions, labels, kinds, zone_lists = zip(*phones, strict=True)
        await tx.execute(
            _SQL["add_phones"],
            ids=ids,
            positions=positions,
            numbers=numbers,
            extensions=extensions,
            labels=labels,
            kinds=kinds,
            zones=zone_lists,
        )
    tags = [(draft.id, tag) for draft in drafts for tag in draft.tags]
    if tags:
        ids, names = zip(*tags, strict=True)
        await tx.execute(_SQL["add_tags"], ids=ids, tags=names)


async def _add_search(tx: Tx, drafts: Sequence[Draft]) -> None:
    terms, folded = [], []
    for draft in drafts:
        text = draft.terms()
        plain = text.isascii() and text.isprintable()
        terms.append(" ".join(text.lower().split()) if plain else text)
        folded.append(plain)
    await tx.execute(_SQL["add_search"], ids=[draft.id for draft in drafts], terms=terms, folded=folded)


async def note_changes(tx: Tx, import_id: UUID, drafts: Sequence[Draft]) -> None:
    """Remember what the contacts were, and the version they have now."""
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
