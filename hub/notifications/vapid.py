"""The key that this installation signs its pushes with (RFC 8292): made when it is first needed, and kept sealed."""

from __future__ import annotations

import base64
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from hub.db import Tx
from hub.errors import Unavailable
from hub.sealing import Unsealable
from hub.sqlfiles import load_sql

_SQL = load_sql("post")
_NAME = "vapid"
_NOBODY = UUID(int=0)


async def signing_key(tx: Tx) -> str:
    """The private key as PEM. Raises Unavailable when it can't be opened any more."""
    seals = tx.seals
    if seals is None:
        raise Unavailable("Pushes can't be signed here: there are no keys to seal secrets with.", retry_after_s=60)
    sealed: str | None = await tx.fetchval(_SQL["installation_secret"], name=_NAME, sealed=None)
    if sealed is None:
        made = ec.generate_private_key(ec.SECP256R1())
        text = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        fresh = seals.seal(text, tenant_id=_NOBODY, kind=_NAME, row_id=_NOBODY)
        # Who is first keeps theirs; everybody uses that one.
        sealed = await tx.fetchval(_SQL["installation_secret"], name=_NAME, sealed=fresh)
    assert sealed is not None
    try:
        pem = seals.open(sealed, tenant_id=_NOBODY, kind=_NAME, row_id=_NOBODY)
    except Unsealable as problem:
        raise Unavailable(f"The key that pushes are signed with can't be opened. {problem}", retry_after_s=3600) from None
    if not sealed.startswith(seals.prefix):
        # Every browser has subscribed to this very key: it has to outlive the one it was sealed with.
        anew = seals.seal(pem, tenant_id=_NOBODY, kind=_NAME, row_id=_NOBODY)
        await tx.fetch(_SQL["installation_secret_reseal"], name=_NAME, before=sealed, after=anew)
    return pem


async def public_key(tx: Tx) -> str:
    """What a browser is told when it subscribes: the public key's point, in base64url. Raises Unavailable."""
    key = load_pem_private_key((await signing_key(tx)).encode(), None)
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()
