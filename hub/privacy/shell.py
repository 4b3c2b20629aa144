"""`ringside erase`: the manifest of what was erased, and erasing it again in a database that was restored from a backup."""

from __future__ import annotations

import argparse
import sys
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import orjson

from hub.config import Settings
from hub.db import Database, tenant_tx
from hub.privacy import actions, erasing
from hub.sqlfiles import load_sql
from hub.who import Who
from integrations.objects import Objects, open_objects

_SQL = load_sql("privacy")
_STORE = Path("-")


class NoManifest(ValueError):
    """What was given as a manifest is none; the message says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An erasure, as the manifest has it."""

    erasure: UUID
    tenant_id: UUID
    subject_kind: str
    subject_id: UUID

    @classmethod
    def read(cls, line: bytes) -> Entry:
        """A line of the manifest. Raises NoManifest."""
        try:
            said = orjson.loads(line)
            kind = said["subject_kind"]
            if kind not in ("contact", "member", "company"):
                raise NoManifest(f"The manifest names a {kind}; it should be a contact, a member or a company.")
            return cls(UUID(said["erasure"]), UUID(said["tenant_id"]), kind, UUID(said["subject_id"]))
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            if isinstance(exc, NoManifest):
                raise
            raise NoManifest(f"This is no line of a manifest: {line[:80].decode(errors='replace')}") from exc


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--list", action="store_true", help="print the manifest: what was ever erased, by ids only")
    what.add_argument(
        "--replay",
        nargs="?",
        type=Path,
        const=_STORE,
        metavar="MANIFEST",
        help="erase it all again, after a backup was restored: what a file of --list says, or else the store's own manifest",
    )


async def run(given: argparse.Namespace, settings: Settings) -> int:
    """Do what was asked for; the exit code. Raises NoManifest, OSError and the database's errors."""
    if not settings.objects:
        raise NoManifest("No store is set up, so there is no manifest. Set RINGSIDE_OBJECTS.")
    store = open_objects(settings.objects, settings.s3)
    if given.list:
        async for entry in _kept(store):
            sys.stdout.write(entry.decode())
        return 0
    if given.replay == _STORE:
        entries = [Entry.read(line) async for line in _kept(store)]
    else:
        entries = [Entry.read(line) for line in given.replay.read_bytes().splitlines() if line.strip()]
    db = await Database.open(settings.database_url, max_size=2, name="ringside erase", prepared=settings.database_prepared)
    try:
        done = await replay(db, store, entries)
    finally:
        await db.close()
    print(f"{len(entries)} erasures in the manifest, {done} of them done again. A worker takes the recordings away.")
    return 0


async def _kept(store: Objects) -> AsyncIterator[bytes]:
    async for key in store.keys(erasing.MANIFEST):
        yield b"".join([piece async for piece in store.read(key)])


async def replay(db: Database, store: Objects, entries: Iterable[Entry]) -> int:
    """Erase again what is there again; how many."""
    done = 0
    # Companies last: what is of a company goes with it.
    for entry in sorted(entries, key=lambda one: one.subject_kind == "company"):
        done += await (_company(db, store, entry) if entry.subject_kind == "company" else _person(db, store, entry))
    return done


async def _person(db: Database, store: Objects, entry: Entry) -> bool:
    who, subject = Who.system(entry.tenant_id), entry.subject_id
    async with tenant_tx(db, who) as tx:
        row = await tx.fetchrow(_SQL[f"{entry.subject_kind}_label"], id=subject)
        if row is None or (entry.subject_kind == "contact" and row["is_erased"]) or row["label"] == "Erased person":
            return False
        if entry.subject_kind == "contact":
            await erasing.silence(tx, subject)
        elif await tx.execute(_SQL["close_member"], id=subject):
            await tx.execute(_SQL["note_closed"], id=subject)
    async with tenant_tx(db, who) as tx:
        files, needles = await erasing.erase_subject(tx, None, entry.subject_kind, subject)
    async with tenant_tx(db, who) as tx:
        ranges = await erasing.log_ranges(tx)
    for after, upto in ranges:
        async with tenant_tx(db, who) as tx:
            await erasing.erase_from_events(tx, needles, after, upto)
    last: UUID | None = UUID(int=0)
    while last is not None:
        async with tenant_tx(db, who) as tx:
            last = await erasing.erase_from_answers(tx, needles, last)
    for key in files:
        await store.delete(key)
    return True


async def _company(db: Database, store: Objects, entry: Entry) -> bool:
    who = Who.system(entry.tenant_id)
    async with tenant_tx(db, who) as tx:
        if await tx.fetchval(_SQL["company_label"]) is None:
            return False
        request_id = await actions.under_way(tx, "company", entry.tenant_id)
        keys = await erasing.company_files(tx)
    for key in keys:
        await store.delete(key)
    erased = 1
    while erased:
        async with tenant_tx(db, who) as tx:
            erased = await erasing.erase_company(tx, request_id)
    async with tenant_tx(db, who) as tx:
        await erasing.erase_company(tx, request_id, last=True)
    return True
