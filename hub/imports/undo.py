"""Taking an import back: new contacts go, changed ones get their former values, and whatever somebody worked on since stays."""

from __future__ import annotations

from uuid import UUID

from hub.db import Tx
from hub.imports import queries
from hub.imports.actions import announce
from hub.imports.events import ImportFailed, ImportProgressed, ImportUndone
from hub.imports.merging import Draft
from hub.imports.writing import write_changed
from hub.sqlfiles import load_sql

_SQL = load_sql("imports")


async def undo_batch(tx: Tx, import_id: UUID, limit: int, *, tell: bool) -> bool:
    """Take back the next contacts in this one transaction; False when none are left.

    A contact that somebody edited, called or wrote about since the import is kept, and counted.
    """
    await tx.execute(_SQL["one_import_at_a_time"])
    await tx.execute(_SQL["plan_each_time"])
    created = await tx.fetchrow(_SQL["next_created"], id=import_id)
    if created is not None:
        changes = await tx.fetch(_SQL["created_contacts"], id=import_id, ids=created["contact_ids"])
        await tx.execute(_SQL["forget_created"], id=import_id, start=created["start"])
    else:
        changes = await tx.fetch(_SQL["next_changes"], id=import_id, limit=limit)
        if not changes:
            return False
    delete: list[UUID] = []
    restore: list[Draft] = []
    kept = 0
    for change in changes:
        if change["is_deleted"]:
            continue
        if change["version_now"] != change["version"] or change["is_used"]:
            kept += 1
        elif change["before"] is None:
            delete.append(change["contact_id"])
        else:
            restore.append(queries.draft_from(change["contact_id"], change["before"], change["version_now"]))
    if delete:
        await tx.execute(_SQL["delete_contacts"], ids=delete)
        await tx.execute(_SQL["clear_search"], ids=delete)
    await tx.execute(_SQL["forget_changes"], id=import_id, ids=[change["contact_id"] for change in changes])
    await write_changed(tx, restore)
    json = await tx.fetchval(_SQL["count_kept"], id=import_id, kept=kept)
    if tell and json is not None:
        announce(tx, ImportProgressed, import_id, json)
    return True


async def finish_undo(tx: Tx, import_id: UUID) -> None:
    """Nothing is left to take back."""
    json = await tx.fetchval(_SQL["finish_undo"], id=import_id)
    if json is not None:
        announce(tx, ImportUndone, import_id, json)


async def give_up_undo(tx: Tx, import_id: UUID, why: str) -> None:
    """The undo can't go on; it may be asked for again."""
    json = await tx.fetchval(_SQL["finish_import"], id=import_id, state="failed", error=why)
    if json is not None:
        announce(tx, ImportFailed, import_id, json)
