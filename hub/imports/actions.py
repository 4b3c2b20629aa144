"""The writes of an import: taking the file in, putting batches of rows into the contacts, ending, and asking for the undo."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from hub.db import Tx
from hub.errors import Conflict, NotFound
from hub.events import Event
from hub.imports import queries
from hub.imports.events import ImportCompleted, ImportCreated, ImportFailed, ImportProgressed
from hub.imports.ids import new_ids
from hub.imports.merging import Duplicates, match, merge_batch
from hub.imports.people import Batch
from hub.imports.reading import Shape, Survey
from hub.imports.writing import Findable, add_search, note_changes, note_created, note_failures, write_changed, write_new
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
    rows: int | None
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
        rows=row["rows"],
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


async def import_batch(
    tx: Tx, import_id: UUID, batch: Batch, duplicates: Duplicates, *, tell: bool, settled: Callable[[], Awaitable[None]]
) -> Findable:
    """Put a batch of rows into the contacts, in this one transaction, and count it; `tell` announces the progress.

    Returns the new contacts, for `make_findable` after the commit; `settled` waits for that of the batch before. Raises Conflict
    when these rows are in already, or the import is not running any more: another worker was quicker.
    """
    await tx.execute(_SQL["one_import_at_a_time"])
    await tx.execute(_SQL["plan_each_time"])
    known = await queries.find_known(tx, batch)
    batch.take_out(known)
    matched = match(batch.tangled, known) if duplicates == "update" and known else []
    if matched:
        # They may be of the batch before, whose search words are being written: who changes them comes after that.
        await settled()
    there = await queries.lock_contacts(tx, matched)
    # Whoever shares nothing with anybody is new.
    people = batch.plain
    ids, more_ids = batch.share(new_ids(len(people) + len(batch.tangled)))
    created, rows = len(ids), batch.rows
    merged = merge_batch(batch.tangled, known, there, more_ids, duplicates)
    for draft in merged.drafts:
        if draft.is_new:
            people.add(draft, draft.phones)
            ids.append(draft.id)
    found = await write_new(tx, ids, people)
    await note_created(tx, import_id, batch.start, ids)
    changed = [draft for draft in merged.drafts if not draft.is_new]
    await write_changed(tx, changed)
    await note_changes(tx, import_id, changed)
    await note_failures(tx, import_id, batch.bad)
    json = await tx.fetchval(
        _SQL["advance"],
        id=import_id,
        expected=batch.start,
        rows=rows,
        created=created + merged.created,
        updated=merged.updated,
        skipped=merged.skipped,
        failed=len(batch.bad),
        warnings=batch.warned,
    )
    if json is None:
        raise Conflict("These rows are in already, or the import was ended.", code="import_moved_on")
    if tell:
        announce(tx, ImportProgressed, import_id, json)
    return found


async def make_findable(tx: Tx, import_id: UUID, start: int, new: Findable) -> None:
    """The search words of the new contacts of a batch. Somebody may have changed one meanwhile: then it has its words."""
    await add_search(tx, new)
    await tx.execute(_SQL["note_findable"], id=import_id, start=start)


async def make_rest_findable(tx: Tx, import_id: UUID) -> None:
    """The same for what is left of it: the last batches of a worker that was stopped."""
    for row in await tx.fetch(_SQL["not_findable"], id=import_id):
        await tx.execute(_SQL["make_findable"], ids=row["contact_ids"])
        await tx.execute(_SQL["note_findable"], id=import_id, start=row["start"])


async def refresh_statistics(tx: Tx, import_id: UUID) -> None:
    """After a large import, let the planner know of it: the lists and the search are slow otherwise for a minute."""
    if (await lock_import(tx, import_id)).processed >= _MANY_ROWS:
        await tx.execute(_SQL["refresh_statistics"])


async def complete(tx: Tx, import_id: UUID) -> None:
    """All rows are dealt with: the file is not needed any more. Raises RuntimeError when some are not: then it is tried again."""
    standing = await lock_import(tx, import_id)
    if standing.state == "running" and standing.processed != standing.rows:
        raise RuntimeError(f"an import came to the end of its file at row {standing.processed} of {standing.rows}")
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
