"""Secrets at rest: sealed with AES-256-GCM under a key of the installation, tied to their tenant and to what they are.

A sealed text is `v1.<key id>.<base64 of nonce and ciphertext>`. The tenant, the kind and the row's id are the associated data:
a row copied to another tenant, or under another row, does not open. Keys rotate: the first of the settings' keys seals, all of
them open, and what does not begin with `prefix` was sealed by an older one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.config import Settings

_NONCE = 12


class Unsealable(Exception):
    """It was sealed for another tenant or row, with a key that is not there any more, or it was changed."""


class Seals:
    """Seals and opens. Without keys of their own the settings' secret serves, under the id `secret`."""

    def __init__(self, settings: Settings) -> None:
        named = dict(settings.seal_keys) or {"secret": settings.secret}
        self._keys = {
            name: AESGCM(hmac.new(secret.encode(), b"ringside/seal", hashlib.sha256).digest()) for name, secret in named.items()
        }
        self._present = next(iter(named))

    def seal(self, text: str, *, tenant_id: UUID, kind: str, row_id: UUID) -> str:
        """Seal a secret of the row `row_id`, of a kind such as `mailbox`."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._keys[self._present].encrypt(nonce, text.encode(), _belonging(tenant_id, kind, row_id))
        return f"{self.prefix}{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, *, tenant_id: UUID, kind: str, row_id: UUID) -> str:
        """Open it again. Raises Unsealable."""
        version, _, rest = sealed.partition(".")
        name, _, body = rest.rpartition(".")
        key = self._keys.get(name)
        if version != "v1" or key is None:
            raise Unsealable(f"It was sealed with the key {name!r}, which is not among RINGSIDE_SEAL_KEYS.")
        try:
            data = base64.urlsafe_b64decode(body.encode())
            return key.decrypt(data[:_NONCE], data[_NONCE:], _belonging(tenant_id, kind, row_id)).decode()
        except (InvalidTag, binascii.Error, ValueError):
            raise Unsealable("It was not sealed for this row, or was changed since.") from None

    @property
    def prefix(self) -> str:
        """What everything begins with that the present key has sealed; anything else is to be sealed anew."""
        return f"v1.{self._present}."


def _belonging(tenant_id: UUID, kind: str, row_id: UUID) -> bytes:
    return f"{tenant_id}/{kind}/{row_id}".encode()
