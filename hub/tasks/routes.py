"""Task endpoints."""

from __future__ import annotations

import re

from hub.db import Tx
from hub.errors import Invalid
from hub.http.endpoint import Reply, Req, Routes
from hub.tasks import actions, queries
from hub.tasks.models import Task, TaskFilter, TaskIn, TaskPage, TaskPatch

routes = Routes("tasks")


def _tagged(text: str, version: int, status: int = 200) -> Reply:
    return Reply(text, status, {"ETag": f'"{version}"'})


@routes.get("/tasks", query=TaskFilter, returns=TaskPage, allow="tasks:read")
async def list_tasks(tx: Tx, req: Req[TaskFilter, None]) -> Reply:
    """A page of tasks."""
    return Reply(await queries.list_tasks(tx, req.query))


@routes.post("/tasks", body=TaskIn, returns=Task, status=201, allow="tasks:write")
async def create_task(tx: Tx, req: Req[None, TaskIn]) -> Reply:
    """Add a task for oneself, for a colleague, or for whoever takes it."""
    return _tagged(*await actions.add_task(tx, req.body), 201)


@routes.get("/tasks/{id}", returns=Task, allow="tasks:read")
async def get_task(tx: Tx, req: Req[None, None]) -> Reply:
    """One task, with its version as ETag."""
    found = await queries.get_task(tx, req.id())
    if found is None:
        raise actions.missing()
    return _tagged(*found)


@routes.patch("/tasks/{id}", body=TaskPatch, returns=Task, allow="tasks:write", errors=(409, 412))
async def update_task(tx: Tx, req: Req[None, TaskPatch]) -> Reply:
    """Change a task, put it off, hand it over; If-Match guards against overwriting somebody else's change."""
    return _tagged(*await actions.update_task(tx, req.id(), req.body, _if_match(req)))


@routes.delete("/tasks/{id}", status=204, allow="tasks:write")
async def delete_task(tx: Tx, req: Req[None, None]) -> Reply:
    """Take a task away."""
    await actions.delete_task(tx, req.id())
    return Reply()


@routes.post("/tasks/{id}/done", returns=Task, allow="tasks:write")
async def finish_task(tx: Tx, req: Req[None, None]) -> Reply:
    """A task is done."""
    return _tagged(*await actions.finish_task(tx, req.id()))


def _if_match(req: Req[None, TaskPatch]) -> int | None:
    given = req.http.headers.get("If-Match", "*").strip()
    if given == "*":
        return None
    match = re.fullmatch(r'(?:W/)?"?(\d{1,9})"?', given)
    if match is None:
        raise Invalid.field("If-Match", "Send the ETag of the task as it was given, or leave the header out.")
    return int(match.group(1))
