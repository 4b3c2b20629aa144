"""The company's time zone: where its day begins and ends, and by which its letters say a day or an hour."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.db import Tx
from hub.sqlfiles import load_sql

_SQL = load_sql("company")


async def zone_of(tx: Tx) -> ZoneInfo:
    """The company's time zone; UTC where it never said one, or where this machine does not know it."""
    return zone_named(await tx.fetchval(_SQL["get_zone"]))


def zone_named(name: str) -> ZoneInfo:
    """The time zone of an IANA name; UTC for what is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def midnight(zone: ZoneInfo, moment: datetime) -> datetime:
    """When the day began to which a moment belongs, in UTC.

    Where clocks are put forward at midnight it is the first moment of the day, where they are put back the first of the two.
    """
    return datetime.combine(moment.astimezone(zone).date(), time(), tzinfo=zone).astimezone(UTC)


def zone_said(zone: ZoneInfo) -> str:
    """The zone as it stands behind a time: UTC, or Europe/Berlin time."""
    return "UTC" if zone.key == "UTC" else f"{zone.key.replace('_', ' ')} time"
