"""Telling people what they should know, and noting what they have read."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import orjson

from hub.db import Database, Tx
from hub.errors import NotFound
from hub.events import only_user
from hub.notifications.events import NotificationCreated, NotificationRead, NotificationsAllRead
from hub.sqlfiles import load_sql

_SQL = load_sql("notifications")


async def notify(
    tx: Tx, user_id: UUID, kind: str, title: str, body: str = "", subject_kind: str | None = None, subject_id: UUID | None = None
) -> UUID:
    """Tell a member something, about a thing if there is one ("task", "call", "contact", ...). Returns the notification's id.

    `kind` is a word in lower case that the console knows how to show, such as task_due.
    """
    row = await tx.fetchrow(
        _SQL["insert_notification"],
        person_id=user_id,
        kind=kind,
        title=title[:300],
        body=body[:2000],
        subject_kind=subject_kind,
        subject_id=subject_id,
    )
    assert row is not None
    notification_id: UUID = row["id"]
    tx.emit(NotificationCreated(notification_id, {"notification": orjson.Fragment(row["json"])}, only_user(user_id)))
    return notification_id


async def notify_managers(
    tx: Tx, kind: str, title: str, body: str = "", subject_kind: str | None = None, subject_id: UUID | None = None
) -> None:
    """Tell every active manager, admin and owner."""
    for row in await tx.fetch(_SQL["active_managers"]):
        await notify(tx, row["user_id"], kind, title, body, subject_kind, subject_id)


async def read_notification(tx: Tx, notification_id: UUID) -> str:
    """Note that somebody has read one of theirs; its JSON. NotFound when it is nobody's or somebody else's."""
    text: str | None = await tx.fetchval(_SQL["read_notification"], id=notification_id)
    assert tx.who.user_id is not None  # a token always names a person
    if text is None:
        raise NotFound("There is no such notification.", code="notification_not_found")
    tx.emit(NotificationRead(notification_id, {"notification": orjson.Fragment(text)}, only_user(tx.who.user_id)))
    return text


async def read_all(tx: Tx) -> int:
    """Note that somebody has read all of theirs; how many that were."""
    assert tx.who.user_id is not None  # a token always names a person
    count = await tx.execute(_SQL["read_all"])
    if count:
        tx.emit(NotificationsAllRead(tx.who.user_id, {"read_at": datetime.now(UTC)}, only_user(tx.who.user_id)))
    return count


async def forget_old(db: Database) -> None:
    """Delete what everybody was told long ago."""
    await db.system_fetch(_SQL["notifications_forget"])
