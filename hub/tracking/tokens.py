"""Tokens in mail: signed, for one mail of one company and one purpose. They never run out: old mail is read, too."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from hub.config import Settings

Purpose = Literal["open", "click", "unsubscribe"]

_BODY = struct.Struct(">16s16sH")
_SEAL = 16


@dataclass(frozen=True, slots=True)
class MailToken:
    """What a token stands for; `position` is a link's, 0 elsewhere."""

    tenant_id: UUID
    send_id: UUID
    position: int


def write_token(settings: Settings, purpose: Purpose, tenant_id: UUID, send_id: UUID, position: int = 0) -> str:
    """The token of a mail's picture, of one of its links, or of its address to unsubscribe at."""
    body = _BODY.pack(tenant_id.bytes, send_id.bytes, position)
    return base64.urlsafe_b64encode(body + _seal(settings, purpose, body)).rstrip(b"=").decode()


def read_token(settings: Settings, purpose: Purpose, token: str) -> MailToken | None:
    """What a token stands for; None when it is not ours, was changed, or is for something else."""
    try:
        signed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    body, seal = signed[: _BODY.size], signed[_BODY.size :]
    if len(body) != _BODY.size or not hmac.compare_digest(seal, _seal(settings, purpose, body)):
        return None
    tenant, send, position = _BODY.unpack(body)
    return MailToken(UUID(bytes=tenant), UUID(bytes=send), position)


def _seal(settings: Settings, purpose: Purpose, body: bytes) -> bytes:
    return hmac.digest(settings.key("mail-links"), purpose.encode() + b"\0" + body, hashlib.sha256)[:_SEAL]
