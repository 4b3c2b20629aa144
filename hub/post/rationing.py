"""How many letters one address gets that its holder may never have asked for, from the whole installation.

A letter that anybody can have sent to anybody is a way to bother people and to get the installation's mail server blocked (OWASP
ASVS 5.0, 2.4.1; RFC 6471 on how that ends). Each sender has a limit of their own; this one is the receiver's, whoever sends.
It counts what was asked for, also where there is no account to write to, so that nobody learns from it whether there is one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from hub.db import Database, Tx
from hub.sqlfiles import load_sql

_SQL = load_sql("post")
_HOUR_S: Final = 3600
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Ration:
    """So many letters of a kind to one address within an hour, and within a day."""

    kind: str
    an_hour: int
    a_day: int


# Invitations and sign-ups, of all companies together.
UNASKED: Final = Ration("unasked", 10, 30)
# Apart from them, so that nobody keeps a person from a new password by inviting them.
RESETS: Final = Ration("reset", 5, 15)


async def wait_s(db_or_tx: Database | Tx, ration: Ration, address: str) -> int:
    """Take a letter to this address from its ration: 0, or the seconds until there is another one.

    Within a transaction it is taken if and when that commits.
    """
    for span, limit, window_s in (("hour", ration.an_hour, _HOUR_S), ("day", ration.a_day, _DAY_S)):
        given = {"keys": [_key(ration.kind, span, address)], "limits": [limit], "window_s": window_s}
        if isinstance(db_or_tx, Tx):
            wait: int = await db_or_tx.fetchval(_SQL["take_letter"], **given)
        else:
            row = await db_or_tx.system_fetchrow(_SQL["take_letter"], **given)
            wait = row["wait_s"] if row else 0
        if wait > 0:
            return wait
    return 0


def _key(kind: str, span: str, address: str) -> str:
    # ada+1@ and ada+2@ are one person's (RFC 5233). An address is not kept for having been counted.
    local, _, domain = address.strip().lower().rpartition("@")
    box = f"{local.partition('+')[0] or local}@{domain}"
    return f"letters:{kind}:{span}:{hashlib.sha256(box.encode()).hexdigest()[:32]}"
