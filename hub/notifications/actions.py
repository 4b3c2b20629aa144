"""Telling people what they should know, and noting what they have read."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from uuid import UUID

import orjson

from hub.db import Database, Tx
from hub.errors import Invalid, NotFound
from hub.events import only_user
from hub.notifications.events import (
    NotificationCreated,
    NotificationRead,
    NotificationsAllRead,
    NotificationSettingsChanged,
)
from hub.notifications.hours import zone_named
from hub.notifications.models import Hours, NotificationSettings, NotificationSettingsIn, TopicChoice
from hub.notifications.telling import defer_telling, hours_of, plan
from hub.notifications.topics import BY_NAME, TOPICS
from hub.sqlfiles import load_sql

_SQL = load_sql("notifications")
_PUSH = load_sql("push")


async def notify(
    tx: Tx, user_id: UUID, kind: str, title: str, body: str = "", subject_kind: str | None = None, subject_id: UUID | None = None
) -> UUID | None:
    """Tell a member something, about a thing if there is one ("task", "call", "contact", ...). Returns the notification's id, or
    None where visibility hides that thing from them.

    `kind` is a word in lower case that hub.notifications.topics knows, such as task_due. The person is told where they want to
    be: in the console at once, on their devices at once and by mail if they have not read it some minutes later, both not in
    their quiet hours.
    """
    ways = await plan(tx, user_id, kind)
    row = await tx.fetchrow(
        _SQL["insert_notification"],
        person_id=user_id,
        kind=kind,
        title=title[:300],
        body=body[:2000],
        subject_kind=subject_kind,
        subject_id=subject_id,
        in_console=ways.console,
        mail_due_at=ways.mail_at,
        push_due_at=ways.push_at,
    )
    if row is None:
        return None
    notification_id: UUID = row["id"]
    await defer_telling(tx, user_id, ways)
    if ways.console:
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


async def read_settings(tx: Tx) -> NotificationSettings:
    """Where one wants to be told what, and when not; what one said nothing of is as it is for everybody."""
    said = {row["topic"]: row for row in await tx.fetch(_SQL["choices_of"])}
    topics = []
    for topic in TOPICS:
        row = said.get(topic.name)
        places = (row["console"], row["email"], row["push"]) if row else (True, topic.email, topic.push)
        topics.append(
            TopicChoice(name=topic.name, label=topic.label, hint=topic.hint, console=places[0], email=places[1], push=places[2])
        )
    hours = await tx.fetchrow(_SQL["hours_of"], person_id=tx.who.user_id)
    assert hours is not None  # a token always names a member
    return NotificationSettings(topics=topics, hours=Hours(**asdict(hours_of(hours))))


async def change_settings(tx: Tx, given: NotificationSettingsIn) -> NotificationSettings:
    """Set where one wants to be told, and when not; what one has now. Raises Invalid for an unknown topic or time zone."""
    assert tx.who.user_id is not None
    for name, places in given.topics.items():
        if name not in BY_NAME:
            raise Invalid.field("topics", f"There is no topic called {name[:60]}. There are {', '.join(BY_NAME)}.")
        await tx.execute(_SQL["choose"], topic=name, console=places.console, email=places.email, push=places.push)
    if given.hours is not None:
        if zone_named(given.hours.zone) is None:
            raise Invalid.field("hours", f"{given.hours.zone} is no time zone. It should be one such as Europe/Berlin.")
        await tx.execute(_SQL["set_hours"], **given.hours.model_dump())
    tx.emit(NotificationSettingsChanged(tx.who.user_id, {"what": "choices"}, only_user(tx.who.user_id)))
    return await read_settings(tx)


async def forget_person(tx: Tx, person_id: UUID) -> None:
    """Delete what an erased person said of where they want to be told, and their devices."""
    await tx.execute(_SQL["forget_choices"], person_id=person_id)
    await tx.execute(_SQL["forget_hours"], person_id=person_id)
    await tx.execute(_PUSH["drop_all_of"], person_id=person_id)


async def forget_old(db: Database) -> None:
    """Delete what everybody was told long ago."""
    await db.system_fetch(_SQL["notifications_forget"])
