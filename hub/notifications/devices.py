"""Browsers that take pushes: entered by their person, gone with their sign-in, and removed when they take no more."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import orjson
from cryptography.hazmat.primitives.asymmetric import ec

from hub.db import Tx
from hub.errors import Invalid, NotFound
from hub.events import only_user
from hub.notifications.events import NotificationSettingsChanged
from hub.notifications.models import DeviceIn
from hub.notifications.telling import PUSH
from hub.notifications.vapid import public_key
from hub.sealing import Unsealable
from hub.sqlfiles import load_sql
from integrations.telling import PushTarget

_SQL = load_sql("push")
MOST_DEVICES = 10
_KIND = "push_subscription"
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class OpenedDevice:
    """Where a push goes. `is_welcome` is false once its person has left or the sign-in is over."""

    user_id: UUID
    target: PushTarget | None
    is_welcome: bool


async def list_devices(tx: Tx) -> str:
    """One's own devices, and the key that a browser subscribes with, as JSON."""
    rows = await tx.fetch(_SQL["list_devices"], session_id=tx.who.session_id or _NOBODY)
    return '{"key":"%s","data":[%s]}' % (await public_key(tx), ",".join(row["json"] for row in rows))


async def add_device(tx: Tx, given: DeviceIn, *, allow_private: bool) -> str:
    """Have one's pushes come to a browser, too; its JSON. The oldest goes when there are too many.

    Raises Invalid for an address that is no push service's, or keys that are none (RFC 8291, section 3.1).
    """
    _check_endpoint(given.endpoint, allow_private=allow_private)
    _check_keys(given)
    user_id, seals = tx.who.user_id, tx.seals
    assert user_id is not None and seals is not None  # a token names a person; the composition root gives keys
    device_id = uuid4()
    secret = orjson.dumps({"endpoint": given.endpoint, "p256dh": given.p256dh, "auth": given.auth}).decode()
    text: str = await tx.fetchval(
        _SQL["put_device"],
        id=device_id,
        session_id=tx.who.session_id or _NOBODY,
        endpoint_hash=hashlib.sha256(given.endpoint.encode()).hexdigest(),
        sealed=seals.seal(secret, tenant_id=tx.who.tenant_id, kind=_KIND, row_id=device_id),
        device=given.device,
    )
    await tx.execute(_SQL["drop_oldest"], most=MOST_DEVICES)
    _tell(tx, user_id)
    return text


async def remove_device(tx: Tx, device_id: UUID) -> None:
    """Take one of one's own devices away. Raises NotFound."""
    if await tx.fetchval(_SQL["drop_own"], id=device_id) is None:
        raise missing()
    assert tx.who.user_id is not None
    _tell(tx, tx.who.user_id)


async def try_device(tx: Tx, device_id: UUID) -> None:
    """Push something to one of one's own devices, to see whether it arrives. Raises NotFound."""
    if await tx.fetchval(_SQL["own_device"], id=device_id) is None:
        raise missing()
    await tx.defer(PUSH, {"device_id": device_id, "ids": [], "count": 0}, max_attempts=3)


async def open_device(tx: Tx, device_id: UUID) -> OpenedDevice | None:
    """Where its pushes go; None when it is gone."""
    row = await tx.fetchrow(_SQL["open_device"], id=device_id)
    if row is None:
        return None
    target = await _opened(tx, device_id, row["sealed"])
    return OpenedDevice(row["user_id"], target, row["is_welcome"])


async def _opened(tx: Tx, device_id: UUID, sealed: str) -> PushTarget | None:
    seals = tx.seals
    if seals is None:
        return None
    try:
        text = seals.open(sealed, tenant_id=tx.who.tenant_id, kind=_KIND, row_id=device_id)
    except Unsealable:
        return None
    if not sealed.startswith(seals.prefix):
        anew = seals.seal(text, tenant_id=tx.who.tenant_id, kind=_KIND, row_id=device_id)
        await tx.execute(_SQL["reseal_device"], id=device_id, before=sealed, after=anew)
    opened = orjson.loads(text)
    return PushTarget(opened["endpoint"], opened["p256dh"], opened["auth"])


async def drop_device(tx: Tx, device_id: UUID) -> None:
    """It takes no more pushes, or is not welcome any more."""
    user_id = await tx.fetchval(_SQL["drop_device"], id=device_id)
    if user_id is not None:
        _tell(tx, user_id)


async def note_push(tx: Tx, device_id: UUID, error: str | None = None) -> None:
    """What became of the last push to it."""
    await tx.execute(_SQL["note_push"], id=device_id, error=error[:300] if error else None)


def missing() -> NotFound:
    """The error for a device that is not there, or is somebody else's."""
    return NotFound("There is no such device of yours.", code="device_not_found")


def _tell(tx: Tx, user_id: UUID) -> None:
    tx.emit(NotificationSettingsChanged(user_id, {"what": "devices"}, only_user(user_id)))


def _check_endpoint(endpoint: str, *, allow_private: bool) -> None:
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    right = parts.scheme == "https" and port in (None, 443)
    if allow_private:
        right = parts.scheme in ("http", "https")
    if not right or not parts.hostname or parts.username is not None or not endpoint.isascii() or not endpoint.isprintable():
        raise Invalid.field("endpoint", "This should be the https address that the browser's push service gave.")


def _check_keys(given: DeviceIn) -> None:
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _decoded(given.p256dh))
    except ValueError:
        raise Invalid.field("p256dh", "This should be the browser's public key: a point of P-256 in base64url.") from None
    try:
        size = len(_decoded(given.auth))
    except ValueError:
        size = 0
    if size != 16:
        raise Invalid.field("auth", "This should be the browser's authentication secret: 16 bytes in base64url.")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.rstrip("=").encode() + b"=" * (-len(text.rstrip("=")) % 4), b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError("no base64url") from None
