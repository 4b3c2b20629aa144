"""The writes of an import: taking the file in, putting batches of rows into the contacts, ending, and asking for the undo."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from hub.db import Tx
from hub.errors import Conflict, NotFound
from hub.events import Event
from hub.imports import queries
from hub.imports.events import ImportCompleted, ImportCreated, ImportFailed, ImportProgressed
from hub.imports.merging import Duplicates, match, merge_batch
from hub.imports.reading import Shape, Survey
from hub.imports.rows import BadRow, Row
from hub.imports.writing import note_changes, note_failures, write_contacts
from hub.sqlfiles import load_sql

RUN = "imports.run"
UNDO = "imports.undo"
_ATTEMPTS = 8
_MANY_ROWS = 1000

_SQL = load_sql("imports")


@dataclass(frozen=True, slots=True)
class Standing:
    """An import as its worker finds it. `json` is how clients see it."""

    state: str
    filename: str
    duplicates: Duplicates
    region: str
    mapping: Mapping[str, str | None]
    shape: Shape | None
    columns: tuple[str, ...]
    processed: int
    undo_asked_at: datetime | None
    json: str


def missing() -> NotFound:
    """The answer for an import that is not there, or not this tenant's."""
    return NotFound("There is no such import.", code="import_not_found")


def announce(tx: Tx, event: type[Event], import_id: UUID, json: str) -> None:
    """Tell everybody how the import stands."""
    tx.emit(event(import_id, {"import": orjson.Fragment(json)}))


async def begin_upload(tx: Tx, filename: str) -> UUID:
    """An import whose file is on its way. It is swept when the file never comes."""
    import_id: UUID = await tx.fetchval(_SQL["begin_upload"], filename=filename)
    return import_id


async def add_chunk(tx: Tx, import_id: UUID, position: int, data: bytes) -> None:
    """The next piece of the file."""
    await tx.execute(_SQL["add_chunk"], id=import_id, position=position, data=data)


async def forget_upload(tx: Tx, import_id: UUID) -> None:
    """The file came only in part, or is nothing we can import."""
    await tx.execute(_SQL["forget_upload"], id=import_id)


async def queue_import(
    tx: Tx, import_id: UUID, *, duplicates: Duplicates, region: str, mapping: Mapping[str, str | None]
) -> None:
    """The file is whole: announce the import and leave it to a worker."""
    json: str | None = await tx.fetchval(
        _SQL["queue_import"], id=import_id, duplicates=duplicates, region=region, mapping=orjson.dumps(mapping).decode()
    )
    if json is None:
        raise Conflict("The upload took so long that it was given up. Send the file again.", code="upload_expired")
    await tx.defer(RUN, {"import_id": str(import_id)}, key=str(import_id), max_attempts=_ATTEMPTS)
    announce(tx, ImportCreated, import_id, json)


async def lock_import(tx: Tx, import_id: UUID) -> Standing:
    """The import, held until the transaction ends. Raises NotFound."""
    row = await tx.fetchrow(_SQL["lock_import"], id=import_id)
    if row is None:
        raise missing()
    return Standing(
        state=row["state"],
        filename=row["filename"],
        duplicates=row["duplicates"],
        region=row["region"],
        mapping=orjson.loads(row["mapping"]),
        shape=Shape(row["encoding"], row["delimiter"]) if row["encoding"] else None,
        columns=tuple(row["columns"] or ()),
        processed=row["processed"],
        undo_asked_at=row["undo_asked_at"],
        json=row["json"],
    )


async def begin_run(tx: Tx, import_id: UUID, survey: Survey) -> None:
    """The file was read once; its rows come next."""
    json = await tx.fetchval(
        _SQL["begin_run"],
        id=import_id,
        encoding=survey.shape.encoding,
        delimiter=survey.shape.delimiter,
        columns=list(survey.columns),
        rows=survey.rows,
    )
    if json is not None:
        announce(tx, ImportProgressed, import_id, json)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a file, in order. `start` is how many came before them."""

    start: int
    good: Sequence[Row]
    bad: Sequence[BadRow]

    @property
    def rows(self) -> int:
        """How many rows these are."""
        return len(self.good) + len(self.bad)


async def import_batch(tx: Tx, import_id: UUID, batch: Batch, duplicates: Duplicates, *, tell: bool) -> None:
    """Put a batch of rows into the contacts, in this one transaction, and count it; `tell` announces the progress.

    Raises Conflict when these rows are in already, or the import is not running any more: another worker was quicker.
    """
    await tx.execute(_SQL["one_import_at_a_time"])
    await tx.execute(_SQL["plan_each_time"])
    known = await queries.find_known(tx, batch.good)
    there = await queries.lock_contacts(tx, match(batch.good, known) if duplicates == "update" else [])
    ids = [row["id"] for row in await tx.fetch(_SQL["new_ids"], count=len(batch.good))]
    # Some milliseconds of work, beside the worker's loop.
    merged = await asyncio.to_thread(merge_batch, batch.good, known, there, ids, duplicates)
    await write_contacts(tx, merged.drafts)
    await note_changes(tx, import_id, merged.drafts)
    await note_failures(tx, import_id, batch.bad)
    json = await tx.fetchval(
        _SQL["advance"],
        id=import_id,
        expected=batch.start,
        rows=batch.rows,
        created=merged.created,
        updated=merged.updated,
        skipped=merged.skipped,
        failed=len(batch.bad),
        warnings=sum(1 for row in batch.good if row.warnings),
    )
    if json is None:
        raise Conflict("These rows are in already, or the import was ended.", code="import_moved_on")
    if tell:
        announce(tx, ImportProgressed, import_id, json)


async def refresh_statistics(tx: Tx, import_id: UUID) -> None:
    """After a large import, let the planner know of it: the lists and the search are slow otherwise for a minute."""
    if (await lock_import(tx, import_id)).processed >= _MANY_ROWS:
        await tx.execute(_SQL["refresh_statistics"])


async def complete(tx: Tx, import_id: UUID) -> None:
    """All rows are dealt with: the file is not needed any more."""
    await _finish(tx, import_id, "done", None, ImportCompleted)


async def fail(tx: Tx, import_id: UUID, why: str) -> None:
    """The import can't go on. What is in stays, and can be undone."""
    await _finish(tx, import_id, "failed", why, ImportFailed)


async def _finish(tx: Tx, import_id: UUID, state: str, error: str | None, event: type[Event]) -> None:
    json = await tx.fetchval(_SQL["finish_import"], id=import_id, state=state, error=error)
    if json is not None:
        await tx.execute(_SQL["forget_chunks"], id=import_id)
        announce(tx, event, import_id, json)


async def ask_undo(tx: Tx, import_id: UUID) -> str:
    """Begin to take an import back; its JSON. Raises NotFound, and Conflict when it can't be taken back (any more, or yet)."""
    standing = await lock_import(tx, import_id)
    if standing.state == "undone":
        raise Conflict("This import is undone already.", code="import_undone")
    if standing.state == "running" and standing.undo_asked_at is not None:
        raise Conflict("This import is being undone right now.", code="import_undone")
    if standing.state in ("queued", "running"):
        raise Conflict("This import is still running. Undo it when it is done.", code="import_running")
    json: str = await tx.fetchval(_SQL["ask_undo"], id=import_id)
    # Without a key: after a dead letter it may be asked for again.
    await tx.defer(UNDO, {"import_id": str(import_id)}, max_attempts=_ATTEMPTS)
    announce(tx, ImportProgressed, import_id, json)
    return json
