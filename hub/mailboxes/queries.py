"""Reads of mailboxes."""

from __future__ import annotations

from uuid import UUID

from hub.db import Database, Tx
from hub.errors import NotFound
from hub.http.paging import PageQuery, page, read_cursor
from hub.mailboxes.rows import MailboxRow
from hub.sqlfiles import load_sql

_SQL = load_sql("mailboxes")


def missing() -> NotFound:
    """The answer for a mailbox that is not there, not this tenant's, or not to be seen by who asks."""
    return NotFound("There is no such mailbox.", code="mailbox_not_found")


async def list_mailboxes(tx: Tx, asked: PageQuery) -> str:
    """A page of the mailboxes that who acts may see as JSON text, by address."""
    after = read_cursor(asked.cursor, "address")
    rows = await tx.fetch(
        _SQL["list_mailboxes"],
        limit=asked.limit + 1,
        is_manager=tx.who.is_manager,
        after_key=after.key if after else None,
        after_id=after.id if after else None,
    )
    return page(rows, asked.limit, "address")


async def read_mailbox(tx: Tx, mailbox_id: UUID) -> tuple[str, int]:
    """A mailbox that who acts may see, as JSON, and its version. Raises NotFound."""
    row = await tx.fetchrow(_SQL["get_mailbox"], id=mailbox_id, is_manager=tx.who.is_manager)
    if row is None:
        raise missing()
    return row["json"], row["version"]


async def read_meter(tx: Tx, mailbox_id: UUID) -> str:
    """How far a mailbox that who acts may see is behind, as JSON. Raises NotFound."""
    await read_mailbox(tx, mailbox_id)
    text: str = await tx.fetchval(_SQL["mailbox_meter"], id=mailbox_id)
    return text


async def read_labels(tx: Tx, mailbox_id: UUID) -> str:
    """The labels of a mailbox that who acts may see, as JSON. Raises NotFound."""
    await read_mailbox(tx, mailbox_id)
    text: str = await tx.fetchval(_SQL["list_labels"], mailbox_id=mailbox_id)
    return text


async def read_rules(tx: Tx, mailbox_id: UUID | None) -> str:
    """The privacy rules of a mailbox that who acts may see, or of the company, as JSON. Raises NotFound."""
    if mailbox_id is not None:
        await read_mailbox(tx, mailbox_id)
    text: str = await tx.fetchval(_SQL["list_rules"], mailbox_id=mailbox_id)
    return text


async def get_row(tx: Tx, mailbox_id: UUID) -> MailboxRow | None:
    """A mailbox as the server works with it, whoever may see it."""
    row = await tx.fetchrow(_SQL["get_row"], id=mailbox_id)
    return MailboxRow.of(row) if row is not None else None


async def get_for_sending(tx: Tx, mailbox_id: UUID) -> MailboxRow:
    """The mailbox a message is to go out through, with its caps and its sealed secret. Raises NotFound when there is none.

    Whether it may send just now is in `may_send`, `stopped_reason` and `error`; the caller says so in its own words.
    """
    row = await get_row(tx, mailbox_id)
    if row is None:
        raise missing()
    return row


async def may_see_mail(tx: Tx, mailbox_id: UUID) -> bool:
    """May who acts see this mailbox's mail? Mail that a rule keeps private is still the owner's alone."""
    return bool(await tx.fetchval(_SQL["is_visible"], id=mailbox_id))


async def mailboxes_of_address(db: Database, address: str) -> list[tuple[UUID, UUID]]:
    """Every connected mailbox of an address, in whatever company: the tenant and the mailbox."""
    rows = await db.system_fetch(_SQL["mailboxes_of_address"], address_lc=address.strip().lower())
    return [(row["tenant_id"], row["id"]) for row in rows]
