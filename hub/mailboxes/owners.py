"""Private mailboxes whose owner is no active member: they rest at once, and go on when the owner is back or it is another's.

A mailbox that a team or everybody sees goes on: it is theirs as well.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hub.db import Database, Tx, tenant_tx
from hub.errors import Conflict, Forbidden, Invalid
from hub.mailboxes import queries, syncing
from hub.mailboxes.audience import settings_audiences, tell
from hub.mailboxes.events import MailboxStateChanged, MailboxUpdated
from hub.mailboxes.rows import MailboxRow
from hub.roles import actions as roles
from hub.sqlfiles import load_sql
from hub.who import ADMINS, Who

_SQL = load_sql("mailboxes")


async def member_changed(tx: Tx, member_id: UUID) -> None:
    """A member was deactivated or is active again: their private mailboxes rest, or go on. May be repeated.

    In the same transaction: whatever is asked of such a mailbox's provider looks first whether the mailbox is to be asked.
    """
    for row in await tx.fetch(_SQL["rest_mailboxes"], owner_id=member_id):
        mailbox = await queries.get_row(tx, row["id"])
        assert mailbox is not None
        await tell(tx, MailboxStateChanged, mailbox)
    for row in await tx.fetch(_SQL["mailboxes_at_rest"], owner_id=member_id):
        await go_on(tx, MailboxRow.of(row))


async def go_on(tx: Tx, mailbox: MailboxRow) -> None:
    """Let a mailbox that is held, and rested, be asked again if its owner is an active member now."""
    before = await settings_audiences(tx, mailbox)
    if await tx.fetchval(_SQL["wake_mailbox"], id=mailbox.id) is None:
        return
    await syncing.start(tx, mailbox.id)
    awake = await queries.get_row(tx, mailbox.id)
    assert awake is not None
    await tell(tx, MailboxStateChanged, awake, before=before)


async def give(tx: Tx, mailbox_id: UUID, user_id: UUID) -> None:
    """Make a mailbox, with the mail in it, an active member's: for handovers, which have looked at who may ask for that."""
    row = await queries.get_row(tx, mailbox_id)
    if row is None or row.user_id == user_id:
        return
    before = await settings_audiences(tx, row)
    await tx.execute(_SQL["update_mailbox"], id=mailbox_id, set_owner=True, new_owner_id=user_id)
    await tx.defer("mail.reclassify", {"mailbox_id": mailbox_id})
    given = await queries.get_row(tx, mailbox_id)
    assert given is not None
    await tell(tx, MailboxUpdated, given, before=before)
    await go_on(tx, given)


async def rest_of_the_gone(db: Database, limit: int = 200) -> int:
    """Have the private mailboxes of any tenant rest whose owner was deactivated in another way than by this server."""
    rows = await db.system_fetch(_SQL["mailboxes_to_rest"], limit=limit)
    for row in rows:
        async with tenant_tx(db, Who.system(row["tenant_id"])) as tx:
            await member_changed(tx, row["user_id"])
    return len(rows)


def check_owner(mailbox: MailboxRow) -> None:
    """Raises Conflict for a mailbox that rests because its owner is gone."""
    if mailbox.owner_gone_at is not None:
        raise Conflict(
            "Its owner is no active member. Let them be active again, or give the mailbox to somebody else.",
            code="mailbox_owner_is_gone",
        )


async def new_owner(tx: Tx, mailbox: MailboxRow, user_id: UUID | None) -> dict[str, Any]:
    """The change that gives a mailbox, with the mail in it, to another member.

    Its owner may do that, and an admin once the owner is no active member, unless the owner's role reaches farther than the
    admin's. Raises Forbidden, Invalid for who is no active member.
    """
    if user_id is None or user_id == mailbox.user_id:
        return {}
    owner = await tx.fetchrow(_SQL["member_of"], member_id=mailbox.user_id)
    is_gone = owner is None or owner["status"] != "active"
    if mailbox.user_id != tx.who.user_id and not (is_gone and tx.who.role in ADMINS):
        raise Forbidden("Only its owner can give a mailbox away; an admin can when the owner is no active member.")
    if owner is not None and mailbox.user_id != tx.who.user_id:
        roles.check_reach(tx, await roles.resolve(tx, owner["role"], owner["role_id"]))
    member = await tx.fetchrow(_SQL["member_of"], member_id=user_id)
    if member is None or member["status"] != "active":
        raise Invalid.field("user_id", "There is no such active member.")
    return {"set_owner": True, "new_owner_id": user_id}
