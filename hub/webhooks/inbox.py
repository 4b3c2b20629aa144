"""Takes providers' webhooks in; `hub.webhooks.routes` declares the endpoints of those that are kept.

The job finds the fields again with `read_delivery(tx, UUID(args["delivery_id"]))` and reads them with the same reader. What is
answered with instructions instead of being worked on later is only `verified`, and decided in the request's transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import structlog
from aiohttp import web
from prometheus_client import Counter

from hub.config import Settings
from hub.db import Database, Tx, tenant_tx
from hub.errors import Forbidden, Invalid, NotFound
from hub.sqlfiles import load_sql
from hub.who import Who
from integrations.ports import CallbackReader

WEBHOOKS = Counter(
    "ringside_webhooks_total", "Providers' webhooks by kind and by what became of them.", ["provider", "kind", "result"]
)

Fields = dict[str, str]
# What makes two webhooks of a kind the same one; it raises ValueError for what is none of its kind.
Key = Callable[[CallbackReader, Fields], str]

_SQL = load_sql("webhooks")
_log = structlog.get_logger("hub.webhooks")


async def verified(
    reader: CallbackReader | None, settings: Settings, http_request: web.Request, *, kind: str = "instructions"
) -> dict[str, str]:
    """The fields of a webhook that the provider has signed, for those that wait for an answer.

    `kind` is for the metrics and for the error's words. Raises Forbidden for a forgery (as everything is where no account
    is set up), Invalid for what is signed but has no fields.
    """
    fields = await _genuine(reader, settings, http_request, kind)
    _count(reader, kind, "answered")
    return fields


async def receive(
    db: Database,
    reader: CallbackReader | None,
    settings: Settings,
    http_request: web.Request,
    tenant_id: UUID,
    *,
    kind: str,
    job: str,
    args: Mapping[str, Any],
    dedupe_key: Key,
) -> dict[str, str]:
    """Check a webhook, keep it once, and ask for the work on it; the fields.

    The job `job` gets `args` and the `delivery_id`. Raises Forbidden for a forgery, Invalid for what can't be
    read, NotFound when there is no such tenant.
    """
    fields = await _genuine(reader, settings, http_request, kind)
    assert reader is not None
    try:
        key = f"{kind}:{dedupe_key(reader, fields)}"
    except ValueError as exc:
        raise _unreadable(reader, kind, exc) from None
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    try:
        async with tenant_tx(db, Who.system(tenant_id, request_id)) as tx:
            fresh = await _store(tx, reader.provider, key, fields, job, args)
    except NotFound:
        _count(reader, kind, "unknown")
        raise
    _count(reader, kind, "stored" if fresh else "repeated")
    return fields


async def read_delivery(tx: Tx, delivery_id: UUID) -> dict[str, str]:
    """The fields of a stored webhook. Raises NotFound when it is kept no longer."""
    text = await tx.fetchval(_SQL["get_delivery"], id=delivery_id)
    if text is None:
        raise NotFound("This webhook is kept no longer.")
    fields: dict[str, str] = orjson.loads(text)
    return fields


async def _store(tx: Tx, provider: str, key: str, fields: dict[str, str], job: str, args: Mapping[str, Any]) -> bool:
    payload = orjson.dumps(fields).decode()
    try:
        delivery = await tx.fetchval(_SQL["store_delivery"], provider=provider, dedupe_key=key, payload=payload)
    except asyncpg.ForeignKeyViolationError:
        raise NotFound("There is nothing at this address.") from None
    if delivery is None:
        return False
    await tx.defer(job, {"delivery_id": delivery, **args})
    return True


async def _genuine(reader: CallbackReader | None, settings: Settings, http_request: web.Request, kind: str) -> dict[str, str]:
    body = await http_request.read()
    url = settings.public_url + http_request.path_qs
    if reader is None or not reader.is_genuine(url=url, headers=http_request.headers, body=body):
        _count(reader, kind, "forged")
        _log.warning("a webhook's signature does not fit", path=http_request.path, kind=kind)
        raise Forbidden("The signature does not fit.", code="bad_signature")
    try:
        return reader.fields(http_request.headers, body)
    except ValueError as exc:
        raise _unreadable(reader, kind, exc) from None


def _unreadable(reader: CallbackReader, kind: str, exc: ValueError) -> Invalid:
    _count(reader, kind, "unreadable")
    return Invalid(f"This is no {kind.replace('_', ' ')}: {exc}.")


def _count(reader: CallbackReader | None, kind: str, result: str) -> None:
    WEBHOOKS.labels(reader.provider if reader is not None else "none", kind, result).inc()
