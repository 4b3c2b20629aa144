"""Who read whose mail: somebody else's, and what only its mailbox's owner may read, goes into the audit log."""

from __future__ import annotations

from uuid import UUID

from hub.audit.actions import record_once
from hub.db import Tx
from hub.sqlfiles import load_sql

_SQL = load_sql("mail")


async def note_read(tx: Tx, thread_id: UUID) -> None:
    """Write down that who acts read a conversation of a colleague's mailbox, or one that is private; once for each sitting."""
    row = await tx.fetchrow(_SQL["whose_thread"], id=thread_id)
    if row is not None and (row["private"] or row["user_id"] != tx.who.user_id):
        await _note(tx, "mail.read", "mail_thread", thread_id, row["mailbox_id"], private=row["private"])


async def note_taken(tx: Tx, message_id: UUID, *, file: bool = False) -> None:
    """Write down that who acts saved a message (or a file of it) of a colleague's mailbox, or a private one."""
    row = await tx.fetchrow(_SQL["whose_message"], id=message_id)
    if row is not None and (row["private"] or row["user_id"] != tx.who.user_id):
        action = "mail.file_saved" if file else "mail.saved"
        await _note(tx, action, "mail_message", message_id, row["mailbox_id"], private=row["private"])


async def _note(tx: Tx, action: str, kind: str, subject_id: UUID, mailbox_id: UUID, *, private: bool) -> None:
    details = {"mailbox_id": mailbox_id, "private": private}
    await record_once(tx, action, subject_kind=kind, subject_id=subject_id, details=details)
