"""The decisions about a call that comes in. Each is made in the transaction of the webhook that waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, cast
from uuid import UUID

import orjson

from hub.calls.actions import create_inbound, take_call
from hub.calls.dialing import Heard, hear
from hub.calls.joining import conference_name, conference_path
from hub.calls.reading import lock_call, missing
from hub.calls.states import is_live
from hub.config import Settings
from hub.db import Tx
from hub.errors import Conflict
from hub.events import only_user
from hub.inbound.callers import contact_of
from hub.inbound.events import InboundOffered, InboundWithdrawn
from hub.inbound.hours import is_open
from hub.inbound.missed import note_missed
from hub.lines.kinds import LineKind, way_to
from hub.sqlfiles import load_sql
from integrations.ports import CallUpdate, Conference, Gather, Hangup, InboundCall, Record, Reject, Ring, Say, Step

_SQL = load_sql("inbound")

# A leg rings ten others at once at the most.
_AT_ONCE = 10
# What is added to the time it rings before somebody counts as free again although nothing was heard.
_SLACK_S = 5
VOICEMAIL_S = 180
# How long somebody has for the key that takes a call on their own telephone.
ACCEPT_S = 8

RouteKind = Literal["rep", "team_in_turn", "team_at_once", "voicemail"]


@dataclass(frozen=True, slots=True)
class Route:
    """Who answers a call, resolved."""

    kind: RouteKind
    user_id: UUID | None
    team_id: UUID | None
    ring_s: int
    voicemail: bool
    greeting: str
    closed_greeting: str
    label: str
    is_open: bool


def _webhook(settings: Settings, tx: Tx, call_id: UUID, what: str) -> str:
    return f"{settings.public_url}/webhooks/twilio/{tx.who.tenant_id}/calls/{call_id}/{what}"


async def receive_call(tx: Tx, settings: Settings, number_id: UUID | None, incoming: InboundCall) -> Sequence[Step]:
    """Somebody calls: the contact, the call, and what they hear. `number_id` None is the installation's own number.

    Asked again about the same leg, it gives the same answer.
    """
    await tx.execute(_SQL["one_at_a_time"])
    if number_id is not None and await tx.fetchrow(_SQL["get_route"], number_id=number_id) is None:
        return [Reject()]
    contact_id = await contact_of(tx, incoming.from_)
    call_id = await create_inbound(
        tx, contact_id=contact_id, number_id=number_id, to=incoming.to, from_=incoming.from_, sid=incoming.sid
    )
    return await _next_steps(tx, settings, call_id)


async def ask_to_accept(tx: Tx, settings: Settings, call_id: UUID) -> Sequence[Step]:
    """Who answers their own telephone is told who calls, and takes the call by pressing any key."""
    facts = await tx.fetchrow(_SQL["call_facts"], id=call_id)
    if facts is None:
        raise missing()
    if facts["user_id"] is not None or not is_live(facts["state"]):
        return [Say("This call is no longer waiting."), Hangup()]
    said = f"A call from {facts['contact_name']}. Press any key to take it."
    return [Gather(1, _webhook(settings, tx, call_id, "accepted"), steps=[Say(said)], timeout_s=ACCEPT_S), Hangup()]


async def picked_up(tx: Tx, settings: Settings, call_id: UUID, leg_sid: str, address: str) -> Sequence[Step]:
    """Somebody who was rung answers: the call is theirs, and both are brought into its conference by a job.

    Raises Conflict when a colleague has it, or it is over, or they are on another call.
    """
    call = await lock_call(tx, call_id)
    if call is None:
        raise missing()
    ring = await tx.fetchrow(_SQL["ring_at"], call_id=call_id, address=address)
    if ring is None:
        raise Conflict("Nobody is rung at this address.", code="not_rung")
    if ring["result"] in ("answered", "joined"):
        return []
    await take_call(tx, call_id, ring["user_id"], leg_sid=leg_sid, address=address)
    await tx.execute(_SQL["end_ring"], call_id=call_id, person_id=ring["user_id"], result="answered")
    _withdraw(tx, call_id, ring["user_id"], "answered")
    await _stop_ringing(tx, call_id, "gone", "taken")
    await tx.defer("inbound.join", {"call_id": call_id, "leg_sid": leg_sid}, key=str(call_id), max_attempts=5)
    return []


async def rang(tx: Tx, settings: Settings, call_id: UUID) -> Sequence[Step]:
    """The ringing is over: the caller joins whoever took the call, or is rung on, or leaves a message."""
    await tx.execute(_SQL["one_at_a_time"])
    call = await lock_call(tx, call_id)
    if call is None:
        raise missing()
    if not is_live(call["state"]) or call["hangup_asked_at"] is not None:
        return [Hangup()]
    if call["user_id"] is None:
        await _stop_ringing(tx, call_id, "missed", "missed")
    return await _next_steps(tx, settings, call_id)


async def joined(tx: Tx, call_id: UUID, person_id: UUID) -> None:
    """The leg of whoever took the call is in its conference."""
    await tx.execute(_SQL["end_ring"], call_id=call_id, person_id=person_id, result="joined")


async def answerer(tx: Tx, call_id: UUID) -> UUID | None:
    """Who took the call and is not in its conference yet, while it is live."""
    call = await lock_call(tx, call_id)
    if call is None or not is_live(call["state"]):
        return None
    row = await tx.fetchrow(_SQL["answer_of_call"], call_id=call_id)
    return cast(UUID, row["user_id"]) if row is not None and row["result"] == "answered" else None


async def ended(tx: Tx, call_id: UUID, update: CallUpdate) -> None:
    """The provider says how the caller's leg stands; a call that nobody took has ended as a missed one."""
    heard = Heard(update.sid, update.state, update.at, update.duration_s)
    if not is_live(update.state) and await hear(tx, call_id, heard):
        await settle_untaken(tx, call_id)


async def settle_untaken(tx: Tx, call_id: UUID) -> None:
    """The call is over, whoever said so: nobody is rung any more, and what nobody took was missed."""
    await _stop_ringing(tx, call_id, "gone", "gone")
    await note_missed(tx, call_id)


async def call_of_sid(tx: Tx, sid: str) -> UUID | None:
    """The call whose contact's leg this is."""
    found: UUID | None = await tx.fetchval(_SQL["call_of_sid"], sid=sid)
    return found


async def _next_steps(tx: Tx, settings: Settings, call_id: UUID) -> Sequence[Step]:
    facts = await tx.fetchrow(_SQL["call_facts"], id=call_id)
    if facts is None or not is_live(facts["state"]):
        return [Hangup()]
    if facts["user_id"] is not None:
        callback_url = settings.public_url + conference_path(tx.who.tenant_id, call_id)
        return [Conference(conference_name(call_id), end_on_exit=True, status_callback_url=callback_url)]
    route = await _route(tx, facts["number_id"], facts["contact_id"])
    if not route.is_open:
        return await _unanswered(tx, settings, call_id, route, route.closed_greeting or route.greeting)
    ringing = [row["address"] for row in await tx.fetch(_SQL["rings_of_call"], call_id=call_id)]
    targets = ringing or await _choose(tx, settings, call_id, route)
    if not targets:
        return await _unanswered(tx, settings, call_id, route, route.greeting)
    return [
        Ring(
            targets=tuple(targets),
            timeout_s=route.ring_s,
            action_url=_webhook(settings, tx, call_id, "routed"),
            answer_url=_webhook(settings, tx, call_id, "picked"),
        )
    ]


async def _route(tx: Tx, number_id: UUID | None, contact_id: UUID) -> Route:
    row = await tx.fetchrow(_SQL["get_route"], number_id=number_id) if number_id is not None else None
    if row is None:
        # The installation's own number rings whoever talked or wrote to this contact last.
        rep: UUID | None = await tx.fetchval(_SQL["last_rep"], contact_id=contact_id)
        return Route("rep" if rep else "voicemail", rep, None, 20, True, "", "", "", True)
    hours = orjson.loads(row["hours"]) if row["hours"] is not None else None
    return Route(
        kind=cast(RouteKind, row["kind"]),
        user_id=row["user_id"],
        team_id=row["team_id"],
        ring_s=row["ring_s"],
        voicemail=row["voicemail"],
        greeting=row["greeting"],
        closed_greeting=row["closed_greeting"],
        label=row["label"],
        is_open=is_open(hours, row["time_zone"], datetime.now(UTC)),
    )


async def _choose(tx: Tx, settings: Settings, call_id: UUID, route: Route) -> list[str]:
    """Whom to ring now: those who are there and free. Each is rung once for a call."""
    if route.kind == "voicemail":
        return []
    limit = _AT_ONCE if route.kind == "team_at_once" else 50
    rows = await tx.fetch(_SQL["free_people"], call_id=call_id, of_user=route.user_id, of_team=route.team_id, limit=limit)
    targets: list[str] = []
    for row in rows:
        way = way_to(settings, tx.who.tenant_id, row["user_id"], cast(LineKind | None, row["kind"]), row["phone_e164"])
        if way is None:
            continue
        await tx.execute(
            _SQL["add_ring"], call_id=call_id, person_id=row["user_id"], address=way.address, ring_s=route.ring_s + _SLACK_S
        )
        await _offer(tx, call_id, row["user_id"], route)
        targets.append(way.address)
        if route.kind != "team_at_once":
            break
    return targets


async def _unanswered(tx: Tx, settings: Settings, call_id: UUID, route: Route, greeting: str) -> Sequence[Step]:
    await note_missed(tx, call_id)
    company = await tx.fetchval(_SQL["company_name"])
    if not route.voicemail:
        return [Say(greeting or f"You have reached {company}. Nobody can take your call right now. Goodbye."), Hangup()]
    usual = f"You have reached {company}. Nobody can take your call right now. Please leave a message after the tone."
    return [
        Say(greeting or usual),
        Record(
            VOICEMAIL_S,
            callback_url=_webhook(settings, tx, call_id, "voicemail"),
            transcribe=True,
            transcription_url=_webhook(settings, tx, call_id, "voicemail-text"),
            action_url=_webhook(settings, tx, call_id, "recorded"),
        ),
        Hangup(),
    ]


async def _offer(tx: Tx, call_id: UUID, person_id: UUID, route: Route) -> None:
    facts = await tx.fetchrow(_SQL["call_facts"], id=call_id)
    assert facts is not None
    data = {
        "call_id": call_id,
        "contact_id": facts["contact_id"],
        "contact_name": facts["contact_name"],
        "from_number": facts["from_number"],
        "to_number": facts["to_number"],
        "number_label": route.label,
        "until": datetime.now(UTC) + timedelta(seconds=route.ring_s),
    }
    tx.emit(InboundOffered(call_id, data, only_user(person_id)))


async def _stop_ringing(
    tx: Tx, call_id: UUID, result: Literal["missed", "gone"], said: Literal["taken", "missed", "gone"]
) -> None:
    for row in await tx.fetch(_SQL["end_rings"], call_id=call_id, result=result):
        _withdraw(tx, call_id, row["user_id"], said)


def _withdraw(tx: Tx, call_id: UUID, person_id: UUID, result: Literal["answered", "taken", "missed", "gone"]) -> None:
    tx.emit(InboundWithdrawn(call_id, {"call_id": call_id, "result": result}, only_user(person_id)))
