"""What ends or holds up a contact's enrolments: an answer, a bounce, an unsubscription, a meeting, an absence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from uuid import UUID

from hub.db import Tx
from hub.sequences import moving
from hub.sequences.hours import HORIZON_DAYS, Hours, at_wall, moment_of, seconds
from hub.sequences.rules import load_rules, quiet_days
from hub.sqlfiles import load_sql

_SQL = load_sql("enrolments")

Why = Literal["reply", "bounce", "unsubscribe", "meeting", "colleague_contact", "stage"]

_MARKED = frozenset({"reply", "bounce", "unsubscribe"})
# The pauses that a new absence may make longer; a person's own are theirs.
_ABSENT = "out_of_office"


async def stop_for(
    tx: Tx,
    contact_ids: Sequence[UUID],
    why: Why,
    *,
    words: str,
    send_id: UUID | None = None,
    except_user: UUID | None = None,
    now: datetime | None = None,
    by: Literal["email", "sms"] = "email",
) -> list[UUID]:
    """Stop the live enrolments of these contacts whose sequence stops on `why`, or has it for a goal; the ids of those stopped.

    In the same transaction planned steps are given up and mail that is not sent yet is taken back. `send_id` is the mail that
    was answered, or came back; without it, it is the last one of the kind `by`. `except_user` is spared (who wrote themselves is
    no colleague). `words` say why, for people.
    """
    at = now or datetime.now(UTC)
    if send_id is not None and why in _MARKED:
        await tx.execute(_SQL["mark_send"], send_id=send_id, **{why: True})
    rows = await tx.fetch(_SQL["live_of_contacts"], contact_ids=list(contact_ids))
    if not rows:
        return []
    rules = await load_rules(tx, {row["sequence_id"] for row in rows})
    stages = {row["id"]: row["stage"] for row in await tx.fetch(_SQL["stage_of"], ids=list(contact_ids))}
    stopped: list[UUID] = []
    for row in rows:
        of = rules.get(row["sequence_id"])
        stage = stages.get(row["contact_id"], "")
        if of is None or (except_user is not None and row["user_id"] == except_user):
            continue
        if why in _MARKED and send_id is None:
            await tx.execute(_SQL["mark_last"], enrolment_id=row["id"], kind=by, **{why: True})
        if of.stops_on(why, stage):
            await moving.end(tx, [row], "stopped", why, words, at, reached_goal=of.reaches_goal(why, stage))
            stopped.append(row["id"])
    return stopped


async def pause_for(tx: Tx, contact_ids: Sequence[UUID], until: date, words: str) -> list[UUID]:
    """Hold these contacts' enrolments up until the business day after `until`, where their own clock counts; their ids.

    A pause that a person asked for stays as it is; one for an absence may become longer.
    """
    rows = await tx.fetch(_SQL["live_of_contacts"], contact_ids=list(contact_ids))
    rules = await load_rules(tx, {row["sequence_id"] for row in rows})
    quiet = await quiet_days(tx) if rows else {}
    held: list[UUID] = []
    for row in rows:
        of = rules.get(row["sequence_id"])
        if of is None or (row["state"] == "paused" and row["reason"] != _ABSENT):
            continue
        since = seconds(datetime(until.year, until.month, until.day, tzinfo=UTC))
        hours = Hours(of.schedule, of.schedule.zone_of(row["zone"]), quiet, since)
        resume_at = moment_of(_morning_after(hours, until))
        if row["resume_at"] is not None and row["resume_at"] >= resume_at:
            continue
        await moving.hold(tx, row, _ABSENT, words, resume_at)
        held.append(row["id"])
    await moving.announce(tx, held)
    return held


def _morning_after(hours: Hours, until: date) -> int:
    day = until + timedelta(days=1)
    for _ in range(HORIZON_DAYS):
        if hours.closed_day(day) is None:
            break
        day += timedelta(days=1)
    return at_wall(hours.zone, day, 0)
