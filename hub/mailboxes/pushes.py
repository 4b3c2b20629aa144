"""Google's pushes: verified, kept once for each mailbox of the address, and the asking is a job."""

from __future__ import annotations

import orjson
import structlog

from hub.db import Database, tenant_tx
from hub.errors import Forbidden, Unavailable
from hub.mailboxes import queries, syncing
from hub.sqlfiles import load_sql
from hub.webhooks.inbox import WEBHOOKS
from hub.who import Who
from integrations.errors import CircuitOpen, Transient
from integrations.mail import PushReader

_PROVIDER = "google"
_SQL = load_sql("webhooks")
_log = structlog.get_logger("hub.webhooks")


async def receive_push(db: Database, reader: PushReader, authorization: str, body: bytes) -> None:
    """Take in a push. One address may be connected in several companies; each hears of it once.

    A push about a mailbox that is not here (any more) is fine: Google must not send it again. Raises Forbidden for a
    forgery, Unavailable when Google's certificates can't be had.
    """
    try:
        push = await reader.read(authorization, body)
    except ValueError as exc:
        WEBHOOKS.labels(_PROVIDER, "push", "forged").inc()
        _log.warning("a push is not genuine", reason=str(exc))
        raise Forbidden("The signature does not fit.", code="bad_signature") from None
    except (Transient, CircuitOpen) as exc:
        raise Unavailable("Google's certificates can't be had just now.", retry_after_s=5) from exc
    found = await queries.mailboxes_of_address(db, push.address)
    for tenant_id, mailbox_id in found:
        payload = orjson.dumps({"address": push.address, "cursor": push.cursor}).decode()
        async with tenant_tx(db, Who.system(tenant_id)) as tx:
            key = f"push:{mailbox_id}:{push.delivery_id}"
            fresh = await tx.fetchval(_SQL["store_delivery"], provider=_PROVIDER, dedupe_key=key, payload=payload)
            if fresh is not None:
                await syncing.note_push(tx, mailbox_id)
        WEBHOOKS.labels(_PROVIDER, "push", "stored" if fresh is not None else "repeated").inc()
    if not found:
        WEBHOOKS.labels(_PROVIDER, "push", "unknown").inc()
