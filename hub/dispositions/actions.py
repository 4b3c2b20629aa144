"""The rules of dispositions: which there are, and what follows by itself when a call gets one."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson

from hub.contacts.actions import update_contact
from hub.contacts.models import ContactPatch
from hub.db import Tx
from hub.dispositions import queries
from hub.dispositions.events import DispositionArchived, DispositionCreated, DispositionUpdated
from hub.dispositions.models import DispositionIn, DispositionPatch
from hub.errors import Conflict, Invalid, NotFound
from hub.permits.actions import suppress
from hub.sqlfiles import load_sql
from hub.tasks import actions as tasks

_SQL = load_sql("dispositions")

MOST = 50
# A callback without a time is for tomorrow; clocks of browsers may be this much behind ours.
_DEFAULT_CALLBACK = timedelta(days=1)
_LATEST_CALLBACK = timedelta(days=366)
_CLOCK_SLACK = timedelta(minutes=2)


def missing() -> NotFound:
    """The answer for a disposition that is not there."""
    return NotFound("There is no such disposition.", code="disposition_not_found")


async def check(tx: Tx, value: str) -> None:
    """Raise Invalid, with the list of what is right, unless a call may get this disposition."""
    known = await queries.active(tx)
    if value not in known:
        listed = ", ".join(known)
        raise Invalid.field("disposition", f"There is no disposition {value[:60]!r}. There are: {listed}.")


async def create_disposition(tx: Tx, given: DispositionIn) -> str:
    """Add a disposition and return its JSON. Raises Conflict when its value, label or key is taken."""
    held = await tx.fetch(_SQL["hold_dispositions"])
    if sum(row["archived_at"] is None for row in held) >= MOST:
        raise Conflict(f"There are {MOST} dispositions already. Archive one first.", code="too_many_dispositions")
    taken = {row["value"] for row in held}
    value = given.value or _unused(_slug(given.label), taken)
    if value in taken:
        raise Conflict(f"There is a disposition {value!r} already; it may be archived.", code="disposition_exists")
    _check_whole(given.follow_up, given.stage, given.retry_after_s, given.retry_limit)
    fields = given.model_dump()
    fields["value"] = value
    fields["position"] = given.position or max((row["position"] for row in held), default=0) + 1
    await tx.execute(_SQL["insert_disposition"], **fields)
    text = await _read(tx, value)
    tx.emit(DispositionCreated(None, {"disposition": orjson.Fragment(text)}))
    return text


async def update_disposition(tx: Tx, value: str, given: DispositionPatch) -> str:
    """Change a disposition and return its JSON. A follow-up other than "stage" forgets the stage.

    Raises NotFound; Conflict when its label or key is taken, or the last one would be archived.
    """
    held = {row["value"]: row for row in await tx.fetch(_SQL["hold_dispositions"])}
    before = held.get(value)
    if before is None:
        raise missing()
    fields = {name: getattr(given, name) for name in given.model_fields_set}
    if fields.get("follow_up", "stage") != "stage":
        fields.setdefault("stage", None)
    after = dict(before) | fields
    _check_whole(after["follow_up"], after["stage"], after["retry_after_s"], after["retry_limit"])
    was_archived = before["archived_at"] is not None
    archived = fields.get("archived", was_archived)
    if archived and not was_archived and sum(row["archived_at"] is None for row in held.values()) == 1:
        raise Conflict("This is the last disposition. Add another one first.", code="last_disposition")
    if archived and fields.get("key"):
        raise Invalid.field("key", "An archived disposition has no key.")
    await tx.execute(_SQL["update_disposition"], value=value, **fields, **{f"set_{name}": True for name in fields})
    text = await _read(tx, value)
    event = DispositionArchived if archived and not was_archived else DispositionUpdated
    tx.emit(event(None, {"disposition": orjson.Fragment(text)}))
    return text


async def archive_disposition(tx: Tx, value: str) -> None:
    """Offer a disposition no longer; calls that have it keep it. One that is archived stays so."""
    held = await queries.get_disposition(tx, value)
    if held is None:
        raise missing()
    if orjson.loads(held)["archived_at"] is None:
        await update_disposition(tx, value, DispositionPatch(archived=True))


async def follow_up(tx: Tx, call_id: UUID, value: str, callback_at: datetime | None = None) -> None:
    """Do what follows a call: a callback task for its rep, no more calls to its number, a new stage of its contact.

    With `callback_at` there is a callback whatever the disposition. May be repeated, and corrected by another disposition.
    Raises Invalid for a time that is no time to call back.
    """
    found = await queries.get_follow_up(tx, call_id, value)
    if found is None:
        return
    now = datetime.now(UTC)
    if callback_at is not None and not now - _CLOCK_SLACK <= callback_at <= now + _LATEST_CALLBACK:
        raise Invalid.field("callback_at", "Choose a time within the next year.")
    if callback_at is not None or found["follow_up"] == "callback":
        await tasks.create_task(
            tx,
            kind="callback",
            title=f"Call {found['contact_name']} back",
            contact_id=found["contact_id"],
            assignee_id=found["user_id"] or tx.who.user_id,
            due_at=callback_at or now + _DEFAULT_CALLBACK,
            call_id=call_id,
        )
    else:
        await tasks.withdraw(tx, call_id, "callback")
    # A caller may have hidden their number; there is nothing to call then.
    if found["follow_up"] == "do_not_call" and found["number"].startswith("+"):
        await suppress(tx, "phone", found["number"], f"A call ended as {found['label']!r}.", "disposition")
    if found["follow_up"] == "stage" and found["stage"] != found["stage_now"] and found["deleted_at"] is None:
        await update_contact(tx, found["contact_id"], ContactPatch(stage=found["stage"]), None)


async def _read(tx: Tx, value: str) -> str:
    text = await queries.get_disposition(tx, value)
    if text is None:
        raise missing()
    return text


def _check_whole(follow_up: str, stage: str | None, retry_after_s: int | None, retry_limit: int | None) -> None:
    if follow_up == "stage" and not stage:
        raise Invalid.field("stage", "Name the stage that the contact moves to.")
    if follow_up != "stage" and stage:
        raise Invalid.field("stage", "A stage goes with the follow-up 'stage' only.")
    if (retry_after_s is None) != (retry_limit is None):
        missing_one = "retry_limit" if retry_limit is None else "retry_after_s"
        raise Invalid.field(missing_one, "Say after how long to try again and how often, or neither.")


def _slug(label: str) -> str:
    """A value for a label: its letters and digits, in lower case, with underscores between the words."""
    return re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")[:36].rstrip("_") or "disposition"


def _unused(value: str, taken: set[str]) -> str:
    return next(name for name in (value, *(f"{value}_{n}" for n in range(2, 1000))) if name not in taken)
