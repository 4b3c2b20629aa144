"""The secrets of endpoints, sealed in their rows."""

from __future__ import annotations

from contextlib import suppress
from typing import Final
from uuid import UUID

from hub.db import Database, Tx, tenant_tx
from hub.sealing import Seals, Unsealable
from hub.sqlfiles import load_sql
from hub.who import Who

SEAL_KIND: Final = "webhook"
_AT_ONCE: Final = 200

_SQL = load_sql("outgoing")


def seal(tx: Tx, secret: str, endpoint_id: UUID) -> str:
    """An endpoint's secret as it may lie in the database."""
    assert tx.seals is not None  # the composition roots give them
    return tx.seals.seal(secret, tenant_id=tx.who.tenant_id, kind=SEAL_KIND, row_id=endpoint_id)


def unseal(tx: Tx, sealed: str, endpoint_id: UUID) -> str:
    """The secret again. Raises Unsealable."""
    assert tx.seals is not None
    return tx.seals.open(sealed, tenant_id=tx.who.tenant_id, kind=SEAL_KIND, row_id=endpoint_id)


async def opened(tx: Tx, endpoint_id: UUID, newest: str, before: str | None) -> tuple[str, ...]:
    """The secrets that sign, the newest first. Raises Unsealable.

    Those that were sealed with an older key of the installation are sealed with the present one.
    """
    assert tx.seals is not None
    sealed = [one for one in (newest, before) if one is not None]
    secrets = tuple(unseal(tx, one, endpoint_id) for one in sealed)
    if not all(one.startswith(tx.seals.prefix) for one in sealed):
        anew = [seal(tx, secret, endpoint_id) for secret in secrets]
        older = anew[1] if len(anew) > 1 else None
        await tx.execute(_SQL["reseal"], id=endpoint_id, sealed=anew[0], sealed_before=older, was=newest)
    return secrets


async def reseal(db: Database, seals: Seals) -> int:
    """Seal with the present key what an older one has sealed, also where nothing is sent, and forget secrets whose time is over.

    How many endpoints were looked at. What no key opens is let be.
    """
    looked, after = 0, UUID(int=0)
    while rows := await db.system_fetch(_SQL["to_reseal"], prefix=seals.prefix, after=after, limit=_AT_ONCE):
        for row in rows:
            after = row["id"]
            async with tenant_tx(db, Who.system(row["tenant_id"])) as tx:
                await tx.execute(_SQL["forget_secret_before"], id=after)
                found = await tx.fetchrow(_SQL["sealed_secrets"], id=after)
                if found is not None:
                    with suppress(Unsealable):
                        await opened(tx, after, found["sealed"], found["sealed_before"])
        looked += len(rows)
    return looked
