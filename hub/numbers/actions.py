"""The writes on telephone numbers, and which of them is shown to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from hub.company.days import zone_of
from hub.contacts.addresses import AddressError, parse_phone
from hub.db import Tx
from hub.errors import Conflict, Invalid, NotFound, PreconditionFailed
from hub.numbers import queries
from hub.numbers.areas import area_of
from hub.numbers.events import NumberCreated, NumberReleased, NumberUpdated
from hub.numbers.models import NumberIn, NumberPatch, RoutingPatch
from hub.sqlfiles import load_sql

_SQL = load_sql("numbers")

_OWN_OR_LOCAL_OR_TEAM = 4


def missing() -> NotFound:
    """The answer for a number that is not there, or not this tenant's."""
    return NotFound("There is no such number.", code="number_not_found")


async def caller_id(
    tx: Tx, to_e164: str, user_id: UUID | None, *, default: str = "", sms: bool = False
) -> tuple[UUID | None, str]:
    """The number to call (or, with `sms`, to write) from: its id and its digits.

    The rep's own, else one that looks local to `to_e164`, else their team's, else `default`, the installation's own, whose
    id is None. Where there is no default any number of the company's does; with none at all the digits are empty.
    """
    found = await queries.caller_id(tx, area_of(to_e164), user_id, sms=sms)
    if found is not None and (found.rank <= _OWN_OR_LOCAL_OR_TEAM or not default):
        return found.id, found.e164
    return None, default


async def chosen_number(tx: Tx, written: str, *, default: str = "") -> tuple[UUID | None, str]:
    """The number that somebody chose to call or write from. Raises Invalid when it is not theirs to show."""
    try:
        e164 = parse_phone(written).e164
    except AddressError as exc:
        raise Invalid.field("from", str(exc)) from None
    number_id = await queries.usable_number(tx, e164)
    if number_id is None and e164 != default:
        raise Invalid.field("from", f"{e164} is not one of your numbers.")
    return number_id, e164


async def buy_number(tx: Tx, given: NumberIn, shared: str) -> tuple[str, int]:
    """Ask for a number to be bought and return its JSON and version. The buying is a job.

    Raises Invalid for what is no number, Conflict for one that the company has or that is another company's.
    """
    try:
        phone = parse_phone(given.e164)
    except AddressError as exc:
        raise Invalid.field("e164", str(exc)) from None
    if phone.e164 == shared or not await tx.fetchval(_SQL["claim"], e164=phone.e164):
        raise Conflict(f"{phone.e164} is not for sale any more.", code="number_is_taken")
    area = area_of(phone.e164)
    number_id: UUID = await tx.fetchval(
        _SQL["insert_number"],
        e164=phone.e164,
        label=given.label,
        country=area.country,
        region=area.region,
        area_code=area.area_code,
        locality=given.locality,
        time_zone=_place(phone.time_zones, (await zone_of(tx)).key),
    )
    await tx.defer("numbers.buy", {"number_id": number_id}, key=str(number_id), max_attempts=20)
    text, version = await _read(tx, number_id)
    tx.emit(NumberCreated(number_id, {"number": orjson.Fragment(text)}))
    return text, version


def _place(zones: Sequence[str], company: str) -> str:
    """The zone whose clock opens and closes a number: its own, or the company's where it may be that one or stands nowhere."""
    return company if not zones or company in zones else zones[0]


async def release_number(tx: Tx, number_id: UUID) -> tuple[str, int]:
    """Give a number back; returns its JSON and version. One that is being given back already stays so."""
    number = await tx.fetchrow(_SQL["lock_number"], id=number_id)
    if number is None:
        raise missing()
    if number["state"] == "buying":
        raise Conflict("This number is being bought; give it a moment.", code="number_is_being_bought")
    if await tx.execute(_SQL["begin_release"], id=number_id):
        await tx.defer("numbers.release", {"number_id": number_id}, max_attempts=20)
        await emit_number(tx, number_id)
    return await _read(tx, number_id)


async def update_number(tx: Tx, number_id: UUID, given: NumberPatch, version: int | None) -> tuple[str, int]:
    """Label a number, assign it, set who answers it; returns its JSON and the new version.

    Raises NotFound; Conflict for one the company no longer has; PreconditionFailed when somebody else was quicker.
    """
    number = await tx.fetchrow(_SQL["lock_number"], id=number_id)
    if number is None:
        raise missing()
    if version is not None and version != number["version"]:
        raise PreconditionFailed("Somebody changed this number since you opened it. Look at it again, then save.")
    if number["state"] not in ("buying", "active"):
        raise Conflict("The company does not have this number any more.", code="number_is_gone")
    fields = given.model_fields_set
    changes: dict[str, Any] = {}
    if given.label is not None:
        changes |= {"set_label": True, "label": given.label}
    if given.time_zone is not None:
        changes |= {"set_time_zone": True, "time_zone": given.time_zone}
    if {"user_id", "team_id"} & fields:
        # Whoever gets it takes it from who had it.
        changes |= {"set_user": True, "to_user": given.user_id, "set_team": True, "to_team": given.team_id}
    await tx.execute(_SQL["update_number"], id=number_id, **changes)
    if given.routing is not None:
        await tx.execute(_SQL["ensure_route"], id=number_id)
        await tx.execute(_SQL["update_route"], id=number_id, **_route_changes(given.routing))
    await emit_number(tx, number_id)
    return await _read(tx, number_id)


def _route_changes(given: RoutingPatch) -> Mapping[str, Any]:
    changes: dict[str, Any] = {}
    if given.kind is not None:
        to_user = given.user_id if given.kind == "rep" else None
        to_team = given.team_id if given.kind in ("team_in_turn", "team_at_once") else None
        changes |= {"set_kind": True, "kind": given.kind, "to_user": to_user, "to_team": to_team}
    if "hours" in given.model_fields_set:
        hours = given.model_dump(mode="json", by_alias=True)["hours"]
        changes |= {"set_hours": True, "hours": None if hours is None else orjson.dumps(hours).decode()}
    for name in ("ring_s", "voicemail", "greeting", "closed_greeting"):
        value = getattr(given, name)
        if value is not None:
            changes |= {f"set_{name}": True, name: value}
    return changes


async def read_number(tx: Tx, number_id: UUID) -> tuple[str, int]:
    """A number as JSON, and its version. NotFound when there is none."""
    return await _read(tx, number_id)


async def _read(tx: Tx, number_id: UUID) -> tuple[str, int]:
    row = await tx.fetchrow(_SQL["get_number"], id=number_id)
    if row is None:
        raise missing()
    return row["json"], row["version"]


async def emit_number(tx: Tx, number_id: UUID, *, released: bool = False) -> None:
    """Log the number as it is now."""
    text, _ = await _read(tx, number_id)
    event = NumberReleased if released else NumberUpdated
    tx.emit(event(number_id, {"number": orjson.Fragment(text)}))
