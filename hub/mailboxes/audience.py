"""Who hears of a mailbox and of its mail."""

from __future__ import annotations

from uuid import UUID

import orjson

from hub.db import Tx
from hub.events import MANAGERS, TENANT, Event, only_user
from hub.mailboxes.events import MailboxHidden
from hub.mailboxes.rows import MailboxRow
from hub.sqlfiles import load_sql

_SQL = load_sql("mailboxes")


async def mail_audiences(tx: Tx, mailbox: MailboxRow, *, private: bool = False) -> list[str]:
    """Who may see the mailbox's mail: everybody, the team's people and its owner, or the owner alone.

    `private`: for mail that a privacy rule keeps to the owner. A role opens nothing.
    """
    if private or mailbox.visibility == "private":
        return [only_user(mailbox.user_id)]
    if mailbox.visibility == "everyone":
        return [TENANT]
    team = await tx.fetch(_SQL["team_people"], of_team=mailbox.team_id)
    people = dict.fromkeys([mailbox.user_id, *(row["user_id"] for row in team)])
    return [only_user(person) for person in people]


async def settings_audiences(tx: Tx, mailbox: MailboxRow) -> list[str]:
    """Who may see that the mailbox is there and how it stands: whoever sees its mail, and managers unless it is private.

    Of a private one they hear while its owner is gone, because somebody has to decide about it.
    """
    audiences = await mail_audiences(tx, mailbox)
    is_managed = mailbox.visibility == "team" or mailbox.owner_gone_at is not None
    return [*audiences, MANAGERS] if is_managed and TENANT not in audiences else audiences


async def tell(tx: Tx, event: type[Event], mailbox: MailboxRow, *, before: list[str] | None = None) -> str:
    """Emit an event with the mailbox as it is now, to everybody who may know; its JSON.

    `before`: who knew until now. Those who do not any more are told that it is hidden.
    """
    text: str = await tx.fetchval(_SQL["mailbox_json"], id=mailbox.id)
    audiences = await settings_audiences(tx, mailbox)
    # First of all: who is in both hears of the change last, and keeps the mailbox.
    for audience in before or []:
        if audience not in audiences:
            tx.emit(MailboxHidden(mailbox.id, {"mailbox_id": mailbox.id}, audience))
    for audience in audiences:
        tx.emit(event(mailbox.id, {"mailbox": orjson.Fragment(text)}, audience))
    return text


async def tell_by_id(tx: Tx, event: type[Event], mailbox_id: UUID) -> None:
    """Like `tell`, for a mailbox of which only the id is at hand; one that is not there is let be."""
    row = await tx.fetchrow(_SQL["get_row"], id=mailbox_id)
    if row is not None:
        await tell(tx, event, MailboxRow.of(row))
