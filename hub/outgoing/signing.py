"""How what goes out is signed: Standard Webhooks, version 1, with symmetric secrets (standardwebhooks.com)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Final
from uuid import UUID

PREFIX: Final = "whsec_"
# Between 24 and 64 bytes, the specification says.
_BYTES: Final = 32


def new_secret() -> str:
    """A secret that nobody has had."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def headers_for(message_id: UUID, sent_at: int, body: bytes, with_secrets: Sequence[str]) -> dict[str, str]:
    """The three headers of a message; `sent_at` in seconds since 1970. One signature for each secret, so that they can rotate."""
    said = f"{message_id}.{sent_at}.".encode() + body
    signatures = [
        base64.b64encode(hmac.new(base64.b64decode(secret.removeprefix(PREFIX)), said, hashlib.sha256).digest()).decode()
        for secret in with_secrets
    ]
    return {
        "webhook-id": str(message_id),
        "webhook-timestamp": str(sent_at),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
