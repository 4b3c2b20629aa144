"""Erasing, step by step. Each step may be repeated; the jobs of workers.privacy go through them.

Before anything is erased an entry goes into the manifest, which lies in the store beside the files and holds ids only. A
database that is restored from a backup knows nothing of later erasures: `ringside erase --replay` does all of them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

import orjson

from hub.contacts.actions import delete_contact
from hub.db import Tx
from hub.errors import Conflict, NotFound
from hub.notifications.actions import forget_person
from hub.outgoing.actions import erase_answers
from hub.post.actions import erase_letters
from hub.privacy.events import RecordErased
from hub.recordings.actions import delete as delete_recording
from hub.sqlfiles import load_sql

MANIFEST = "erasures/"
# So many places of the event log are searched at a time.
EVENTS_AT_ONCE = 20_000
ROWS_AT_ONCE = 2_000

_SQL = load_sql("privacy")


def manifest_key(tenant_id: UUID, request_id: UUID) -> str:
    """Where an erasure's entry lies in the store."""
    return f"{MANIFEST}{tenant_id}/{request_id}.json"


def manifest_entry(tenant_id: UUID, request_id: UUID, subject_kind: str, subject_id: UUID) -> bytes:
    """An erasure as a line of the manifest: ids only."""
    entry = {
        "erasure": str(request_id),
        "tenant_id": str(tenant_id),
        "subject_kind": subject_kind,
        "subject_id": str(subject_id),
    }
    return orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)


async def is_in_use(tx: Tx, subject_kind: str, subject_id: UUID) -> bool:
    """Is the contact being called, or a file being imported that may hold them? Then it is too early."""
    if subject_kind != "contact":
        return False
    return bool(await tx.fetchval(_SQL["live_calls"], id=subject_id) or await tx.fetchval(_SQL["running_imports"]))


async def silence(tx: Tx, contact_id: UUID) -> bool:
    """Take a contact out of everything that reaches them, and their recordings away. False when one is still being made."""
    with suppress(NotFound):  # deleted before
        await delete_contact(tx, contact_id)
    try:
        for row in await tx.fetch(_SQL["recordings_of_contact"], id=contact_id):
            await delete_recording(tx, row["id"])
    except Conflict:
        return False
    return True


async def erase_subject(tx: Tx, request_id: UUID | None, subject_kind: str, subject_id: UUID) -> tuple[list[str], list[str]]:
    """Erase a contact's or a former member's rows. The files to delete, and what to search the event log for."""
    row = await tx.fetchrow(_SQL["erase_contact" if subject_kind == "contact" else "erase_member"], id=subject_id)
    if row is None:
        return [], []
    files, needles = list(row["files"]), [one for one in row["needles"] if one]
    await erase_letters(tx, needles)
    account = subject_kind == "member" and "account" in orjson.loads(row["counts"])
    await tx.execute(_SQL["erase_traces"], words=needles, account=account)
    if subject_kind == "member":
        await forget_person(tx, subject_id)
    exports = await tx.fetch(
        _SQL["forget_exports"], id=request_id or subject_id, subject_kind=subject_kind, subject_id=subject_id
    )
    files += [one["object_key"] for one in exports if one["object_key"] is not None]
    if request_id is not None:
        await tx.execute(_SQL["note_erased"], id=request_id, counts=row["counts"], files=files, needles=needles)
    tx.emit(RecordErased(subject_id, {"kind": subject_kind, "id": subject_id}))
    return files, needles


async def log_ranges(tx: Tx) -> list[tuple[int, int]]:
    """The event log from its oldest entry to its last, in pieces."""
    row = await tx.fetchrow(_SQL["log_bounds"])
    assert row is not None
    first, last = row["first"], row["last"]
    return [(after, min(after + EVENTS_AT_ONCE, last)) for after in range(max(first - 1, 0), last, EVENTS_AT_ONCE)]


async def erase_from_events(tx: Tx, needles: Sequence[str], after: int, upto: int) -> int:
    """Empty the events between two places that hold one of these words. How many."""
    emptied: int = await tx.fetchval(_SQL["erase_from_events"], needles=list(needles), after=after, upto=upto)
    return emptied


async def erase_from_answers(tx: Tx, needles: Sequence[str], after: UUID) -> UUID | None:
    """Empty what other systems answered to webhooks about them, some thousand after this one. The last; None at the end.

    To be done after the events: it is by them that it is known of whom an answer may speak.
    """
    return await erase_answers(tx, needles, after)


async def company_files(tx: Tx) -> list[str]:
    """Every file of the company in the store."""
    return [row["object_key"] for row in await tx.fetch(_SQL["company_files"])]


async def erase_company(tx: Tx, request_id: UUID, *, last: bool = False) -> int:
    """Erase some thousand of the company's rows; how many. With `last`, when it was 0, the company itself and its people."""
    erased: int = await tx.fetchval(_SQL["erase_company"], id=request_id, limit=ROWS_AT_ONCE, last=last)
    return erased
