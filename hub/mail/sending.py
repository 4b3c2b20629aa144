"""Mail that goes out: queued in the transaction that wants it, taken back in the one that no longer does."""

from __future__ import annotations

from uuid import UUID

from hub.db import Tx
from hub.mail.values import MailFile, MailOut

__all__ = ["MailFile", "MailOut", "cancel_mail", "queue_mail"]


async def queue_mail(tx: Tx, mail: MailOut) -> UUID:
    """Have a mail sent, exactly once. Returns the id of the send; for a `step_run_id` that has one already, that one.

    Whether it may be sent is decided when it is sent (permit, suppressions, state of the mailbox); a refusal makes it `failed`
    with the words. Raises NotFound for the mailbox, Invalid without a recipient.
    """
    raise NotImplementedError


async def cancel_mail(tx: Tx, send_id: UUID, reason: str) -> bool:
    """Take a mail back, and keep why. False when it is on its way or over: then it can't be taken back any more."""
    raise NotImplementedError
