"""The transactions around the provider: the intent before it is asked, the record of what it said, the settling of doubt.

None of these functions calls the provider; workers.messages does, between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from hub.db import Database, Tx, tenant_tx
from hub.messages.actions import HEALED_BY_TIME
from hub.messages.moving import move_message
from hub.messages.states import MessageState
from hub.permits import actions as permits
from hub.sqlfiles import load_sql
from hub.who import Who
from integrations.ports import MessageState as ProviderState

_SQL = load_sql("messages")

# How long the provider's list is given to show a message whose answer was lost, before it counts as never sent.
DOUBT_S = 15.0
# How a provider refuses a message to somebody who wrote STOP (https://www.twilio.com/docs/api/errors/21610).
OPTED_OUT = "21610"

_OURS: dict[ProviderState, MessageState] = {
    "queued": "sending",
    "sent": "sent",
    "delivered": "delivered",
    "undelivered": "undelivered",
    "failed": "failed",
    "canceled": "canceled",
}


def status_path(tenant_id: UUID, message_id: UUID) -> str:
    """Where the provider reports on a message."""
    return f"/webhooks/twilio/{tenant_id}/messages/{message_id}/status"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a worker has to do for a message: send it, look for it at the provider, ask how it stands, or nothing any more."""

    kind: Literal["send", "look", "ask", "nothing"]
    to: str = ""
    from_: str = ""
    body: str = ""
    sid: str | None = None
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of a message from the provider, by callback or by asking."""

    sid: str
    state: ProviderState
    error_code: str | None = None
    error: str | None = None


async def begin_send(tx: Tx, message_id: UUID) -> Plan:
    """Write down the intent to send, or say what to do instead. One that waited is decided about again."""
    message = await tx.fetchrow(_SQL["lock_message"], id=message_id)
    if message is None or message["state"] not in ("scheduled", "queued", "sending") or message["provider_sid"] is not None:
        return Plan("nothing")
    plan = Plan("look", message["to_number"], message["from_number"], message["body"], asked_at=message["asked_at"])
    if message["asked_at"] is not None:
        return plan
    if message["state"] == "scheduled":
        if message["send_at"] > message["now"]:
            return Plan("nothing")
        permit = await permits.decide(tx, message["contact_id"], "sms", message["to_number"], user_id=message["user_id"])
        if not permit.allowed:
            if permit.code in HEALED_BY_TIME and permit.next_allowed_at is not None:
                await tx.execute(_SQL["hold_message"], id=message_id, send_at=permit.next_allowed_at, held_for=permit.explanation)
                await tx.defer("messages.send", {"message_id": message_id}, run_at=permit.next_allowed_at, max_attempts=20)
            else:
                await move_message(tx, message, "failed", error=permit.explanation)
            return Plan("nothing")
        await permits.use(tx, permit.id)
        await tx.execute(_SQL["permit_message"], id=message_id, permit_id=permit.id)
        await move_message(tx, message, "queued")
    await tx.execute(_SQL["ask_message"], id=message_id)
    return Plan("send", plan.to, plan.from_, plan.body)


async def hear(tx: Tx, message_id: UUID, heard: Heard) -> bool:
    """Take in what the provider says. False when it is late, repeated, or about some other message."""
    message = await tx.fetchrow(_SQL["lock_message"], id=message_id)
    if message is None or message["direction"] != "outbound":
        return False
    if message["provider_sid"] is None:
        await tx.execute(_SQL["adopt_sid"], id=message_id, sid=heard.sid)
    elif message["provider_sid"] != heard.sid:
        return False
    state = _OURS.get(heard.state)
    if state is None:
        return False
    code = int(heard.error_code) if heard.error_code and heard.error_code.isdigit() else None
    return await move_message(tx, message, state, error=heard.error, error_code=code)


async def forget_asking(tx: Tx, message_id: UUID) -> None:
    """The provider certainly has no such message: it may be sent as if for the first time."""
    await tx.execute(_SQL["unask_message"], id=message_id)


async def fail(tx: Tx, message_id: UUID, reason: str, code: str | None = None) -> None:
    """The message can't be sent; say why. Who has opted out at the provider has opted out here, too."""
    message = await tx.fetchrow(_SQL["lock_message"], id=message_id)
    if message is None:
        return
    number = int(code) if code and code.isdigit() else None
    if code != OPTED_OUT:
        await move_message(tx, message, "failed", error=reason, error_code=number)
    elif message["automatic"]:
        await move_message(tx, message, "canceled", error="The telephone provider has confirmed it already.", error_code=number)
    else:
        await move_message(tx, message, "failed", error=reason, error_code=number)
        await permits.suppress(tx, "phone", message["to_number"], "They opted out with the carrier.", "stop", channel="sms")


async def strangers(tx: Tx, sids: Sequence[str]) -> list[str]:
    """Those of the provider's messages that belong to none of ours."""
    known = {row["provider_sid"] for row in await tx.fetch(_SQL["known_sids"], sids=list(sids))}
    return [sid for sid in sids if sid not in known]


async def check_plan(tx: Tx, message_id: UUID) -> Plan:
    """What to do about a message of which nothing was heard."""
    message = await tx.fetchrow(_SQL["lock_message"], id=message_id)
    if message is None or message["state"] not in ("queued", "sending"):
        return Plan("nothing")
    if message["provider_sid"] is not None:
        return Plan("ask", sid=message["provider_sid"])
    return Plan("look")


async def check_silent_messages(db: Database, silent_s: float, limit: int = 200) -> int:
    """Ask for a check of every message on its way, of any tenant, that was not heard of for `silent_s`. Returns how many."""
    asked = 0
    for row in await db.system_fetch(_SQL["unheard"], silent_s=silent_s, limit=limit):
        async with tenant_tx(db, Who.system(row["tenant_id"])) as tx:
            if await tx.fetchval(_SQL["touch_message"], id=row["id"], silent_s=silent_s) is not None:
                await tx.defer("messages.check", {"message_id": row["id"]}, max_attempts=3)
                asked += 1
    return asked
