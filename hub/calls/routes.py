"""Call endpoints, and the provider's callbacks."""

from __future__ import annotations

import structlog
from prometheus_client import Counter

from hub.calls import actions, dialing
from hub.calls.models import Call, CallFilter, CallIn, CallPage, DispositionIn
from hub.config import Settings
from hub.db import Database, Tx, tenant_tx
from hub.errors import Forbidden, Invalid, NotFound, Unavailable
from hub.http.endpoint import Reply, Req, Routes
from hub.http.paging import page, read_cursor
from hub.sqlfiles import load_sql
from hub.who import Who
from integrations.ports import CallbackReader

CALLBACKS = Counter("ringside_callbacks_total", "Providers' callbacks by what became of them.", ["provider", "result"])

_SQL = load_sql("calls")
_CORE = load_sql("core")
_log = structlog.get_logger("hub.calls")


def call_routes(settings: Settings, reader: CallbackReader | None) -> Routes:
    """The call endpoints, bound to this server's telephone account."""
    routes = Routes("calls")

    @routes.get("/calls", query=CallFilter, returns=CallPage)
    async def list_calls(tx: Tx, req: Req[CallFilter, None]) -> Reply:
        """Calls, newest first."""
        asked = req.query
        after = read_cursor(asked.cursor, "-started_at")
        if asked.state:
            await tx.execute(_CORE["plan_for_these_values"])
        rows = await tx.fetch(
            _SQL["list_calls"],
            limit=asked.limit + 1,
            contact_id=asked.contact_id,
            of_user=asked.user_id,
            states=asked.state,
            since=asked.since,
            after=after.moment() if after else None,
            after_id=after.id if after else None,
        )
        return Reply(page(rows, asked.limit, "-started_at"))

    @routes.post("/calls", body=CallIn, returns=Call, status=201, errors=(404,))
    async def place_call(tx: Tx, req: Req[None, CallIn]) -> Reply:
        """Call a contact."""
        if settings.twilio is None:
            raise Unavailable("No telephone account is set up. Set TWILIO_ACCOUNT_SID and its companions.", retry_after_s=60)
        call_id = await actions.place_call(tx, req.body.contact_id, phone=req.body.phone, from_number=settings.twilio.from_number)
        return Reply(await actions.read_call(tx, call_id), 201)

    @routes.get("/calls/{id}", returns=Call)
    async def get_call(tx: Tx, req: Req[None, None]) -> Reply:
        """One call."""
        return Reply(await actions.read_call(tx, req.id()))

    @routes.post("/calls/{id}/hangup", returns=Call, status=202)
    async def hang_up(tx: Tx, req: Req[None, None]) -> Reply:
        """End a call; the state follows as soon as the provider has done it."""
        return Reply(await actions.hang_up(tx, req.id()), 202)

    @routes.put("/calls/{id}/disposition", body=DispositionIn, returns=Call)
    async def set_disposition(tx: Tx, req: Req[None, DispositionIn]) -> Reply:
        """Say how a call went, with a note; after the call this ends the wrap-up."""
        return Reply(await actions.set_disposition(tx, req.id(), req.body.disposition, req.body.note, req.body.callback_at))

    @routes.post("//webhooks/twilio/{tenant_id}/calls/{id}/status", scope="public", status=204, errors=(403,))
    async def call_status(db: Database, req: Req[None, None]) -> Reply:
        """Twilio's status callback: its signature is checked, it is stored once, and worked on later."""
        body = await req.http.read()
        if reader is None or not reader.is_genuine(
            url=settings.public_url + req.http.path_qs, headers=req.http.headers, body=body
        ):
            CALLBACKS.labels("twilio", "forged").inc()
            _log.warning("a callback's signature does not fit", path=req.http.path)
            raise Forbidden("The signature does not fit.", code="bad_signature")
        try:
            update = reader.read(body)
        except ValueError as exc:
            raise Invalid(f"This is no call status: {exc}.") from None
        key = f"{update.sid}:{update.status}:{update.sequence_number}"
        try:
            async with tenant_tx(db, Who.system(req.id("tenant_id"), req.request_id)) as tx:
                fresh = await dialing.store_delivery(tx, req.id(), "twilio", key, update)
        except NotFound:
            CALLBACKS.labels("twilio", "unknown").inc()
            raise
        CALLBACKS.labels("twilio", "stored" if fresh else "repeated").inc()
        return Reply()

    return routes
