"""The provider's webhooks about calls that come in. Those that wait for instructions are decided on the spot."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from hub.config import Settings
from hub.db import Database, Tx, tenant_tx
from hub.errors import Conflict, Invalid, NotFound
from hub.http.endpoint import Handler, Reply, Req, Routes
from hub.inbound import actions
from hub.inbound.shared import company_of_shared
from hub.providers import Providers
from hub.webhooks.inbox import Fields, verified
from hub.webhooks.routes import call_update_key, kept
from hub.who import Who
from integrations.ports import CallbackReader, Hangup, InboundCall, Reject, Say, Step

XML = "application/xml"


def inbound_routes(settings: Settings, providers: Providers) -> Routes:
    """The webhooks of incoming calls, bound to this server's telephone account."""
    routes = Routes("inbound")
    reader = providers.callbacks
    keep = functools.partial(kept, routes, providers, settings)

    def answer(steps: Sequence[Step]) -> Reply:
        if providers.twiml is None:
            raise NotFound("There is nothing at this address.")
        return Reply(providers.twiml.render(steps), content_type=XML)

    async def incoming(req: Req[None, None], kind: str) -> InboundCall:
        fields = await verified(reader, settings, req.http, kind=kind)
        assert reader is not None
        try:
            return reader.read_inbound_call(fields)
        except ValueError as exc:
            raise Invalid(f"This is no {kind}: {exc}.") from None

    async def decided(db: Database, tenant_id: UUID, request_id: str, decide: Callable[[Tx], Awaitable[Sequence[Step]]]) -> Reply:
        async with tenant_tx(db, Who.system(tenant_id, request_id)) as tx:
            steps = await decide(tx)
        return answer(steps)

    def instructed(path: str) -> Callable[[Handler], Handler]:
        return routes.post(path, scope="public", content_type=XML, errors=(403,))

    @instructed("//webhooks/twilio/{tenant_id}/numbers/{id}/voice")
    async def number_called(db: Database, req: Req[None, None]) -> Reply:
        """Somebody calls one of the company's numbers: what they hear, and who is rung."""
        call = await incoming(req, "incoming call")
        return await decided(
            db, req.id("tenant_id"), req.request_id, lambda tx: actions.receive_call(tx, settings, req.id(), call)
        )

    @instructed("//webhooks/twilio/shared/numbers/voice")
    async def shared_number_called(db: Database, req: Req[None, None]) -> Reply:
        """Somebody calls the installation's own number: they are calling back whoever called them from it."""
        call = await incoming(req, "incoming call")
        tenant_id = await company_of_shared(db, call.to, call.from_)
        if tenant_id is None:
            return answer([Reject()])
        return await decided(db, tenant_id, req.request_id, lambda tx: actions.receive_call(tx, settings, None, call))

    @instructed("//webhooks/twilio/{tenant_id}/calls/{id}/picked")
    async def picked_up(db: Database, req: Req[None, None]) -> Reply:
        """Somebody who was rung has answered: the call is theirs, unless a colleague was quicker."""
        leg = await incoming(req, "answered leg")
        if not leg.to.startswith("client:"):
            # A telephone may be answered by its own voicemail, which presses no key.
            return await decided(
                db, req.id("tenant_id"), req.request_id, lambda tx: actions.ask_to_accept(tx, settings, req.id())
            )
        return await take(db, req, leg)

    @instructed("//webhooks/twilio/{tenant_id}/calls/{id}/accepted")
    async def accepted(db: Database, req: Req[None, None]) -> Reply:
        """Somebody who was rung on their own telephone has pressed a key: the call is theirs."""
        return await take(db, req, await incoming(req, "answered leg"))

    async def take(db: Database, req: Req[None, None], leg: InboundCall) -> Reply:
        try:
            return await decided(
                db, req.id("tenant_id"), req.request_id, lambda tx: actions.picked_up(tx, settings, req.id(), leg.sid, leg.to)
            )
        except Conflict as exc:
            return answer([Say(exc.message), Hangup()])

    @instructed("//webhooks/twilio/{tenant_id}/calls/{id}/routed")
    async def rang(db: Database, req: Req[None, None]) -> Reply:
        """The ringing is over: on to whoever took the call, to the next in turn, or to the voicemail."""
        await verified(reader, settings, req.http, kind="end of ringing")
        return await decided(db, req.id("tenant_id"), req.request_id, lambda tx: actions.rang(tx, settings, req.id()))

    @instructed("//webhooks/twilio/{tenant_id}/calls/{id}/recorded")
    async def recorded(db: Database, req: Req[None, None]) -> Reply:
        """The caller has left their message."""
        await verified(reader, settings, req.http, kind="end of a message")
        return answer([Hangup()])

    @keep("/numbers/{id}/status", kind="inbound_status", job="inbound.status", args={"number_id": "id"})
    def inbound_status(reader: CallbackReader, fields: Fields) -> str:
        """An incoming call has ended."""
        return call_update_key(reader, fields)

    @keep("/calls/{id}/voicemail", kind="voicemail", job="inbound.voicemail", args={"call_id": "id"})
    def voicemail_left(reader: CallbackReader, fields: Fields) -> str:
        """The recording of a caller's message can be fetched."""
        update = reader.read_recording(fields)
        return f"{update.recording_sid}:{update.status}"

    @keep("/calls/{id}/voicemail-text", kind="voicemail_text", job="inbound.voicemail_text", args={"call_id": "id"})
    def voicemail_transcribed(reader: CallbackReader, fields: Fields) -> str:
        """What a caller's message says, in writing."""
        update = reader.read_transcription(fields)
        return f"{update.recording_sid}:{update.status}"

    return routes
