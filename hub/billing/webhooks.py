"""The provider's webhooks: verified, stored once, answered; fetching what they are about is a job."""

from __future__ import annotations

from uuid import UUID

import orjson
import structlog

from hub.db import Database, tenant_tx
from hub.errors import Forbidden, Invalid
from hub.sqlfiles import load_sql
from hub.webhooks.inbox import WEBHOOKS
from hub.who import Who
from integrations.payments import PaymentEvent, PaymentEventReader

_PROVIDER = "stripe"
_KIND = "event"
# Whatever else happens to a customer shows in one of these as well.
_TOLD_BY = ("customer.", "invoice.", "checkout.session.completed", "payment_method.")
# A test clock was moved on: companies may stand otherwise although nothing happened to them. It comes in test mode only.
_TIME_HAS_PASSED = "test_helpers.test_clock.ready"
_SQL = load_sql("billing")
_INBOX = load_sql("webhooks")
_log = structlog.get_logger("hub.webhooks")


async def receive_payment_event(db: Database, reader: PaymentEventReader | None, body: bytes, signature: str) -> None:
    """Take in an event. What is said in it is not kept, only that it came: its state may be old, and is fetched.

    An event about something else, or about a customer that is no company here, is fine: it must not be sent again. Raises
    Forbidden for a forgery (as everything is where no provider is set up), Invalid for what is no event.
    """
    try:
        if reader is None:
            raise PermissionError("no provider is set up")
        event = reader.read(body, signature)
    except PermissionError as exc:
        WEBHOOKS.labels(_PROVIDER, _KIND, "forged").inc()
        _log.warning("a webhook's signature does not fit", provider=_PROVIDER, reason=str(exc))
        raise Forbidden("The signature does not fit.", code="bad_signature") from None
    except ValueError as exc:
        WEBHOOKS.labels(_PROVIDER, _KIND, "unreadable").inc()
        raise Invalid(f"This is no event: {exc}.") from None
    is_ours = event.customer and event.kind.startswith(_TOLD_BY)
    found = await db.system_fetch(_SQL["billing_tenant_of"], customer=event.customer) if is_ours else []
    if event.kind == _TIME_HAS_PASSED:
        found = await db.system_fetch(_SQL["billing_customers"])
    if not found:
        WEBHOOKS.labels(_PROVIDER, _KIND, "unknown").inc()
    for row in found:
        await _keep(db, row["tenant_id"], event)


async def _keep(db: Database, tenant_id: UUID, event: PaymentEvent) -> None:
    kept = {"id": event.id, "type": event.kind, "thing": event.thing, "created_at": event.created_at.isoformat()}
    async with tenant_tx(db, Who.system(tenant_id)) as tx:
        payload = orjson.dumps(kept).decode()
        delivery = await tx.fetchval(_INBOX["store_delivery"], provider=_PROVIDER, dedupe_key=event.id, payload=payload)
        if delivery is not None and not await tx.fetchval(_SQL["is_mirroring_due"]):
            await tx.defer("billing.mirror", {"delivery_id": delivery})
    WEBHOOKS.labels(_PROVIDER, _KIND, "stored" if delivery is not None else "repeated").inc()
