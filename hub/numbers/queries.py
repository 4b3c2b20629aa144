"""Reads of telephone numbers."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import orjson

from hub.company.days import zone_of
from hub.db import Tx
from hub.http.paging import page, read_cursor
from hub.numbers.areas import Area, area_of
from hub.numbers.models import NumberFilter
from hub.sqlfiles import load_sql

_SQL = load_sql("numbers")


@dataclass(frozen=True, slots=True)
class Shown:
    """A number that may be shown, and how well it fits: 1 is best."""

    id: UUID
    e164: str
    rank: int


async def list_numbers(tx: Tx, asked: NumberFilter, shared: str | None) -> str:
    """A page of numbers as JSON text. The first begins with the installation's own, `shared`, if there is one."""
    after = read_cursor(asked.cursor, "e164")
    rows = await tx.fetch(
        _SQL["list_numbers"],
        limit=asked.limit + 1,
        current=not asked.every,
        after_key=after.key if after else None,
        after_id=after.id if after else None,
    )
    text = page(rows, asked.limit, "e164")
    if shared is None or after is not None:
        return text
    zone = (await zone_of(tx)).key
    return '{"data":[' + _shared(shared, zone) + ("," if rows else "") + text.removeprefix('{"data":[')


def _shared(e164: str, zone: str) -> str:
    area = area_of(e164)
    number = {
        "id": None,
        "e164": e164,
        "label": "Shared number",
        "state": "active",
        "error": None,
        "country": area.country,
        "region": area.region,
        "locality": "",
        "area_code": area.area_code,
        "time_zone": zone,
        "voice": True,
        "sms": True,
        "shared": True,
        "user": None,
        "team": None,
        "routing": None,
        "created_at": None,
    }
    return orjson.dumps(number).decode()


async def caller_id(tx: Tx, to: Area, user_id: UUID | None, *, sms: bool) -> Shown | None:
    """The number of the company's that fits best for this person and this destination."""
    row = await tx.fetchrow(
        _SQL["caller_id"],
        country=to.country,
        region=to.region,
        area_code=to.area_code,
        caller_id=user_id,
        for_voice=not sms,
        for_sms=sms,
    )
    return Shown(row["id"], row["e164"], row["rank"]) if row else None


async def usable_number(tx: Tx, e164: str) -> UUID | None:
    """The id of a number that who acts may call or write from; None when there is none of these digits."""
    found: UUID | None = await tx.fetchval(
        _SQL["usable_number"], e164=e164, caller_id=tx.who.user_id, is_manager=tx.who.is_manager
    )
    return found
