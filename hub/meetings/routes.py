"""Meeting endpoints."""

from __future__ import annotations

import re

from hub.clock import Clock
from hub.config import Settings
from hub.contacts.actions import missing as contact_missing
from hub.contacts.queries import contact_exists
from hub.db import Tx
from hub.errors import Invalid
from hub.http.endpoint import Reply, Req, Routes
from hub.meetings import actions, queries
from hub.meetings.models import Meeting, MeetingAnswerIn, MeetingFilter, MeetingIn, MeetingMove, MeetingPage


def meeting_routes(settings: Settings) -> Routes:
    """The meeting endpoints, by this server's clock."""
    routes = Routes("meetings")
    clock = Clock.parse(settings.clock)

    @routes.get("/contacts/{id}/meetings", query=MeetingFilter, returns=MeetingPage, allow="meetings:read")
    async def list_meetings(tx: Tx, req: Req[MeetingFilter, None]) -> Reply:
        """The meetings with a contact, the one that begins last first."""
        if not await contact_exists(tx, req.id()):
            raise contact_missing()
        return Reply(await queries.list_meetings(tx, req.id(), req.query, clock.now()))

    @routes.post("/contacts/{id}/meetings", body=MeetingIn, returns=Meeting, status=201, allow="meetings:write", errors=(403,))
    async def plan_meeting(tx: Tx, req: Req[None, MeetingIn]) -> Reply:
        """Invite a contact to a meeting: the invitation goes out by mail."""
        return _tagged(*await actions.plan_meeting(tx, req.id(), req.body, clock.now()), 201)

    @routes.get("/meetings/{id}", returns=Meeting, allow="meetings:read")
    async def get_meeting(tx: Tx, req: Req[None, None]) -> Reply:
        """One meeting, with its version as ETag."""
        found = await queries.get_meeting(tx, req.id())
        if found is None:
            raise actions.missing()
        return _tagged(*found)

    @routes.patch("/meetings/{id}", body=MeetingMove, returns=Meeting, allow="meetings:write", errors=(409, 412))
    async def move_meeting(tx: Tx, req: Req[None, MeetingMove]) -> Reply:
        """Move a meeting that we invited to; If-Match guards against overwriting somebody else's change."""
        return _tagged(*await actions.move_meeting(tx, req.id(), req.body, _if_match(req), clock.now()))

    @routes.delete("/meetings/{id}", returns=Meeting, allow="meetings:write", errors=(409,))
    async def cancel_meeting(tx: Tx, req: Req[None, None]) -> Reply:
        """Call a meeting off that we invited to; the invited are told by mail."""
        return _tagged(*await actions.cancel_meeting(tx, req.id()))

    @routes.post("/meetings/{id}/answer", body=MeetingAnswerIn, returns=Meeting, allow="meetings:write", errors=(409,))
    async def answer_meeting(tx: Tx, req: Req[None, MeetingAnswerIn]) -> Reply:
        """Accept or decline a meeting that they invited to; the answer goes out by mail."""
        return _tagged(*await actions.answer_meeting(tx, req.id(), req.body.answer))

    return routes


def _tagged(text: str, version: int, status: int = 200) -> Reply:
    return Reply(text, status, {"ETag": f'"{version}"'})


def _if_match(req: Req[None, MeetingMove]) -> int | None:
    given = req.http.headers.get("If-Match", "*").strip()
    if given == "*":
        return None
    match = re.fullmatch(r'(?:W/)?"?(\d{1,9})"?', given)
    if match is None:
        raise Invalid.field("If-Match", "Send the ETag of the meeting as it was given, or leave the header out.")
    return int(match.group(1))
