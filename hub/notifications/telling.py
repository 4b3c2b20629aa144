"""Telling people outside of the console: what is due when, letters that gather what was not read, and pushes to devices.

What is due stands with the notification, in the transaction that made it; a job per person looks for it. So nothing is lost
while nobody is there, nothing is said twice, and what was read in the meantime is not said at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

import asyncpg
import orjson

from hub.db import Tx
from hub.notifications.hours import QuietHours
from hub.notifications.topics import place_of, topic_of
from hub.post.actions import post
from hub.sqlfiles import load_sql

_SQL = load_sql("notifications")
_PUSH = load_sql("push")

TELL = "notifications.tell"
PUSH = "notifications.push"
# The template of the letters that gather what was not read.
GATHERED = "notifications"
# Who is at the console reads it there first.
MAIL_AFTER = timedelta(minutes=3)
# A letter with more than this is no letter; the rest is counted.
IN_A_LETTER = 20
Way = Literal["email", "push"]


@dataclass(frozen=True, slots=True)
class Ways:
    """Where and when a person is told of something; None is not at all."""

    console: bool
    mail_at: datetime | None
    push_at: datetime | None
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class Push:
    """What a push says: the title and no more of what stands in the notification, and where it leads."""

    body: bytes
    topic: str
    is_urgent: bool


async def plan(tx: Tx, person_id: UUID, kind: str) -> Ways:
    """Where a person wants to be told of a kind of thing, and when that may be."""
    topic = topic_of(kind)
    row = await tx.fetchrow(_SQL["wishes_of"], person_id=person_id, topic=topic.name)
    if row is None or not row["is_active"]:
        return Ways(True, None, None)
    said = row["console"] is not None
    console, email, push = (row["console"], row["email"], row["push"]) if said else (True, topic.email, topic.push)
    now = datetime.now(UTC)
    quiet_until = hours_of(row).end(now)
    return Ways(
        console=console,
        mail_at=max(now + MAIL_AFTER, quiet_until or now) if email else None,
        push_at=(quiet_until or now) if push and row["has_devices"] else None,
        is_held=quiet_until is not None,
    )


def hours_of(row: asyncpg.Record) -> QuietHours:
    """The quiet hours in a row, which are null when nothing was said but for the zone, which is the company's then."""
    if row["quiet"] is None:
        return QuietHours(zone=row["zone"])
    return QuietHours(row["quiet"], row["quiet_from"], row["quiet_until"], row["quiet_weekends"], row["zone"])


async def defer_telling(tx: Tx, person_id: UUID, ways: Ways) -> None:
    """Have a job look at what is due then; the first of those of one minute takes it all, and the others find nothing."""
    for way, at in (("email", ways.mail_at), ("push", ways.push_at)):
        if at is None:
            continue
        if way == "push" and not ways.is_held:
            await tx.defer(TELL, {"user_id": person_id, "way": way})
            continue
        await tx.defer(TELL, {"user_id": person_id, "way": way}, run_at=_whole_minute(at))


async def tell(tx: Tx, person_id: UUID, way: Way, public_url: str) -> None:
    """Mail, or push, what is due of a person's. In quiet hours, which may have been set since, it waits for their end."""
    row = await tx.fetchrow(_SQL["hours_of"], person_id=person_id)
    if row is None or not row["is_active"]:
        return
    now = datetime.now(UTC)
    quiet_until = hours_of(row).end(now)
    if quiet_until is not None:
        await tx.defer(TELL, {"user_id": person_id, "way": way}, run_at=_whole_minute(quiet_until))
        return
    if way == "email":
        await _mail(tx, person_id, public_url)
    else:
        await _push(tx, person_id)


def _whole_minute(moment: datetime) -> datetime:
    return (moment + timedelta(minutes=1)).replace(second=0, microsecond=0)


async def _mail(tx: Tx, person_id: UUID, public_url: str) -> None:
    rows = await tx.fetch(_SQL["take_to_mail"], person_id=person_id)
    if not rows:
        return
    reader = await tx.fetchrow(_SQL["reader_of"], person_id=person_id)
    assert reader is not None  # members are never deleted while their company is there
    await post(
        tx,
        to=reader["email"],
        template=GATHERED,
        values={
            "company": reader["company"],
            "items": [{"title": row["title"], "body": row["body"]} for row in rows[:IN_A_LETTER]],
            "count": len(rows),
            "more": max(len(rows) - IN_A_LETTER, 0),
            "link": public_url,
            "settings_link": f"{public_url}/settings/notifications",
        },
    )


async def _push(tx: Tx, person_id: UUID) -> None:
    ids = [row["id"] for row in await tx.fetch(_SQL["take_to_push"], person_id=person_id)]
    if not ids:
        return
    for device in await tx.fetch(_PUSH["devices_of"], person_id=person_id):
        await tx.defer(PUSH, {"device_id": device["id"], "ids": ids[:IN_A_LETTER], "count": len(ids)})


async def write_push(tx: Tx, ids: list[UUID], count: int) -> Push | None:
    """What to push of these notifications; None when they have all been read by now."""
    rows = [row for row in [await tx.fetchrow(_SQL["to_push"], id=each) for each in ids] if row is not None]
    if not rows:
        return None
    first = rows[0]
    said = {"id": first["id"], "title": first["title"], "url": place_of(first["subject_kind"], first["subject_id"])}
    if count > 1 and len(rows) > 1:
        unread = len(rows) + count - len(ids)
        said = {"id": None, "title": f"{unread} things you have not read yet", "url": "/"}
    # A repeated attempt takes the place of the one before (RFC 8030, section 5.4).
    return Push(orjson.dumps(said, default=str), first["id"].hex, any(topic_of(row["kind"]).is_urgent for row in rows))
