"""Message endpoints, and the provider's webhooks about messages."""

from __future__ import annotations

import functools

from hub.config import Settings
from hub.contacts.actions import missing as contact_missing
from hub.contacts.queries import contact_exists
from hub.db import Database, Tx
from hub.errors import NotFound, Unavailable
from hub.http.endpoint import Reply, Req, Routes
from hub.http.paging import PageQuery
from hub.inbound.shared import companies_of_shared
from hub.messages import actions, queries
from hub.messages.models import Message, MessageIn, MessagePage, ThreadFilter, ThreadPage
from hub.permits.replies import refused
from hub.providers import Providers
from hub.webhooks.inbox import Fields, receive, verified
from hub.webhooks.routes import kept
from integrations.ports import CallbackReader


def message_routes(settings: Settings, providers: Providers) -> Routes:
    """The message endpoints, bound to this server's telephone account."""
    routes = Routes("messages")
    reader = providers.callbacks
    keep = functools.partial(kept, routes, providers, settings)

    @routes.get("/messages/threads", query=ThreadFilter, returns=ThreadPage, allow="messages:read")
    async def list_threads(tx: Tx, req: Req[ThreadFilter, None]) -> Reply:
        """Conversations with contacts, the one with the newest message first."""
        return Reply(await queries.list_threads(tx, req.query))

    @routes.get("/contacts/{id}/messages", query=PageQuery, returns=MessagePage, allow="messages:read")
    async def list_messages(tx: Tx, req: Req[PageQuery, None]) -> Reply:
        """The messages with a contact, newest first."""
        if not await contact_exists(tx, req.id()):
            raise contact_missing()
        return Reply(await queries.list_messages(tx, req.id(), req.query))

    @routes.post("/contacts/{id}/messages", body=MessageIn, returns=Message, status=201, allow="messages:write")
    async def write_message(tx: Tx, req: Req[None, MessageIn]) -> Reply:
        """Write to a contact. In quiet hours the message is kept until it may be sent, and says so (`held_for`)."""
        if settings.twilio is None:
            raise Unavailable("No telephone account is set up. Set TWILIO_ACCOUNT_SID and its companions.", retry_after_s=60)
        text, permit = await actions.write_message(tx, req.id(), req.body, settings.twilio.from_number)
        return refused(permit, req.request_id) if text is None else Reply(text, 201)

    @routes.delete("/messages/{id}", returns=Message, allow="messages:write", errors=(409,))
    async def cancel_message(tx: Tx, req: Req[None, None]) -> Reply:
        """Take back a message that still waits."""
        return Reply(await actions.cancel_message(tx, req.id()))

    @routes.post("/messages/threads/{id}/read", status=204, allow="messages:read")
    async def read_thread(tx: Tx, req: Req[None, None]) -> Reply:
        """Note that the conversation with a contact (their id) was read."""
        await actions.read_thread(tx, req.id())
        return Reply()

    @keep("/messages/{id}/status", kind="message_status", job="messages.status", args={"message_id": "id"})
    def message_status(reader: CallbackReader, fields: Fields) -> str:
        """How a message that we sent stands."""
        update = reader.read_message(fields)
        return f"{update.sid}:{update.state}"

    @keep("/numbers/{id}/sms", kind="message", job="messages.inbound", args={"number_id": "id"})
    def message_came(reader: CallbackReader, fields: Fields) -> str:
        """Somebody wrote to one of the company's numbers."""
        return reader.read_inbound_message(fields).sid

    @routes.post("//webhooks/twilio/shared/numbers/sms", scope="public", status=204, errors=(403,))
    async def message_to_shared_came(db: Database, req: Req[None, None]) -> Reply:
        """Somebody wrote to the installation's own number: every company that reached them from it gets the message."""
        fields = await verified(reader, settings, req.http, kind="message")
        assert reader is not None
        came = reader.read_inbound_message(fields)
        for tenant_id in await companies_of_shared(db, came.to, came.from_):
            try:
                await receive(
                    db,
                    reader,
                    settings,
                    req.http,
                    tenant_id,
                    kind="message",
                    job="messages.inbound",
                    args={"number_id": None},
                    dedupe_key=message_came,
                )
            except NotFound:  # deleted meanwhile
                continue
        return Reply()

    return routes
