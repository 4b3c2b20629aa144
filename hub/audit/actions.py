"""Writing into the audit log. It only grows: what is written stays until the company's retention takes it.

Most of it is written by events that are `audited` (hub.events); `record` is for what has no event, such as listening, reading
somebody else's private mail, and exports. Of these the event `audit.grew` tells, so that who looks at the log sees them at once.
Details hold ids, settings and counts, never the name, address, number or words of a contact, since nothing is erased here.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

import orjson

from hub.audit.events import AuditGrew
from hub.db import AuditEntry, Database, Tx, tenant_tx
from hub.errors import HubError
from hub.events import MANAGERS
from hub.sqlfiles import load_sql
from hub.who import Who

_SQL = load_sql("audit")
_AUTH = load_sql("auth")
_NOTHING: Mapping[str, Any] = {}
# A player asks for its file in many parts, and a reader comes back to a thread: that is one sitting.
SITTING_S = 600


async def record(
    tx: Tx,
    action: str,
    *,
    subject_kind: str = "",
    subject_id: UUID | None = None,
    details: Mapping[str, Any] = _NOTHING,
) -> None:
    """Write that who acts did `action` ("member.role_changed": noun, dot, what happened) to a subject, with this transaction."""
    await tx.audit([AuditEntry(action, subject_kind, subject_id, details)])
    note_growth(tx)


def note_growth(tx: Tx) -> None:
    """Tell that the log grew with this transaction, where the database itself writes what happened (a session that opens)."""
    tx.emit_once(AuditGrew(tx.who.tenant_id, {}, MANAGERS))


async def tell_growth(db: Database, tenant_id: UUID) -> None:
    """The same after the fact. Who is not told sees it when the log is next looked at: nothing fails for that."""
    with suppress(HubError):
        async with tenant_tx(db, Who.system(tenant_id), lasting=False) as tx:
            note_growth(tx)


async def record_once(
    tx: Tx, action: str, *, subject_kind: str, subject_id: UUID, details: Mapping[str, Any] = _NOTHING, sitting_s: int = SITTING_S
) -> None:
    """As `record`, but once for each sitting of `sitting_s` seconds: for what is looked at or listened to."""
    if not await tx.fetchval(_SQL["has_lately"], action=action, subject_id=subject_id, sitting_s=sitting_s):
        await record(tx, action, subject_kind=subject_kind, subject_id=subject_id, details=details)


async def record_outside(
    db: Database,
    tenant_id: UUID,
    action: str,
    *,
    actor_id: UUID | None = None,
    address: str = "",
    request_id: str = "",
    subject_kind: str = "",
    subject_id: UUID | None = None,
    details: Mapping[str, Any] = _NOTHING,
) -> None:
    """Write what happened to a company outside of one of its transactions, such as a webhook or a public page."""
    await db.system_fetch(
        _SQL["audit_outside"],
        tenant=tenant_id,
        action=action,
        actor=actor_id,
        address=address,
        request_id=request_id,
        subject_kind=subject_kind,
        subject=subject_id,
        details=_json(details),
    )
    await tell_growth(db, tenant_id)


async def record_person(
    db: Database,
    user_id: UUID | None,
    action: str,
    *,
    by_them: bool = True,
    address: str = "",
    request_id: str = "",
    details: Mapping[str, Any] = _NOTHING,
) -> None:
    """Write what happened to a person's account, for every company they belong to.

    `by_them` is False where nobody knows that it was they: a failed sign-in (`sign_in.failed`, with the reason). Call it
    with None for an account that does not exist, so that this takes as long. Opening, switching and ending a session write
    for themselves (the trigger `sessions_are_audited`).
    What somebody else tries is told to nobody at once: it would tell by its time that there is such an account.
    """
    await db.system_fetch(
        _SQL["audit_person"],
        user=user_id,
        action=action,
        by_them=by_them,
        address=address,
        request_id=request_id,
        details=_json(details),
    )
    if by_them and user_id is not None:
        for row in await db.system_fetch(_AUTH["companies"], user=user_id):
            await tell_growth(db, row["tenant_id"])


def _json(details: Mapping[str, Any]) -> str:
    return orjson.dumps(details, default=str).decode()
