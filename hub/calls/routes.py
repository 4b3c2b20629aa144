"""Call endpoints."""

from __future__ import annotations

from hub.calls import actions, reading
from hub.calls.models import (
    AuditPage,
    Call,
    CallFilter,
    CallIn,
    CallPage,
    DigitsIn,
    DispositionIn,
    HoldIn,
    ListenerPage,
    NoteIn,
    ParticipantIn,
    SuperviseIn,
    TransferIn,
)
from hub.config import Settings
from hub.db import Tx
from hub.errors import Conflict, Forbidden, Invalid, Unavailable
from hub.http.endpoint import Reply, Req, Routes
from hub.http.paging import PageQuery, page, read_cursor
from hub.lines import actions as lines
from hub.lines.kinds import way_to
from hub.numbers import actions as numbers
from hub.permits import actions as permits
from hub.permits.replies import refused
from hub.sqlfiles import load_sql
from hub.who import Who

_SQL = load_sql("calls")
_CORE = load_sql("core")


async def _check_way(tx: Tx, settings: Settings, who: Who) -> None:
    """Refuse to let a contact's telephone ring for a rep whom nothing can reach."""
    assert who.user_id is not None
    choice = await lines.choice_of(tx, who.user_id)
    if way_to(settings, who.tenant_id, who.user_id, choice.kind, choice.phone) is None:
        raise Conflict(
            "Choose first how you want to talk: no softphone is set up here, and there is no number to ring you at.",
            code="no_line_chosen",
        )


def call_routes(settings: Settings) -> Routes:
    """The call endpoints, bound to this server's telephone account."""
    routes = Routes("calls")

    @routes.get("/calls", query=CallFilter, returns=CallPage, allow="calls:read")
    async def list_calls(tx: Tx, req: Req[CallFilter, None]) -> Reply:
        """Calls, newest first."""
        asked = req.query
        after = read_cursor(asked.cursor, "-started_at")
        if asked.connected is not None and asked.since is None:
            raise Invalid.field("since", "Say since when, to see the calls that were connected or not.")
        if asked.state or asked.outcome or asked.disposition or asked.connected is not None:
            await tx.execute(_CORE["plan_for_these_values"])
        rows = await tx.fetch(
            _SQL["list_calls"],
            limit=asked.limit + 1,
            contact_id=asked.contact_id,
            queue_id=asked.queue_id,
            of_user=asked.user_id,
            states=asked.state,
            since=asked.since,
            outcome=asked.outcome,
            disposition=asked.disposition,
            connected=asked.connected is True,
            unconnected=asked.connected is False,
            after=after.moment() if after else None,
            after_id=after.id if after else None,
        )
        return Reply(page(rows, asked.limit, "-started_at"))

    @routes.post("/calls", body=CallIn, returns=Call, status=201, allow="calls:write", errors=(403, 404, 409, 503))
    async def place_call(tx: Tx, req: Req[None, CallIn]) -> Reply:
        """Call a contact."""
        if settings.twilio is None:
            raise Unavailable("No telephone account is set up. Set TWILIO_ACCOUNT_SID and its companions.", retry_after_s=60)
        asked, default = req.body, settings.twilio.from_number
        await _check_way(tx, settings, req.who)
        number = await actions.number_to_call(tx, asked.contact_id, asked.phone)
        reason = asked.override.reason if asked.override else None
        permit = await permits.decide(tx, asked.contact_id, "call", number, user_id=req.who.user_id, override_reason=reason)
        if not permit.allowed:
            return refused(permit, req.request_id)
        await permits.use(tx, permit.id)
        if asked.from_ is not None:
            number_id, shown = await numbers.chosen_number(tx, asked.from_, default=default)
        else:
            number_id, shown = await numbers.caller_id(tx, number, req.who.user_id, default=default)
        call_id = await actions.place_call(
            tx, asked.contact_id, phone=number, from_number=shown, from_number_id=number_id, permit_id=permit.id
        )
        return Reply(await actions.read_call(tx, call_id), 201)

    @routes.get("/calls/{id}", returns=Call, allow="calls:read")
    async def get_call(tx: Tx, req: Req[None, None]) -> Reply:
        """One call."""
        return Reply(await actions.read_call(tx, req.id()))

    @routes.post("/calls/{id}/hangup", returns=Call, status=202, allow="calls:write")
    async def hang_up(tx: Tx, req: Req[None, None]) -> Reply:
        """End a call; the state follows as soon as the provider has done it."""
        return Reply(await actions.hang_up(tx, req.id()), 202)

    @routes.put("/calls/{id}/disposition", body=DispositionIn, returns=Call, allow="calls:write")
    async def set_disposition(tx: Tx, req: Req[None, DispositionIn]) -> Reply:
        """Say how a call went, with a note; after the call this ends the wrap-up."""
        return Reply(await actions.set_disposition(tx, req.id(), req.body.disposition, req.body.note, req.body.callback_at))

    @routes.patch("/calls/{id}", body=NoteIn, returns=Call, allow="calls:write")
    async def write_note(tx: Tx, req: Req[None, NoteIn]) -> Reply:
        """Write the note of a call, also while talking."""
        return Reply(await actions.set_note(tx, req.id(), req.body.note))

    @routes.post("/calls/{id}/hold", body=HoldIn, returns=Call, allow="calls:write", errors=(409,))
    async def hold_call(tx: Tx, req: Req[None, HoldIn]) -> Reply:
        """Let the contact wait, or go on."""
        return Reply(await actions.hold(tx, req.id(), req.body.on))

    @routes.post("/calls/{id}/mute", body=HoldIn, returns=Call, allow="calls:write", errors=(409,))
    async def mute_call(tx: Tx, req: Req[None, HoldIn]) -> Reply:
        """Let the contact not hear the rep, or hear them again."""
        return Reply(await actions.mute(tx, req.id(), req.body.on))

    @routes.post("/calls/{id}/digits", body=DigitsIn, returns=Call, status=202, allow="calls:write", errors=(409,))
    async def press_digits(tx: Tx, req: Req[None, DigitsIn]) -> Reply:
        """Press keys for the contact's side."""
        return Reply(await actions.press(tx, req.id(), req.body.digits), 202)

    @routes.post("/calls/{id}/supervise", body=SuperviseIn, returns=Call, allow="calls:supervise", errors=(409,))
    async def supervise_call(tx: Tx, req: Req[None, SuperviseIn]) -> Reply:
        """Listen, whisper or barge; again for another way of it."""
        return Reply(await actions.supervise(tx, req.id(), req.body.mode))

    @routes.delete("/calls/{id}/supervise", returns=Call, allow="calls:supervise")
    async def stop_supervising_call(tx: Tx, req: Req[None, None]) -> Reply:
        """Leave a call one listens to."""
        return Reply(await actions.stop_supervising(tx, req.id()))

    @routes.get("/calls/{id}/listeners", returns=ListenerPage, allow="calls:supervise")
    async def list_listeners(tx: Tx, req: Req[None, None]) -> Reply:
        """Who listens to a call, whether its rep is shown them or not."""
        return Reply(await reading.read_listeners(tx, req.id()))

    @routes.post("/calls/{id}/participants", body=ParticipantIn, returns=Call, status=202, allow="calls:write", errors=(409,))
    async def add_participant(tx: Tx, req: Req[None, ParticipantIn]) -> Reply:
        """Ring a colleague or an outside number into the call."""
        return Reply(await actions.add_participant(tx, req.id(), user_id=req.body.user_id, phone=req.body.phone), 202)

    @routes.delete("/calls/{id}/participants/{leg_id}", returns=Call, status=202, allow="calls:write", errors=(409,))
    async def remove_participant(tx: Tx, req: Req[None, None]) -> Reply:
        """Take a colleague or an outside number out of the call."""
        return Reply(await actions.remove_participant(tx, req.id(), req.id("leg_id")), 202)

    @routes.post("/calls/{id}/transfer", body=TransferIn, returns=Call, status=202, allow="calls:write", errors=(409,))
    async def transfer_call(tx: Tx, req: Req[None, TransferIn]) -> Reply:
        """Hand the call over: warm, after talking to them, or cold, at once."""
        body = req.body
        return Reply(await actions.transfer(tx, req.id(), body.kind, user_id=body.user_id, phone=body.phone), 202)

    @routes.post("/calls/{id}/transfer/complete", returns=Call, status=202, allow="calls:write", errors=(409,))
    async def complete_transfer(tx: Tx, req: Req[None, None]) -> Reply:
        """Leave the call to whom one has talked to."""
        return Reply(await actions.complete_transfer(tx, req.id()), 202)

    @routes.get("/calls/{id}/audit", query=PageQuery, returns=AuditPage, allow="calls:read")
    async def list_call_audit(tx: Tx, req: Req[PageQuery, None]) -> Reply:
        """What was done in a call and by whom, oldest first: one's own calls, managers all."""
        call = await reading.call_row(tx, req.id())
        if not req.who.is_manager and call["user_id"] != req.who.user_id:
            raise Forbidden("This is a colleague's call; a manager can see this.")
        after = read_cursor(req.query.cursor, "at")
        hidden = not req.who.is_manager and not (await lines.settled(tx)).show_listeners
        rows = await tx.fetch(
            _SQL["list_audit"],
            call_id=req.id(),
            limit=req.query.limit + 1,
            hide_listeners=hidden,
            after=after.moment() if after else None,
            after_id=after.id if after else None,
        )
        return Reply(page(rows, req.query.limit, "at"))

    return routes
