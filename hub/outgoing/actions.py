"""What people do with endpoints of outgoing webhooks: make them, change them, pause and go on, rotate the secret, send again."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import orjson

from hub.audit.actions import record
from hub.db import Tx
from hub.errors import Conflict, Forbidden, Invalid, NotFound
from hub.events import CATALOGUE, MANAGERS
from hub.http.paging import EARLIEST, LATEST
from hub.outgoing.delivering import (
    ATTEMPTS,
    DELIVER,
    GONE,
    TEST_TYPE,
    may_be_sent,
    never_sent,
    rooms_of,
    said,
    stop,
    test_body,
)
from hub.outgoing.events import WebhookCreated, WebhookDeleted, WebhookSecretRotated, WebhookStateChanged, WebhookUpdated
from hub.outgoing.models import ReplayIn, WebhookEndpointIn, WebhookEndpointPatch
from hub.outgoing.sealing import seal, unseal
from hub.outgoing.signing import new_secret
from hub.permissions import FOLLOW, permissions_of
from hub.plans import require
from hub.plans.resting import NO_WEBHOOKS
from hub.sqlfiles import load_sql
from integrations.reach import is_public

MOST_ENDPOINTS: Final = 20
# So many events are sent again at once at the most.
MOST_REPLAYED: Final = 10_000
_ERASED_AT_ONCE: Final = 2_000
# How long the secret before signs as well.
ROTATION_HOURS: Final = 24

_SQL = load_sql("outgoing")


def missing() -> NotFound:
    """The answer for an endpoint that is not there, or not this company's."""
    return NotFound("There is no such webhook.", code="webhook_not_found")


def event_types() -> list[tuple[str, str]]:
    """The types that may be sent, with what each means, by name."""
    return [(name, _first_sentence(kind.__doc__ or "")) for name, kind in sorted(CATALOGUE.items()) if may_be_sent(name)]


async def get_endpoint(tx: Tx, endpoint_id: UUID) -> str:
    """An endpoint's JSON. Raises NotFound."""
    row = await tx.fetchrow(_SQL["get_endpoint"], id=endpoint_id)
    if row is None:
        raise missing()
    text: str = row["json"]
    return text


async def make_endpoint(tx: Tx, given: WebhookEndpointIn, *, allow_private: bool) -> str:
    """Have events sent to a URL from now on; its JSON with the secret.

    Raises PlanLimit, Invalid for a URL or a type that can't be, Forbidden for who may not follow the log, Conflict after twenty.
    """
    await require(tx, "webhooks")
    _check_follows(tx)
    check_url(given.url, allow_private=allow_private)
    _check_types(given.types)
    if await tx.fetchval(_SQL["count_endpoints"]) >= MOST_ENDPOINTS:
        raise Conflict(f"There are {MOST_ENDPOINTS} webhooks. Delete one that is not used any more.", code="too_many_webhooks")
    endpoint_id, secret = uuid4(), new_secret()
    await tx.execute(
        _SQL["insert_endpoint"],
        id=endpoint_id,
        url=given.url,
        description=given.description,
        types=given.types,
        sealed=seal(tx, secret, endpoint_id),
    )
    tx.emit(WebhookCreated(endpoint_id, said(endpoint_id, given.url, "active", ""), MANAGERS))
    return orjson.dumps({**orjson.loads(await get_endpoint(tx, endpoint_id)), "secret": secret}).decode()


async def change_endpoint(tx: Tx, endpoint_id: UUID, given: WebhookEndpointPatch, *, allow_private: bool) -> str:
    """Change where or which events are sent; its JSON. Raises NotFound, Invalid, Forbidden as `make_endpoint` for another URL.

    What goes to another place goes there in the name of whoever says so, who gets nothing that only the one before may follow.
    """
    row = await _lock(tx, endpoint_id)
    changes: dict[str, Any] = {}
    if given.url is not None:
        _check_follows(tx)
        check_url(given.url, allow_private=allow_private)
        changes["set_url"] = given.url
    if given.description is not None:
        changes["set_description"] = given.description
    if "types" in given.model_fields_set:
        _check_types(given.types)
        changes |= {"has_types": True, "set_types": given.types}
    if changes:
        await tx.execute(_SQL["update_endpoint"], id=endpoint_id, **changes)
        tx.emit(WebhookUpdated(endpoint_id, said(endpoint_id, given.url or row["url"], row["state"], ""), MANAGERS))
    return await get_endpoint(tx, endpoint_id)


async def delete_endpoint(tx: Tx, endpoint_id: UUID) -> str:
    """Send nothing there any more, and forget what was sent; the JSON that it had. Raises NotFound."""
    text = await get_endpoint(tx, endpoint_id)
    url = await tx.fetchval(_SQL["delete_endpoint"], id=endpoint_id)
    if url is None:
        raise missing()
    tx.emit(WebhookDeleted(endpoint_id, said(endpoint_id, url, "deleted", ""), MANAGERS))
    return text


async def pause_endpoint(tx: Tx, endpoint_id: UUID) -> str:
    """Send nothing until it is resumed; its place in the log stays. Raises NotFound."""
    row = await _lock(tx, endpoint_id)
    if row["state"] == "active":
        await stop(tx, endpoint_id, row["url"], "paused", f"{tx.who.name or 'Somebody'} paused it.", tell=False)
    return await get_endpoint(tx, endpoint_id)


async def resume_endpoint(tx: Tx, endpoint_id: UUID, *, skip: bool) -> str:
    """Go on where it stopped, in one's own name; its JSON. Raises NotFound, PlanLimit, Forbidden.

    What was given up last is tried once more before anything else, unless it is to be skipped.
    """
    await require(tx, "webhooks")
    _check_follows(tx)
    row = await _lock(tx, endpoint_id)
    if row["state"] != "active":
        if row["state"] == "failing" and not skip:
            await tx.execute(_SQL["retry_what_failed_last"], id=endpoint_id, attempts=ATTEMPTS - 1)
        await tx.execute(_SQL["try_again_at_once"], id=endpoint_id)
        await tx.execute(_SQL["resume_endpoint"], id=endpoint_id)
        tx.emit(WebhookStateChanged(endpoint_id, said(endpoint_id, row["url"], "active", ""), MANAGERS))
        await _wake(tx, endpoint_id)
    return await get_endpoint(tx, endpoint_id)


async def wake_rested(tx: Tx) -> None:
    """Let those go on that stood still since the company's plan had no webhooks, each in its maker's name as before."""
    for row in await tx.fetch(_SQL["wake_rested"], reason=NO_WEBHOOKS):
        tx.emit(WebhookStateChanged(row["id"], said(row["id"], row["url"], "active", ""), MANAGERS))
        await _wake(tx, row["id"])


async def show_secret(tx: Tx, endpoint_id: UUID) -> str:
    """The secret that signs. Raises NotFound."""
    row = await _lock(tx, endpoint_id)
    await record(tx, "webhook.secret_shown", subject_kind="webhook", subject_id=endpoint_id)
    return unseal(tx, row["sealed"], endpoint_id)


async def rotate_secret(tx: Tx, endpoint_id: UUID) -> str:
    """A new secret; the one before signs as well for a day. Raises NotFound."""
    row = await _lock(tx, endpoint_id)
    secret = new_secret()
    await tx.execute(_SQL["rotate_secret"], id=endpoint_id, sealed=seal(tx, secret, endpoint_id), hours=ROTATION_HOURS)
    tx.emit(WebhookSecretRotated(endpoint_id, said(endpoint_id, row["url"], row["state"], ""), MANAGERS))
    return secret


async def send_test(tx: Tx, endpoint_id: UUID) -> str:
    """Send an event that says nothing, once, also to an endpoint that stands still; the delivery's JSON. Raises NotFound."""
    await require(tx, "webhooks")
    await _lock(tx, endpoint_id)
    delivery_id = await tx.fetchval(_SQL["insert_test"], endpoint_id=endpoint_id, event_id=uuid4(), type=TEST_TYPE)
    await _wake(tx, endpoint_id)
    return await _delivery_json(tx, delivery_id)


async def get_delivery(tx: Tx, delivery_id: UUID) -> str:
    """A delivery with what is sent and what was answered; its JSON. Raises NotFound."""
    row = await tx.fetchrow(_SQL["get_delivery"], id=delivery_id, rooms=rooms_of(tx.who))
    if row is None:
        raise _no_delivery()
    body = None
    if row["kind"] == "test":
        body = orjson.Fragment(test_body(row["event_id"], row["event_at"]))
    elif row["frame"] is not None and FOLLOW in permissions_of(tx.who):
        body = orjson.Fragment(row["frame"])
    return orjson.dumps({**orjson.loads(row["json"]), "body": body, "answer": row["answer"]}).decode()


async def replay_delivery(tx: Tx, delivery_id: UUID) -> str:
    """Send what was sent before once more, after what waits already; the new delivery's JSON. Raises NotFound, Conflict."""
    await require(tx, "webhooks")
    row = await tx.fetchrow(_SQL["get_delivery"], id=delivery_id, rooms=rooms_of(tx.who))
    if row is None:
        raise _no_delivery()
    if row["kind"] == "test":
        raise Conflict("This was a test. Send another test instead.", code="delivery_is_a_test")
    if row["frame"] is None:
        raise Conflict(GONE, code="event_is_gone")
    replay_id = await tx.fetchval(_SQL["insert_replay"], id=delivery_id)
    endpoint_id: UUID = row["endpoint_id"]
    await record(tx, "webhook.replayed", subject_kind="webhook", subject_id=endpoint_id, details={"count": 1})
    await _wake(tx, endpoint_id)
    return await _delivery_json(tx, replay_id)


async def replay_span(tx: Tx, endpoint_id: UUID, given: ReplayIn) -> int:
    """Send the events of a span of time once more, after what waits already; how many. Raises NotFound, Invalid."""
    await require(tx, "webhooks")
    await _lock(tx, endpoint_id)
    for name, moment in (("from_at", given.from_at), ("until_at", given.until_at)):
        if not EARLIEST <= moment <= LATEST:
            raise Invalid.field(name, "The log has nothing of that time. Give a moment of the last days.")
    if given.from_at >= given.until_at:
        raise Invalid.field("until_at", "It is not after from_at. Give a later moment.")
    span = {
        "endpoint_id": endpoint_id,
        "from_at": given.from_at,
        "until_at": given.until_at,
        "never": never_sent(),
        "rooms": rooms_of(tx.who),
    }
    if await tx.fetchval(_SQL["count_span"], **span, limit=MOST_REPLAYED + 1) > MOST_REPLAYED:
        raise Invalid.field("until_at", f"The span has more than {MOST_REPLAYED:,} events. Send a shorter one again.")
    count = await tx.execute(_SQL["replay_span"], **span, limit=MOST_REPLAYED)
    await record(tx, "webhook.replayed", subject_kind="webhook", subject_id=endpoint_id, details={"count": count})
    if count:
        await _wake(tx, endpoint_id)
    return count


async def erase_answers(tx: Tx, words: Sequence[str], after: UUID) -> UUID | None:
    """Empty answers to events that were erased or that the log has no more, and those with one of these words.

    It looks at some thousand deliveries after this one. The last of them; None when there are no more.
    """
    named = [word for word in words if len(word) > 2]
    last: UUID | None = await tx.fetchval(_SQL["erase_answers"], words=named, after=after, limit=_ERASED_AT_ONCE)
    return last


def check_url(url: str, *, allow_private: bool) -> None:
    """Raise Invalid for what is no URL to send to. What its name leads to is looked at when it is sent, each time."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise Invalid.field("url", "It is no URL. It should be one such as https://example.com/ringside.") from None
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        raise Invalid.field("url", "It should begin with https://, so that nobody else can read what is sent.")
    if not host or not url.isascii() or not url.isprintable() or " " in url:
        raise Invalid.field("url", "It is no URL. It should be one such as https://example.com/ringside.")
    if parts.username is not None or parts.password is not None:
        raise Invalid.field("url", "It holds a name or a password before the host. Leave them out: what is sent is signed.")
    if parts.fragment:
        raise Invalid.field("url", "What follows the # is never sent. Leave it out.")
    if allow_private:
        return
    try:
        ipaddress.ip_address(host)
    except ValueError:
        private = host == "localhost" or host.endswith((".localhost", ".internal", ".local"))
    else:
        private = not is_public(host)
    if private:
        raise Invalid.field("url", f"{host} is not on the public internet. Name a host that is.")


def _first_sentence(doc: str) -> str:
    return " ".join(doc.split()).partition(". ")[0].rstrip(".") + "."


def _check_types(types: list[str] | None) -> None:
    for name in types or []:
        if name not in CATALOGUE or not may_be_sent(name):
            raise Invalid.field("types", f"There is no event {name!r} to send. GET /webhooks/types lists them.")


def _check_follows(tx: Tx) -> None:
    if FOLLOW not in permissions_of(tx.who):
        raise Forbidden(f"What is sent is what you may follow yourself: that takes the permission {FOLLOW}.")


async def _lock(tx: Tx, endpoint_id: UUID) -> Any:
    row = await tx.fetchrow(_SQL["lock_endpoint"], id=endpoint_id)
    if row is None:
        raise missing()
    return row


async def _wake(tx: Tx, endpoint_id: UUID) -> None:
    await tx.execute(_SQL["wake"], id=endpoint_id)
    await tx.defer(DELIVER, {"endpoint_id": endpoint_id, "by": "asked"}, max_attempts=3)


async def _delivery_json(tx: Tx, delivery_id: UUID) -> str:
    text: str = await tx.fetchval(_SQL["delivery_json"], id=delivery_id)
    return text


def _no_delivery() -> NotFound:
    return NotFound("There is no such delivery.", code="delivery_not_found")
