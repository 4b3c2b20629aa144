"""Messages that come in: into the conversation with their contact; and STOP, START and HELP."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import orjson

from hub.activities.actions import add_activity
from hub.contacts.addresses import AddressError, parse_phone
from hub.db import Tx
from hub.inbound.callers import contact_of
from hub.messages import queries
from hub.messages.actions import read_message, reply_automatically
from hub.messages.events import MessageReceived
from hub.messages.keywords import Keyword, confirmation, keyword_of
from hub.messages.moving import move_message
from hub.notifications.actions import notify, notify_managers
from hub.permits import actions as permits
from hub.permits.models import ConsentIn
from hub.sqlfiles import load_sql
from integrations.ports import InboundMessage

_SQL = load_sql("messages")


@dataclass(frozen=True, slots=True)
class Received:
    """A message that came: from whom, and the word for the machine that it is, if it is one."""

    contact_id: UUID
    keyword: Keyword | None


async def receive_message(tx: Tx, number_id: UUID | None, came: InboundMessage) -> Received | None:
    """Somebody wrote to us; None when that is known. May be repeated: the provider's id makes it the same message."""
    if await tx.fetchval(_SQL["is_received"], sid=came.sid) is not None:
        return None
    if number_id is not None and await tx.fetchval(_SQL["digits_of"], number_id=number_id) != came.to:
        return None  # none of this company's numbers
    contact_id = await contact_of(tx, came.from_)
    message_id: UUID | None = await tx.fetchval(
        _SQL["insert_received"],
        contact_id=contact_id,
        number_id=number_id,
        to_number=came.to,
        from_number=came.from_,
        body=came.body[:10_000],
        media=orjson.dumps(came.media).decode(),
        sid=came.sid,
    )
    if message_id is None:
        return None
    keyword = came.opt_out or keyword_of(came.body)
    # A word for the machine asks nobody to read it.
    await tx.execute(_SQL["touch_thread"], id=message_id, unread=0 if keyword in ("stop", "help") else 1)
    text = await read_message(tx, message_id)
    thread = await queries.thread_json(tx, contact_id)
    tx.emit(MessageReceived(message_id, {"message": orjson.Fragment(text), "thread": orjson.Fragment(thread)}))
    await add_activity(tx, contact_id, "sms", body=came.body[:10_000], message_id=message_id)
    handled = keyword is not None and await _obey(tx, keyword, contact_id, number_id, came)
    if not handled:
        await _tell(tx, contact_id, number_id, message_id, orjson.loads(text)["contact_name"], came.body)
    return Received(contact_id, keyword if handled else None)


async def _obey(tx: Tx, keyword: Keyword, contact_id: UUID, number_id: UUID | None, came: InboundMessage) -> bool:
    """Do what the word asks for and confirm it once; whether it was for the machine at all."""
    try:
        e164 = parse_phone(came.from_).e164
    except AddressError:
        return False
    if keyword == "stop":
        is_new = await tx.fetchval(_SQL["stop"], e164=e164) is not None
        if is_new:
            await permits.suppress(tx, "phone", e164, f"They texted {came.body.strip()[:40]}.", "stop", channel="sms")
            await permits.set_consent(tx, contact_id, ConsentIn(channel="sms", state="denied", source="STOP by text message"))
            await _take_back(tx, e164)
    elif keyword == "start":
        is_new = await tx.fetchval(_SQL["start"], e164=e164) is not None
        if not is_new and keyword_of(came.body) == "start" and came.body.strip().lower().startswith("yes"):
            return False  # an ordinary answer to an ordinary question
        if is_new:
            await permits.lift_stop(tx, "phone", e164)
            await permits.set_consent(tx, contact_id, ConsentIn(channel="sms", state="granted", source="START by text message"))
    else:
        is_new = True
    # Where the provider knows the word it has answered already (opt_out), and a second answer would be one too many.
    if is_new and came.opt_out is None:
        company = await tx.fetchval(_SQL["company_name"])
        await reply_automatically(tx, contact_id, number_id, e164, came.to, confirmation(keyword, company))
    return True


async def _take_back(tx: Tx, e164: str) -> None:
    for row in await tx.fetch(_SQL["waiting_to"], e164=e164):
        message = await tx.fetchrow(_SQL["lock_message"], id=row["id"])
        if message is not None and message["asked_at"] is None:
            await move_message(tx, message, "canceled", error="The contact texted STOP before it was sent.")


async def _tell(tx: Tx, contact_id: UUID, number_id: UUID | None, message_id: UUID, who: str, body: str) -> None:
    """Word to whoever wrote last, else to whose number or contact it is, else to the team, else to the managers."""
    row = await tx.fetchrow(_SQL["whom_to_tell"], contact_id=contact_id, number_id=number_id)
    writer: UUID | None = await tx.fetchval(_SQL["last_writer"], contact_id=contact_id)
    one = writer or (row["user_id"] or row["owner_id"] if row else None)
    people = [one] if one else []
    if not people and row is not None and row["team_id"] is not None:
        people = [each["user_id"] for each in await tx.fetch(_SQL["team_to_tell"], of_team=row["team_id"])]
    title = f"Message from {who}"
    for person in people:
        await notify(tx, person, "message", title, body[:500], "contact", contact_id)
    if not people:
        await notify_managers(tx, "message", title, body[:500], "contact", contact_id)
