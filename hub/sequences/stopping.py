"""What ends or holds up a contact's enrolments: an answer, a bounce, an unsubscription, a meeting, an absence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal
from uuid import UUID

from hub.db import Tx

Why = Literal["reply", "bounce", "unsubscribe", "meeting", "colleague_contact", "stage"]


async def stop_for(
    tx: Tx,
    contact_ids: Sequence[UUID],
    why: Why,
    *,
    words: str,
    send_id: UUID | None = None,
    except_user: UUID | None = None,
) -> list[UUID]:
    """Stop the live enrolments of these contacts whose sequence stops on `why`; the ids of those stopped.

    In the same transaction planned steps are given up and mail that is not sent yet is taken back. `send_id` is the mail that
    was answered, or came back; `except_user` is spared (who wrote themselves is no colleague). `words` say why, for people.
    """
    raise NotImplementedError


async def pause_for(tx: Tx, contact_ids: Sequence[UUID], until: date, words: str) -> list[UUID]:
    """Hold these contacts' active enrolments up until the morning of the business day after `until`; their ids."""
    raise NotImplementedError
