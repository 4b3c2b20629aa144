"""Reads of mail. Everything here honours who may see it; JSON is built by Postgres and passed through as text."""

from __future__ import annotations

from uuid import UUID

import asyncpg

from hub.db import Tx
from hub.errors import NotFound
from hub.http.paging import PageQuery, page, read_cursor
from hub.mail.models import MailThreadFilter, SendFilter
from hub.sqlfiles import load_sql

_SQL = load_sql("mail")
_SENDS = load_sql("mail_sends")
_CORE = load_sql("core")


def no_thread() -> NotFound:
    """The answer for a thread that is not there, or not to be seen by who asks: the two are never told apart."""
    return NotFound("There is no such conversation.", code="mail_thread_not_found")


def no_message() -> NotFound:
    """The answer for a message that is not there, or not to be seen by who asks."""
    return NotFound("There is no such message.", code="mail_message_not_found")


def no_send() -> NotFound:
    """The answer for a draft or a mail on its way that is not there, or somebody else's."""
    return NotFound("There is no such mail.", code="mail_not_found")


async def list_threads(tx: Tx, asked: MailThreadFilter, contact_id: UUID | None = None) -> str:
    """A page of threads that who asks may see as JSON text, the one with the newest message first."""
    about = contact_id or asked.contact_id
    if asked.q is not None:
        found = read_cursor(asked.cursor, "-found_at")
        rows = await tx.fetch(
            _SQL["search_threads"],
            q=asked.q,
            limit=asked.limit + 1,
            mailbox_id=asked.mailbox_id,
            contact_id=about,
            unread=asked.unread,
            after=found.moment() if found else None,
            after_id=found.id if found else None,
        )
        return page(rows, asked.limit, "-found_at")
    after = read_cursor(asked.cursor, "-last_at")
    views = {name: asked.view == name for name in ("inbox", "mine", "unassigned", "snoozed", "done", "sent")}
    await tx.execute(_CORE["plan_for_these_values"])
    of_contact = {"contact_id": about} if about is not None else {}
    rows = await tx.fetch(
        _SQL["list_threads_of_contact" if of_contact else "list_threads"],
        limit=asked.limit + 1,
        mailbox_id=asked.mailbox_id,
        unread=asked.unread,
        after=after.moment() if after else None,
        after_id=after.id if after else None,
        **views,
        **of_contact,
    )
    return page(rows, asked.limit, "-last_at")


async def get_thread(tx: Tx, thread_id: UUID) -> asyncpg.Record:
    """A thread that who asks may see: its JSON, mailbox, contact and state. Raises NotFound."""
    row = await tx.fetchrow(_SQL["get_thread"], id=thread_id)
    if row is None:
        raise no_thread()
    return row


async def read_whole(tx: Tx, thread_id: UUID) -> str:
    """A thread with its messages as JSON text. Raises NotFound."""
    thread = await get_thread(tx, thread_id)
    items: str = await tx.fetchval(_SQL["thread_items"], thread_id=thread_id)
    return str(thread["json"])[:-1] + ',"items":' + items + "}"


async def get_message(tx: Tx, message_id: UUID) -> asyncpg.Record:
    """A message that who asks may see: its JSON and where its original lies. Raises NotFound."""
    row = await tx.fetchrow(_SQL["get_message"], id=message_id)
    if row is None:
        raise no_message()
    return row


async def get_attachment(tx: Tx, message_id: UUID, index: int) -> asyncpg.Record:
    """Name, type and size of a message's file. Raises NotFound."""
    row = await tx.fetchrow(_SQL["get_attachment"], message_id=message_id, index=index)
    if row is None:
        raise NotFound("This message has no such file.", code="attachment_not_found")
    return row


async def list_drafts(tx: Tx, asked: PageQuery) -> str:
    """A page of one's own drafts as JSON text, newest first."""
    after = read_cursor(asked.cursor, "-created_at")
    rows = await tx.fetch(
        _SENDS["list_drafts"],
        limit=asked.limit + 1,
        after=after.moment() if after else None,
        after_id=after.id if after else None,
    )
    return page(rows, asked.limit, "-created_at")


async def list_sends(tx: Tx, asked: SendFilter) -> str:
    """A page of one's own mails on their way or sent, as JSON text, newest first."""
    after = read_cursor(asked.cursor, "-created_at")
    await tx.execute(_CORE["plan_for_these_values"])
    rows = await tx.fetch(
        _SENDS["list_sends"],
        limit=asked.limit + 1,
        state=asked.state,
        mailbox_id=asked.mailbox_id,
        after=after.moment() if after else None,
        after_id=after.id if after else None,
    )
    return page(rows, asked.limit, "-created_at")


async def get_draft(tx: Tx, draft_id: UUID) -> asyncpg.Record:
    """One's own draft: its JSON and version. Raises NotFound."""
    row = await tx.fetchrow(_SENDS["get_draft"], id=draft_id)
    if row is None:
        raise no_send()
    return row


async def read_send(tx: Tx, send_id: UUID) -> str:
    """One's own mail as JSON text. Raises NotFound."""
    text: str | None = await tx.fetchval(_SENDS["get_send"], id=send_id)
    if text is None:
        raise no_send()
    return text
