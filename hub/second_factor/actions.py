"""A second factor of everybody. Who has shown none gets tokens that only set one up (hub.auth.sessions, hub.http.edge)."""

from __future__ import annotations

from uuid import UUID

from hub.accounts.factors import means_of
from hub.db import Database, Tx, tenant_tx
from hub.errors import Conflict
from hub.second_factor.events import SecondFactorRuleChanged
from hub.second_factor.models import SecondFactorRuleIn
from hub.sqlfiles import load_sql
from hub.who import Who

_SQL = load_sql("second_factor")


async def read_rule(tx: Tx) -> str:
    """The rule and who lacks a second factor, as JSON."""
    text: str = await tx.fetchval(_SQL["get_rule"])
    return text


async def set_rule(db: Database, who: Who, session_id: UUID, given: SecondFactorRuleIn) -> str:
    """Want a second factor of everybody, and end the sessions that have shown none; or want it no more.

    Raises Conflict when whoever turns it on has none, or has not shown it: nobody locks themselves out.
    """
    assert who.user_id is not None
    means = await means_of(db, who.user_id)
    if given.required and not (means.has_totp or means.passkeys):
        raise Conflict("Set up an authenticator app or a passkey for yourself first.", code="own_second_factor_first")
    async with tenant_tx(db, who) as tx:
        changed = await tx.fetchval(_SQL["put_rule"], required=given.required, trusts_provider=given.trusts_provider)
        if given.required:
            if await tx.fetchval(_SQL["lacks"], session=session_id):
                said = "You signed in without your second factor. Sign out, and in again with it, first."
                raise Conflict(said, code="own_second_factor_first")
            await tx.fetchval(_SQL["end_others"])
        if changed:
            tx.emit(SecondFactorRuleChanged.of(required=given.required, trusts_provider=given.trusts_provider))
        text = await read_rule(tx)
    db.notifier.access_changed()
    return text
