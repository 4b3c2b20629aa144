"""Reads of imports. JSON is built by Postgres and passed through as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from hub.db import Tx
from hub.http.paging import page, read_cursor
from hub.imports.countries import fold
from hub.imports.merging import Draft
from hub.imports.people import Batch, phone_key
from hub.sqlfiles import load_sql

_SQL = load_sql("imports")
_SORT = "-created_at"


async def list_imports(tx: Tx, limit: int, cursor: str | None) -> str:
    """A page of imports as JSON text, newest first."""
    after = read_cursor(cursor, _SORT)
    params: dict[str, object] = {"limit": limit + 1}
    if after is not None:
        params |= {"after_key": after.moment(), "after_id": after.id}
    return page(await tx.fetch(_SQL["list_imports"], **params), limit, _SORT)


async def get_import(tx: Tx, import_id: UUID) -> str | None:
    """An import as JSON text; None when there is none."""
    found: str | None = await tx.fetchval(_SQL["get_import"], id=import_id)
    return found


async def get_chunk(tx: Tx, import_id: UUID, position: int) -> bytes | None:
    """A piece of the uploaded file; None after the last one."""
    found: bytes | None = await tx.fetchval(_SQL["chunk"], id=import_id, position=position)
    return found


async def get_columns(tx: Tx, import_id: UUID) -> tuple[str, list[str]] | None:
    """An import's file name and its columns (none before it was read); None when there is no such import."""
    row = await tx.fetchrow(_SQL["import_columns"], id=import_id)
    return (row["filename"], row["columns"] or []) if row else None


@dataclass(frozen=True, slots=True)
class Failure:
    """A row that was not imported, as it stood in the file, with the line it begins on."""

    line: int
    cells: list[str]
    reason: str


async def list_failures(tx: Tx, import_id: UUID, after_line: int, limit: int) -> list[Failure]:
    """The next rows that failed, in the file's order."""
    rows = await tx.fetch(_SQL["failures"], id=import_id, after_line=after_line, limit=limit)
    return [Failure(row["line"], row["cells"], row["reason"]) for row in rows]


async def owners_by_name(tx: Tx) -> dict[str, UUID]:
    """The active members by lower-case address and by folded name; of two of one name the one who was there first."""
    found: dict[str, UUID] = {}
    for row in await tx.fetch(_SQL["members_by_name"]):
        found[fold(row["name"])] = row["user_id"]
        found[row["email_lc"]] = row["user_id"]
    found.pop("", None)
    return found


async def find_known(tx: Tx, batch: Batch) -> dict[str, UUID]:
    """Which contact has which of the rows' addresses and numbers; the oldest, where several do."""
    known: dict[str, UUID] = {}
    plain, tangled = batch.plain, batch.tangled
    addresses = [record[2].lower() for record in plain.emails]
    addresses += {address.lower() for row in tangled for address, _ in row.emails}
    for found in await tx.fetch(_SQL["find_by_email"], addresses=addresses):
        known.setdefault(found["key"], found["contact_id"])
    lines = {(phone.e164, phone.extension) for row in tangled for phone, _ in row.phones}
    lines |= {(record[2], record[3]) for record in plain.phones}
    numbers, extensions = [e164 for e164, _ in lines], [extension for _, extension in lines]
    for found in await tx.fetch(_SQL["find_by_phone"], numbers=numbers, extensions=extensions):
        known.setdefault(phone_key(found["e164"], found["extension"]), found["contact_id"])
    return known


async def lock_contacts(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, Draft]:
    """These contacts as they are, held until the transaction ends."""
    if not ids:
        return {}
    rows = await tx.fetch(_SQL["lock_contacts"], ids=list(ids))
    return {row["id"]: draft_from(row["id"], row["before"], row["version"]) for row in rows if not row["is_deleted"]}


def draft_from(contact_id: UUID, before: str, version: int) -> Draft:
    """A contact from the JSON that is kept for the undo."""
    was = orjson.loads(before)
    return Draft(
        id=contact_id,
        first_name=was["first_name"],
        last_name=was["last_name"],
        company=was["company"],
        title=was["title"],
        stage=was["stage"],
        owner_id=UUID(was["owner_id"]) if was["owner_id"] else None,
        emails=[(address, label) for address, label in was["emails"]],
        phones=[(e164, extension, label, kind, zones) for e164, extension, label, kind, zones in was["phones"]],
        tags=list(was["tags"]),
        custom=was["custom"],
        before=before,
        version=version,
    )
