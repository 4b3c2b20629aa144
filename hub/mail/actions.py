"""What people do with conversations: read, assign, put off, finish, say that they are writing."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from hub.db import Tx
from hub.errors import Conflict, Forbidden, Invalid
from hub.http.paging import LATEST
from hub.leases import actions as leases
from hub.mail.queries import get_thread
from hub.mail.telling import tell
from hub.mailboxes.actions import change_labels_later
from hub.notifications.actions import notify
from hub.sqlfiles import load_sql

_SQL = load_sql("mail")


async def mark_read(tx: Tx, thread_id: UUID, is_read: bool) -> str:
    """Note that a thread was read, or that its newest message that came is unread again; its JSON. Raises NotFound.

    The provider is told where the mailbox's owner wants that.
    """
    thread = await get_thread(tx, thread_id)
    only_id = None if is_read else await tx.fetchval(_SQL["newest_inbound"], thread_id=thread_id)
    if not is_read and only_id is None:
        return str(thread["json"])
    rows = await tx.fetch(_SQL["mark_messages"], thread_id=thread_id, is_read=is_read, only_id=only_id)
    if not rows:
        return str(thread["json"])
    for row in rows:
        if row["provider_id"]:
            add, remove = ([], ["unread"]) if is_read else (["unread"], [])
            await change_labels_later(
                tx, row["mailbox_id"], row["provider_id"], row["provider_thread_id"], add=add, remove=remove
            )
    await tx.execute(_SQL["settle_thread"], id=thread_id, participants=None, contact_id=None, opens=False)
    return await tell(tx, thread_id)


async def set_state(tx: Tx, thread_id: UUID, state: str, until: datetime | None = None) -> str:
    """Finish a thread, put it off until a time, or bring it back; its JSON. Raises NotFound."""
    thread = await get_thread(tx, thread_id)
    if await tx.execute(_SQL["set_thread_state"], id=thread_id, state=state, until=until) == 0:
        return str(thread["json"])
    return await tell(tx, thread_id)


async def snooze(tx: Tx, thread_id: UUID, until: datetime, now: datetime) -> str:
    """Put a thread off until a time after `now` (of the schedules' clock); its JSON. Raises NotFound, Invalid."""
    await get_thread(tx, thread_id)
    return await set_state(tx, thread_id, "snoozed", check_later("until", until, now))


def check_later(field: str, moment: datetime, now: datetime) -> datetime:
    """A time after `now`. Raises Invalid in words."""
    if moment.tzinfo is None:
        raise Invalid.field(field, "Say the time zone, too, as in 2026-01-31T09:00:00Z.")
    if moment > LATEST:
        raise Invalid.field(field, "That is too far away.")
    if moment <= now:
        raise Invalid.field(field, "It should be in the future.")
    return moment.astimezone(UTC)


async def assign(tx: Tx, thread_id: UUID, person_id: UUID | None) -> str:
    """Give a thread to a member, or to nobody; its JSON. Raises NotFound, Invalid for somebody who may not see it."""
    thread = await get_thread(tx, thread_id)
    if person_id is not None and not await tx.fetchval(_SQL["may_be_assigned"], id=thread_id, person_id=person_id):
        raise Invalid.field("user_id", "It should be a member of this company who may see this conversation.")
    if await tx.execute(_SQL["assign_thread"], id=thread_id, assignee_id=person_id) == 0:
        return str(thread["json"])
    text = await tell(tx, thread_id)
    if person_id is not None and person_id != tx.who.user_id:
        title = f"{tx.who.name or 'Somebody'} gave you a conversation"
        await notify(tx, person_id, "mail_assigned", title, "", "mail_thread", thread_id)
    return text


async def begin_writing(tx: Tx, thread_id: UUID) -> str:
    """Say that one is writing an answer, or still is; the thread's JSON. Colleagues see it, and are warned by a Conflict.

    It holds for ten seconds (hub.leases). Raises NotFound, Conflict ("thread_is_claimed" or "contact_is_claimed").
    """
    thread = await get_thread(tx, thread_id)
    writer = _person(tx)
    if thread["contact_id"] is not None:
        await leases.take(tx, thread["contact_id"], writer, "email")
        return str((await get_thread(tx, thread_id))["json"])
    before = str(thread["json"])
    if await tx.fetchval(_SQL["hold_pen"], id=thread_id, lease_s=leases.LEASE_S) is None:
        other = await tx.fetchrow(_SQL["who_writes"], id=thread_id)
        name = other["name"] if other else "Somebody"
        told = {"user": {"id": str(other["id"]), "name": name}} if other else {}
        raise Conflict(f"{name} is writing in this conversation.", code="thread_is_claimed", details=told)
    if '"claimed_by" : null' in before or '"claimed_by":null' in before:
        return await tell(tx, thread_id)
    return str((await get_thread(tx, thread_id))["json"])


async def stop_writing(tx: Tx, thread_id: UUID) -> None:
    """Say that one writes no more. Raises NotFound."""
    thread = await get_thread(tx, thread_id)
    if thread["contact_id"] is not None:
        await leases.release(tx, thread["contact_id"], _person(tx))
    elif await tx.fetchval(_SQL["drop_pen"], id=thread_id) is not None:
        await tell(tx, thread_id)


def _person(tx: Tx) -> UUID:
    if tx.who.user_id is None:
        raise Forbidden("Only a person can write.")
    return tx.who.user_id
