"""Addresses of audio that need no token: signed, for one thing of one company, and only for a while.

For audio elements, which can't send a header, and for the telephone provider, which plays a message to a contact.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
import time
from dataclasses import dataclass
from uuid import UUID

_BODY = struct.Struct(">16s16s16sQ")
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Link:
    """What a key stands for; `user_id` is whose it is, None for the provider's."""

    tenant_id: UUID
    subject_id: UUID
    user_id: UUID | None
    expires_at: int


def write_key(secret: bytes, tenant_id: UUID, subject_id: UUID, user_id: UUID | None, lasts_s: int) -> tuple[str, int]:
    """A key for one recording or message, and until when it opens it (Unix time)."""
    expires = int(time.time()) + lasts_s
    body = _BODY.pack(tenant_id.bytes, subject_id.bytes, (user_id or _NOBODY).bytes, expires)
    signed = body + hmac.digest(secret, body, hashlib.sha256)
    return base64.urlsafe_b64encode(signed).rstrip(b"=").decode(), expires


def read_key(secret: bytes, key: str, subject_id: UUID) -> Link | None:
    """What a key stands for; None when it is not ours, is for something else, or its time is over."""
    try:
        signed = base64.b64decode(key + "=" * (-len(key) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    body, seal = signed[: _BODY.size], signed[_BODY.size :]
    if len(body) != _BODY.size or not hmac.compare_digest(seal, hmac.digest(secret, body, hashlib.sha256)):
        return None
    tenant, subject, user, expires = _BODY.unpack(body)
    if UUID(bytes=subject) != subject_id or expires < time.time():
        return None
    person = UUID(bytes=user)
    return Link(UUID(bytes=tenant), subject_id, None if person == _NOBODY else person, expires)
