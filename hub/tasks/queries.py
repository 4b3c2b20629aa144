"""The statements of tasks, typed."""

from __future__ import annotations

from uuid import UUID

from hub.db import Database, Tx
from hub.errors import Invalid
from hub.http.paging import page, read_cursor
from hub.sqlfiles import load_sql
from hub.tasks.models import TaskFilter

_SQL = load_sql("tasks")


async def list_tasks(tx: Tx, asked: TaskFilter) -> str:
    """A page of tasks as JSON. Raises Invalid when what is done is asked for by when it was due."""
    by_done = asked.open is False
    if by_done and asked.due_before is not None:
        raise Invalid.field("due_before", "What is done is no longer due. Leave this out, or ask for open tasks.")
    sort = "-done_at" if by_done else "due_at"
    after = read_cursor(asked.cursor, sort)
    rows = await tx.fetch(
        _SQL["list_tasks"],
        limit=asked.limit + 1,
        open=asked.open is True,
        assignee_id=asked.assignee_id,
        contact_id=asked.contact_id,
        due_before=asked.due_before,
        sort_done_at=by_done,
        sort_due_at=not by_done,
        after_done_at=after.moment() if after and by_done else None,
        after_due_at=after.moment() if after and not by_done else None,
        after_id=after.id if after else None,
    )
    return page(rows, asked.limit, sort)


async def get_task(tx: Tx, task_id: UUID) -> tuple[str, int] | None:
    """A task as JSON, and its version."""
    row = await tx.fetchrow(_SQL["get_task"], id=task_id)
    return (row["json"], row["version"]) if row else None


async def is_active_member(tx: Tx, user_id: UUID) -> bool:
    """Whether tasks may be given to this person."""
    return bool(await tx.fetchval(_SQL["is_active_member"], person_id=user_id))


async def list_untold(db: Database, limit: int) -> list[tuple[UUID, UUID]]:
    """(tenant, task) of what has become due, in any company, without its assignee having been told."""
    return [(row["tenant_id"], row["id"]) for row in await db.system_fetch(_SQL["tasks_untold"], limit=limit)]
