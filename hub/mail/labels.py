"""What becomes of mail at its provider: read, moved, deleted, made private; and all of a mailbox's mail erased."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

import orjson

from hub.db import Tx
from hub.mail.telling import tell
from hub.mailboxes.privacy import Privacy, privacy_of
from hub.sqlfiles import load_sql
from integrations.mail import LabelChange, MessageRef

_SQL = load_sql("mail")

_HIDDEN = frozenset({"trash", "spam"})


async def change_labels(tx: Tx, mailbox_id: UUID, changes: Iterable[LabelChange]) -> int:
    """Take over what was read, moved or labelled at the provider; how many messages that changed. May be repeated.

    A message that we do not have is let be.
    """
    rules: Privacy | None = None
    threads: dict[UUID, None] = {}
    changed = 0
    for change in changes:
        message = await tx.fetchrow(_SQL["message_of_copy"], mailbox_id=mailbox_id, provider_id=change.ref.id)
        if message is None:
            continue
        labels = (set(message["labels"]) | change.added) - change.removed
        if labels == set(message["labels"]):
            continue
        is_read = message["direction"] == "outbound" or "unread" not in labels
        await tx.execute(
            _SQL["label_message"], id=message["id"], labels=sorted(labels), is_read=is_read, trashed=bool(_HIDDEN & labels)
        )
        rules = rules or await privacy_of(tx, mailbox_id)
        if rules.covers(addresses=(), subject="", labels=labels):
            await tx.execute(_SQL["privatize_message"], id=message["id"], private=True)
        threads[message["thread_id"]] = None
        changed += 1
    await _settle(tx, threads)
    return changed


async def note_deleted(tx: Tx, mailbox_id: UUID, refs: Iterable[MessageRef]) -> int:
    """The provider has these copies no more. A message of which none is left is out of sight; how many those are."""
    threads: dict[UUID, None] = {}
    gone = 0
    for ref in refs:
        thread_id: UUID | None = await tx.fetchval(_SQL["drop_copy"], mailbox_id=mailbox_id, provider_id=ref.id)
        if thread_id is not None:
            threads[thread_id] = None
            gone += 1
    await _settle(tx, threads)
    return gone


async def reclassify(tx: Tx, mailbox_id: UUID, after: UUID | None, limit: int = 500) -> UUID | None:
    """Hold a mailbox's mail, some of it at a time, against its privacy rules as they are now.

    Returns where to go on; None when that was all.
    """
    rules = await privacy_of(tx, mailbox_id)
    rows = await tx.fetch(_SQL["messages_to_judge"], mailbox_id=mailbox_id, after=after, limit=limit)
    threads: dict[UUID, None] = {}
    for row in rows:
        lists = orjson.loads(row["recipients"])
        addresses = [row["from_address"], *(one["address"] for people in lists.values() for one in people)]
        private = rules.covers(addresses=addresses, subject=row["subject"], labels=row["labels"])
        if private != row["private"]:
            await tx.execute(_SQL["privatize_message"], id=row["id"], private=private)
            threads[row["thread_id"]] = None
    await _settle(tx, threads)
    return rows[-1]["id"] if len(rows) == limit else None


async def erase(tx: Tx, mailbox_id: UUID, limit: int = 200) -> tuple[int, list[str]]:
    """Erase some of a mailbox's mail, and what was written in its mails to send.

    Returns how many threads went and the keys of files to delete from the store; 0 threads: nothing is left.
    """
    rows = await tx.fetch(_SQL["threads_to_erase"], mailbox_id=mailbox_id, limit=limit)
    ids = [row["id"] for row in rows]
    keys = [row["object_key"] for row in await tx.fetch(_SQL["files_of_threads"], ids=ids)]
    await tx.execute(_SQL["erase_threads"], ids=ids)
    if not ids:
        await tx.execute(_SQL["blank_sends"], mailbox_id=mailbox_id)
    return len(ids), keys


async def _settle(tx: Tx, threads: Sequence[UUID] | dict[UUID, None]) -> None:
    for thread_id in threads:
        await tx.execute(_SQL["settle_thread"], id=thread_id, participants=None, contact_id=None, opens=False)
        await tell(tx, thread_id)
