"""What is done with reps' open lines, their choice of how to talk, and the company's voice settings."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import asyncpg
import orjson

from hub.contacts.addresses import AddressError, parse_phone
from hub.db import Tx
from hub.errors import Conflict, Forbidden, Invalid, NotFound
from hub.lines.events import LineChanged, VoiceSettingsUpdated
from hub.lines.kinds import LineKind, Way
from hub.lines.models import VoiceSettings
from hub.sqlfiles import load_sql

_SQL = load_sql("lines")


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person has chosen; `kind` is None where they have chosen nothing."""

    kind: LineKind | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What the rules of calls need to know of a company's voice settings."""

    show_listeners: bool
    ring_s: int
    machine_detection: bool
    recording: str


async def settled(tx: Tx) -> Settled:
    """The company's voice settings, or the defaults."""
    row = await tx.fetchrow(_SQL["get_voice_settings"])
    assert row is not None
    return Settled(row["show_listeners"], row["ring_s"], row["machine_detection"], row["recording"])


async def read_settings(tx: Tx) -> str:
    """The company's voice settings as JSON."""
    text: str = await tx.fetchval(_SQL["get_voice_settings"])
    return text


async def put_settings(tx: Tx, wanted: VoiceSettings) -> str:
    """Settle calls differently; returns the settings as JSON."""
    await tx.execute(_SQL["put_voice_settings"], **wanted.model_dump())
    text = await read_settings(tx)
    tx.emit(VoiceSettingsUpdated(tx.who.tenant_id, {"settings": orjson.Fragment(text)}))
    return text


async def choice_of(tx: Tx, user_id: UUID) -> Choice:
    """How a person has chosen to talk."""
    row = await tx.fetchrow(_SQL["get_choice"], person_id=user_id)
    return Choice(row["kind"], row["phone_e164"]) if row is not None else Choice()


async def choose(tx: Tx, user_id: UUID, kind: LineKind, phone: str | None, available: tuple[LineKind, ...]) -> Choice:
    """Choose how to talk. Invalid when that is not set up here, or a bridge has no number."""
    if kind not in available:
        raise Invalid.field("kind", f"The {kind} is not set up here.")
    number = (await choice_of(tx, user_id)).phone if phone is None else None
    if phone:
        try:
            number = parse_phone(phone).e164
        except AddressError as exc:
            raise Invalid.field("phone", str(exc)) from None
    if kind == "bridge" and not number:
        raise Invalid.field("phone", "A bridge rings your own telephone: give its number.")
    await tx.execute(_SQL["put_choice"], person_id=user_id, kind=kind, phone=number)
    return Choice(kind, number)


def missing() -> NotFound:
    """The answer for a line that is not there, or not this tenant's."""
    return NotFound("There is no such line.", code="line_not_found")


async def line_of(tx: Tx, user_id: UUID) -> asyncpg.Record | None:
    """The line a person has open or is opening: id, state, kind, address, provider_sid, call_id."""
    return await tx.fetchrow(_SQL["line_of"], person_id=user_id)


async def open_line(tx: Tx, user_id: UUID, way: Way, from_number: str) -> UUID:
    """Open a line for a person, or return the one there is. Its state follows by line.changed."""
    there = await line_of(tx, user_id)
    if there is not None:
        found: UUID = there["id"]
        return found
    line_id: UUID = await tx.fetchval(
        _SQL["insert_line"], person_id=user_id, kind=way.kind, address=way.address, from_number=from_number
    )
    await emit(tx, line_id)
    await tx.defer("lines.open", {"line_id": line_id}, key=str(line_id), max_attempts=20)
    return line_id


async def close_line(tx: Tx, line_id: UUID) -> str:
    """End a line; one's own, or anybody's as a manager. Not while it is in a call."""
    line = await lock_line(tx, line_id)
    if line is None:
        raise missing()
    if line["user_id"] != tx.who.user_id and tx.who.user_id is not None and not tx.who.is_manager:
        raise Forbidden("This is a colleague's line; a manager can do this.")
    if line["state"] != "ended":
        if line["call_id"] is not None:
            raise Conflict("The line is in a call. End that first.", code="line_in_a_call")
        await tx.execute(_SQL["ask_line_to_end"], id=line_id)
        if line["asked_at"] is None:
            await end_line(tx, line, None)
        elif line["provider_sid"] is not None:
            await tx.defer("lines.hang_up", {"line_id": line_id})
    return await read_line(tx, line_id)


async def read_line(tx: Tx, line_id: UUID) -> str:
    """A line as JSON. NotFound when there is none."""
    text: str | None = await tx.fetchval(_SQL["get_line"], id=line_id)
    if text is None:
        raise missing()
    return text


async def lock_line(tx: Tx, line_id: UUID) -> asyncpg.Record | None:
    """A line, held until the transaction ends."""
    return await tx.fetchrow(_SQL["lock_line"], id=line_id)


async def enter(tx: Tx, line_id: UUID, call_id: UUID) -> None:
    """The line is to be in this call from now on."""
    await _move(tx, line_id, call_id)


async def leave(tx: Tx, line_id: UUID, call_id: UUID) -> None:
    """Park the line if it is still meant to be in this call."""
    line = await lock_line(tx, line_id)
    if line is not None and line["call_id"] == call_id:
        await _move(tx, line_id, None)


async def end_line(tx: Tx, line: asyncpg.Record, error: str | None) -> bool:
    """A locked line has ended, with the reason if it was not wanted; False when it had before."""
    if line["state"] == "ended":
        return False
    await tx.execute(_SQL["end_line"], id=line["id"], error=error)
    await emit(tx, line["id"])
    return True


async def emit(tx: Tx, line_id: UUID) -> None:
    """Log the line as it is now."""
    tx.emit(LineChanged(line_id, {"line": orjson.Fragment(await read_line(tx, line_id))}))


async def _move(tx: Tx, line_id: UUID, call_id: UUID | None) -> None:
    if await tx.fetchval(_SQL["move_line"], id=line_id, call_id=call_id) is not None:
        await emit(tx, line_id)
        await tx.defer("lines.move", {"line_id": line_id})
