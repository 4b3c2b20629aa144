"""Endpoints of outgoing webhooks."""

from __future__ import annotations

from hub.config import Settings
from hub.db import Tx
from hub.http.endpoint import Reply, Req, Routes
from hub.http.paging import page, read_cursor
from hub.outgoing import actions
from hub.outgoing.models import (
    DeliveryFilter,
    EventTypeInfo,
    EventTypeList,
    NewWebhookEndpoint,
    Replayed,
    ReplayIn,
    ResumeIn,
    WebhookDelivery,
    WebhookDeliveryDetail,
    WebhookDeliveryPage,
    WebhookEndpoint,
    WebhookEndpointIn,
    WebhookEndpointList,
    WebhookEndpointPatch,
    WebhookSecret,
)
from hub.sqlfiles import load_sql

_ALLOW = "webhooks:write"
_NO_STORE = {"Cache-Control": "no-store"}
_SORT = "created_at"
_SQL = load_sql("outgoing")


def outgoing_routes(settings: Settings) -> Routes:
    """The endpoints, where the settings say whether hosts may be private."""
    routes = Routes("outgoing webhooks")
    private = settings.private_webhook_hosts

    @routes.get("/webhooks", returns=WebhookEndpointList, allow=_ALLOW)
    async def list_webhooks(tx: Tx, req: Req[None, None]) -> Reply:
        """Where events are sent to."""
        return Reply(await tx.fetchval(_SQL["list_endpoints"]))

    @routes.get("/webhooks/types", returns=EventTypeList, allow=_ALLOW)
    async def list_webhook_types(tx: Tx, req: Req[None, None]) -> Reply:
        """The types of events that may be sent."""
        return Reply(EventTypeList(data=[EventTypeInfo(type=name, words=words) for name, words in actions.event_types()]))

    @routes.post(
        "/webhooks", body=WebhookEndpointIn, returns=NewWebhookEndpoint, status=201, allow=_ALLOW, errors=(402, 409), fresh=True
    )
    async def create_webhook(tx: Tx, req: Req[None, WebhookEndpointIn]) -> Reply:
        """Have events sent to a URL; the answer shows the secret that signs them."""
        return Reply(await actions.make_endpoint(tx, req.body, allow_private=private), 201, _NO_STORE)

    @routes.get("/webhooks/{id}", returns=WebhookEndpoint, allow=_ALLOW)
    async def get_webhook(tx: Tx, req: Req[None, None]) -> Reply:
        """One endpoint."""
        return Reply(await actions.get_endpoint(tx, req.id()))

    @routes.patch("/webhooks/{id}", body=WebhookEndpointPatch, returns=WebhookEndpoint, allow=_ALLOW)
    async def update_webhook(tx: Tx, req: Req[None, WebhookEndpointPatch]) -> Reply:
        """Change where or which events are sent."""
        return Reply(await actions.change_endpoint(tx, req.id(), req.body, allow_private=private))

    @routes.delete("/webhooks/{id}", returns=WebhookEndpoint, allow=_ALLOW)
    async def delete_webhook(tx: Tx, req: Req[None, None]) -> Reply:
        """Send nothing there any more, and forget what was sent."""
        return Reply(await actions.delete_endpoint(tx, req.id()))

    @routes.post("/webhooks/{id}/pause", returns=WebhookEndpoint, allow=_ALLOW)
    async def pause_webhook(tx: Tx, req: Req[None, None]) -> Reply:
        """Send nothing until it is resumed; its place in the log stays."""
        return Reply(await actions.pause_endpoint(tx, req.id()))

    @routes.post("/webhooks/{id}/resume", body=ResumeIn, returns=WebhookEndpoint, allow=_ALLOW, errors=(402,))
    async def resume_webhook(tx: Tx, req: Req[None, ResumeIn]) -> Reply:
        """Go on where it stopped, in one's own name."""
        return Reply(await actions.resume_endpoint(tx, req.id(), skip=req.body.skip))

    @routes.post("/webhooks/{id}/secret", returns=WebhookSecret, allow=_ALLOW, fresh=True)
    async def show_webhook_secret(tx: Tx, req: Req[None, None]) -> Reply:
        """Show the secret that signs what is sent."""
        return Reply(WebhookSecret(secret=await actions.show_secret(tx, req.id())), headers=_NO_STORE)

    @routes.post("/webhooks/{id}/secret/rotate", returns=WebhookSecret, allow=_ALLOW, fresh=True)
    async def rotate_webhook_secret(tx: Tx, req: Req[None, None]) -> Reply:
        """Make a new secret; for a day what is sent is signed with the one before as well."""
        return Reply(WebhookSecret(secret=await actions.rotate_secret(tx, req.id())), headers=_NO_STORE)

    @routes.post("/webhooks/{id}/test", returns=WebhookDelivery, status=202, allow=_ALLOW, errors=(402,))
    async def test_webhook(tx: Tx, req: Req[None, None]) -> Reply:
        """Send an event that says nothing, once."""
        return Reply(await actions.send_test(tx, req.id()), 202)

    @routes.post("/webhooks/{id}/replay", body=ReplayIn, returns=Replayed, status=202, allow=_ALLOW, errors=(402,))
    async def replay_webhook(tx: Tx, req: Req[None, ReplayIn]) -> Reply:
        """Send the events of a span of time again, as far as the log has them."""
        return Reply(Replayed(count=await actions.replay_span(tx, req.id(), req.body)), 202)

    @routes.get("/webhooks/{id}/deliveries", query=DeliveryFilter, returns=WebhookDeliveryPage, allow=_ALLOW)
    async def list_webhook_deliveries(tx: Tx, req: Req[DeliveryFilter, None]) -> Reply:
        """What was sent to an endpoint within the last month, the newest first."""
        await actions.get_endpoint(tx, req.id())
        after = read_cursor(req.query.cursor, _SORT)
        rows = await tx.fetch(
            _SQL["list_deliveries"],
            endpoint_id=req.id(),
            state=req.query.state,
            limit=req.query.limit + 1,
            after_key=after.moment() if after else None,
            after_id=after.id if after else None,
        )
        return Reply(page(rows, req.query.limit, _SORT))

    @routes.get("/webhook-deliveries/{id}", returns=WebhookDeliveryDetail, allow=_ALLOW)
    async def get_webhook_delivery(tx: Tx, req: Req[None, None]) -> Reply:
        """A delivery with what is sent, and how the answer begins."""
        return Reply(await actions.get_delivery(tx, req.id()))

    @routes.post(
        "/webhook-deliveries/{id}/replay",
        returns=WebhookDelivery,
        status=202,
        allow=_ALLOW,
        errors=(402, 409),
    )
    async def replay_webhook_delivery(tx: Tx, req: Req[None, None]) -> Reply:
        """Send it again, after what waits already."""
        return Reply(await actions.replay_delivery(tx, req.id()), 202)

    return routes
