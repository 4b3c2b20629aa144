"""Queue and dial session endpoints."""

from __future__ import annotations

import orjson

from hub.db import Tx
from hub.dialer import actions, queries
from hub.dialer.models import (
    CallbackIn,
    CurrentSession,
    ItemPage,
    ItemQuery,
    ItemsIn,
    JoinIn,
    Progress,
    Queue,
    QueueIn,
    QueuePage,
    QueuePatch,
    QueueQuery,
    Session,
    SessionList,
    SkipIn,
)
from hub.http.endpoint import Reply, Req, Routes

routes = Routes("dialer")


@routes.get("/queues", query=QueueQuery, returns=QueuePage, allow="queues:read")
async def list_queues(tx: Tx, req: Req[QueueQuery, None]) -> Reply:
    """Queues, newest first."""
    return Reply(await queries.list_queues(tx, req.query))


@routes.post("/queues", body=QueueIn, returns=Queue, status=201, allow="queues:write", errors=(409,))
async def create_queue(tx: Tx, req: Req[None, QueueIn]) -> Reply:
    """Make a queue from a saved filter, a list of contacts, or empty; a filter is filled in by a worker."""
    queue_id, text = await actions.create_queue(tx, req.body)
    return Reply(text, 201, {"Location": f"/api/v1/queues/{queue_id}"})


@routes.get("/queues/{id}", returns=Queue, allow="queues:read")
async def get_queue(tx: Tx, req: Req[None, None]) -> Reply:
    """One queue."""
    return Reply(await actions.read_queue(tx, req.id()))


@routes.patch("/queues/{id}", body=QueuePatch, returns=Queue, allow="queues:write", errors=(403,))
async def update_queue(tx: Tx, req: Req[None, QueuePatch]) -> Reply:
    """Change a queue's settings; sessions under way take them with their next contact."""
    return Reply(await actions.update_queue(tx, req.id(), req.body))


@routes.delete("/queues/{id}", status=204, allow="queues:write", errors=(403, 409))
async def delete_queue(tx: Tx, req: Req[None, None]) -> Reply:
    """Take a queue away. Not while somebody is on the telephone from it."""
    await actions.delete_queue(tx, req.id())
    return Reply()


@routes.get("/queues/{id}/items", query=ItemQuery, returns=ItemPage, allow="queues:read")
async def list_queue_items(tx: Tx, req: Req[ItemQuery, None]) -> Reply:
    """A page of a queue's contacts with what became of them, in the order they were added."""
    await actions.read_queue(tx, req.id())
    return Reply(await queries.list_items(tx, req.id(), req.query))


@routes.post("/queues/{id}/items", body=ItemsIn, returns=Queue, allow="queues:write", errors=(403, 409))
async def add_queue_items(tx: Tx, req: Req[None, ItemsIn]) -> Reply:
    """Add contacts to a queue; those who are in it stay as they are."""
    return Reply(await actions.add_items(tx, req.id(), req.body.contact_ids))


@routes.post("/queues/{id}/start", returns=Queue, allow="queues:write", errors=(403,))
async def start_queue(tx: Tx, req: Req[None, None]) -> Reply:
    """Let reps work a queue."""
    return Reply(await actions.set_state(tx, req.id(), "running"))


@routes.post("/queues/{id}/pause", returns=Queue, allow="queues:write", errors=(403,))
async def pause_queue(tx: Tx, req: Req[None, None]) -> Reply:
    """Stop a queue; calls under way go on, and nobody is called after them."""
    return Reply(await actions.set_state(tx, req.id(), "paused"))


@routes.get("/queues/{id}/progress", returns=Progress, allow="queues:read")
async def queue_progress(tx: Tx, req: Req[None, None]) -> Reply:
    """How a queue stands: counted now, with outcomes, reasons for skips, the abandonment cap, and who works in it."""
    queue = orjson.loads(await actions.read_queue(tx, req.id()))
    return Reply(await queries.progress(tx, req.id(), queue["lines"]))


@routes.post("/queues/{id}/sessions", body=JoinIn, returns=Session, status=201, allow="calls:write", errors=(403, 409))
async def join_queue(tx: Tx, req: Req[None, JoinIn]) -> Reply:
    """Begin to work in a queue. The first contact is prepared at once; `dial` calls them."""
    return Reply(await actions.join(tx, req.id(), req.body.lines), 201)


@routes.get("/dial-sessions", returns=SessionList, allow="queues:read")
async def list_dial_sessions(tx: Tx, req: Req[None, None]) -> Reply:
    """The sessions that are under way."""
    return Reply(await queries.list_sessions(tx))


@routes.get("/dial-sessions/current", returns=CurrentSession, allow="queues:read")
async def current_dial_session(tx: Tx, req: Req[None, None]) -> Reply:
    """One's own session, or null."""
    return Reply('{"session":' + (await queries.current_session(tx) or "null") + "}")


@routes.get("/dial-sessions/{id}", returns=Session, allow="queues:read")
async def get_dial_session(tx: Tx, req: Req[None, None]) -> Reply:
    """One session."""
    return Reply(await actions.read_session(tx, req.id()))


@routes.post("/dial-sessions/{id}/dial", returns=Session, allow="calls:write", errors=(403, 409))
async def dial(tx: Tx, req: Req[None, None]) -> Reply:
    """Call the prepared contact now; ends a wrap-up. The next ones are called by themselves after a countdown."""
    return Reply(await actions.dial(tx, req.id()))


@routes.post("/dial-sessions/{id}/skip", body=SkipIn, returns=Session, allow="calls:write", errors=(403, 409))
async def skip(tx: Tx, req: Req[None, SkipIn]) -> Reply:
    """Do not call the prepared contact, and why; the next one is prepared."""
    return Reply(await actions.skip(tx, req.id(), req.body.reason))


@routes.post("/dial-sessions/{id}/callback", body=CallbackIn, returns=Session, allow="calls:write", errors=(403, 409))
async def call_back(tx: Tx, req: Req[None, CallbackIn]) -> Reply:
    """Call somebody at a time: who is on the telephone or written up, else the prepared contact."""
    return Reply(await actions.call_back(tx, req.id(), req.body.at))


@routes.post("/dial-sessions/{id}/pause", returns=Session, allow="calls:write", errors=(403, 409))
async def pause_dial_session(tx: Tx, req: Req[None, None]) -> Reply:
    """Pause: the countdown stops and the prepared contact goes back. During a call or a wrap-up, after it."""
    return Reply(await actions.pause(tx, req.id()))


@routes.post("/dial-sessions/{id}/resume", returns=Session, allow="calls:write", errors=(403, 409))
async def resume_dial_session(tx: Tx, req: Req[None, None]) -> Reply:
    """Go on after a pause."""
    return Reply(await actions.resume(tx, req.id()))


@routes.post("/dial-sessions/{id}/leave", returns=Session, allow="calls:write", errors=(403,))
async def leave_dial_session(tx: Tx, req: Req[None, None]) -> Reply:
    """End the session; during a call, after it."""
    return Reply(await actions.leave(tx, req.id()))
