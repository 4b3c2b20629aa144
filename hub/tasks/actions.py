"""The rules of tasks."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import orjson

from hub.activities.actions import add_activity
from hub.contacts.queries import contact_exists
from hub.db import Database, Tx, tenant_tx
from hub.errors import Forbidden, Invalid, NotFound, PreconditionFailed
from hub.events import Event
from hub.notifications.actions import notify
from hub.sqlfiles import load_sql
from hub.tasks import queries
from hub.tasks.events import TaskCreated, TaskDeleted, TaskDone, TaskUpdated
from hub.tasks.models import TaskIn, TaskKind, TaskPatch
from hub.who import Who

_SQL = load_sql("tasks")
_TELL_AT_ONCE = 200


def missing() -> NotFound:
    """The answer for a task that is not there, or not this tenant's."""
    return NotFound("There is no such task.", code="task_not_found")


async def create_task(
    tx: Tx,
    *,
    kind: TaskKind,
    title: str,
    contact_id: UUID | None,
    assignee_id: UUID | None,
    due_at: datetime,
    call_id: UUID | None = None,
) -> UUID:
    """Add a task and return its id. A call has one open task of a kind: another one for it changes that one.

    The assignee is told when it becomes due. Who adds one that is due already tells them (hub.notifications), if need be.
    """
    row = await tx.fetchrow(
        _SQL["insert_task"],
        kind=kind,
        title=title[:300],
        contact_id=contact_id,
        assignee_id=assignee_id,
        due_at=due_at,
        call_id=call_id,
    )
    assert row is not None
    await _emit(tx, TaskCreated if row["is_new"] else TaskUpdated, row["id"])
    task_id: UUID = row["id"]
    return task_id


async def add_task(tx: Tx, given: TaskIn) -> tuple[str, int]:
    """Add a task as a person asked for it; an assignee other than themselves is told. Returns its JSON and version.

    Raises Invalid for a contact or an assignee there is not.
    """
    assignee = given.assignee_id if "assignee_id" in given.model_fields_set else tx.who.user_id
    await _check_assignee(tx, assignee)
    if given.contact_id is not None and not await contact_exists(tx, given.contact_id):
        raise Invalid.field("contact_id", "There is no such contact.")
    task_id = await create_task(
        tx,
        kind=given.kind,
        title=given.title,
        contact_id=given.contact_id,
        assignee_id=assignee,
        due_at=given.due_at or datetime.now(UTC),
    )
    await _tell_of_handing_over(tx, task_id, given.title, assignee)
    return await _read(tx, task_id)


async def update_task(tx: Tx, task_id: UUID, given: TaskPatch, version: int | None) -> tuple[str, int]:
    """Change a task and return its JSON and version. `version` is what the caller last saw.

    Raises NotFound, Forbidden for a colleague's task, PreconditionFailed when somebody else was quicker.
    """
    task = await _lock(tx, task_id)
    if version is not None and version != task["version"]:
        raise PreconditionFailed("Somebody changed this task since you opened it. Look at it again, then save.")
    fields = {name: getattr(given, name) for name in given.model_fields_set - {"done"}}
    if "assignee_id" in fields:
        await _check_assignee(tx, fields["assignee_id"])
    if fields:
        await tx.execute(_SQL["update_task"], id=task_id, **fields, **{f"set_{name}": True for name in fields})
    if given.done is False and task["done_at"] is not None:
        await tx.execute(_SQL["reopen_task"], id=task_id)
    if fields or given.done is False:
        await _emit(tx, TaskUpdated, task_id)
    if "assignee_id" in fields and fields["assignee_id"] != task["assignee_id"]:
        await _tell_of_handing_over(tx, task_id, given.title or task["title"], fields["assignee_id"])
    if given.done:
        await _finish(tx, task)
    return await _read(tx, task_id)


async def finish_task(tx: Tx, task_id: UUID) -> tuple[str, int]:
    """A task is done; one that was done stays as it is. Returns its JSON and version."""
    await _finish(tx, await _lock(tx, task_id))
    return await _read(tx, task_id)


async def delete_task(tx: Tx, task_id: UUID) -> None:
    """Take a task away."""
    await _lock(tx, task_id)
    await _delete(tx, task_id)


async def withdraw(tx: Tx, call_id: UUID, kind: TaskKind) -> None:
    """Take away the open task of a kind that a call asked for, if there is one."""
    task_id = await tx.fetchval(_SQL["open_task_of_call"], call_id=call_id, kind=kind)
    if task_id is not None:
        await _delete(tx, task_id)


async def tell_of_due_tasks(db: Database) -> int:
    """Tell the assignees of what has become due, once, in every company. Returns how many tasks that were."""
    told = 0
    for tenant_id, task_id in await queries.list_untold(db, _TELL_AT_ONCE):
        async with tenant_tx(db, Who.system(tenant_id)) as tx:
            told += await _tell_due(tx, task_id)
    return told


async def _tell_due(tx: Tx, task_id: UUID) -> bool:
    row = await tx.fetchrow(_SQL["tell_task"], id=task_id)
    if row is None:
        return False
    if row["assignee_id"] is not None:
        await notify(tx, row["assignee_id"], "task_due", row["title"], "It is due now.", "task", task_id)
    return True


async def _tell_of_handing_over(tx: Tx, task_id: UUID, title: str, assignee_id: UUID | None) -> None:
    if assignee_id is not None and assignee_id != tx.who.user_id:
        by = tx.who.name or "Ringside"
        await notify(tx, assignee_id, "task_assigned", title, f"{by} gave you this task.", "task", task_id)


async def _finish(tx: Tx, task: asyncpg.Record) -> None:
    if task["done_at"] is not None:
        return
    await tx.execute(_SQL["finish_task"], id=task["id"])
    await _emit(tx, TaskDone, task["id"])
    if task["contact_id"] is not None:
        await add_activity(tx, task["contact_id"], "task", body=task["title"])


async def _delete(tx: Tx, task_id: UUID) -> None:
    await _emit(tx, TaskDeleted, task_id)
    await tx.execute(_SQL["delete_task"], id=task_id)


async def _lock(tx: Tx, task_id: UUID) -> asyncpg.Record:
    task = await tx.fetchrow(_SQL["lock_task"], id=task_id)
    if task is None:
        raise missing()
    mine = task["assignee_id"] in (None, tx.who.user_id) or task["created_by"] == tx.who.user_id
    if not mine and not tx.who.is_manager:
        raise Forbidden("This is a colleague's task; a manager can do this.")
    return task


async def _check_assignee(tx: Tx, user_id: UUID | None) -> None:
    if user_id is not None and not await queries.is_active_member(tx, user_id):
        raise Invalid.field("assignee_id", "Tasks are for active members of this company.")


async def _read(tx: Tx, task_id: UUID) -> tuple[str, int]:
    found = await queries.get_task(tx, task_id)
    if found is None:
        raise missing()
    return found


async def _emit(tx: Tx, event: type[Event], task_id: UUID) -> None:
    text, _ = await _read(tx, task_id)
    tx.emit(event(task_id, {"task": orjson.Fragment(text)}))
