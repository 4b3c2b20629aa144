"""The transactions around the provider's shop: the intent before it is asked, the record of what it said.

None of these functions calls the provider; workers.numbers does, between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from hub.db import Tx
from hub.numbers.actions import emit_number
from hub.sqlfiles import load_sql
from integrations.ports import OwnedNumber

_SQL = load_sql("numbers")

# How long the provider's list of numbers is given to show one whose answer was lost, before it counts as never bought.
DOUBT_S = 15.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a worker has to do for a number: buy it, look for it at the provider, give it back, or nothing any more."""

    kind: Literal["buy", "look", "release", "nothing"]
    e164: str = ""
    sid: str | None = None
    asked_at: datetime | None = None


def voice_path(tenant_id: UUID, number_id: UUID) -> str:
    """Where the provider asks what to do with an incoming call."""
    return f"/webhooks/twilio/{tenant_id}/numbers/{number_id}/voice"


def sms_path(tenant_id: UUID, number_id: UUID) -> str:
    """Where the provider brings incoming messages."""
    return f"/webhooks/twilio/{tenant_id}/numbers/{number_id}/sms"


def status_path(tenant_id: UUID, number_id: UUID) -> str:
    """Where the provider says that an incoming call has ended."""
    return f"/webhooks/twilio/{tenant_id}/numbers/{number_id}/status"


async def begin_buy(tx: Tx, number_id: UUID) -> Plan:
    """Write down the intent to buy, or say what to do instead."""
    number = await tx.fetchrow(_SQL["lock_number"], id=number_id)
    if number is None or number["state"] != "buying":
        return Plan("nothing")
    if number["asked_at"] is not None:
        return Plan("look", number["e164"], asked_at=number["asked_at"])
    await tx.execute(_SQL["ask_number"], id=number_id)
    return Plan("buy", number["e164"])


async def record_bought(tx: Tx, number_id: UUID, owned: OwnedNumber) -> None:
    """The number is ours."""
    if await tx.execute(_SQL["record_bought"], id=number_id, sid=owned.sid, voice=owned.voice, sms=owned.sms):
        await emit_number(tx, number_id)


async def forget_asking(tx: Tx, number_id: UUID) -> None:
    """The provider certainly has no such number for us: it may be bought as if for the first time."""
    await tx.execute(_SQL["unask_number"], id=number_id)


async def fail(tx: Tx, number_id: UUID, reason: str) -> None:
    """The number can't be bought; say why, and let others have it."""
    number = await tx.fetchrow(_SQL["lock_number"], id=number_id)
    if number is not None and await tx.execute(_SQL["record_failed"], id=number_id, error=reason):
        await tx.fetchval(_SQL["unclaim"], e164=number["e164"])
        await emit_number(tx, number_id)


async def release_plan(tx: Tx, number_id: UUID) -> Plan:
    """What there is to give back."""
    number = await tx.fetchrow(_SQL["lock_number"], id=number_id)
    if number is None or number["state"] != "releasing":
        return Plan("nothing")
    return Plan("release", number["e164"], number["provider_sid"])


async def record_released(tx: Tx, number_id: UUID) -> None:
    """The number is given back."""
    number = await tx.fetchrow(_SQL["lock_number"], id=number_id)
    if number is not None and await tx.execute(_SQL["record_released"], id=number_id):
        await tx.execute(_SQL["forget_route"], id=number_id)
        await tx.fetchval(_SQL["unclaim"], e164=number["e164"])
        await emit_number(tx, number_id, released=True)


async def keep(tx: Tx, number_id: UUID, reason: str) -> None:
    """The provider did not take the number back; say why."""
    if await tx.execute(_SQL["keep_number"], id=number_id, error=reason):
        await emit_number(tx, number_id)
