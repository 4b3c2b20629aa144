"""Quiet hours: when a person wants neither mail nor pushes, by the wall clock of their zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_SATURDAY = 5
_STEPS = 20


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Minutes after midnight; from later to earlier is over midnight, from a minute to the same is never."""

    quiet: bool = False
    quiet_from: int = 20 * 60
    quiet_until: int = 8 * 60
    quiet_weekends: bool = False
    zone: str = "UTC"

    def end(self, now: datetime) -> datetime | None:
        """When the quiet that is now will be over; None when it is not quiet now."""
        if not self.quiet:
            return None
        moment = now
        for _ in range(_STEPS):
            later = self._next(moment)
            if later is None:
                break
            # A clock that is put back must not hold us here.
            moment = max(later, moment + timedelta(minutes=1))
        return moment if moment > now else None

    def _next(self, moment: datetime) -> datetime | None:
        zone: tzinfo = zone_named(self.zone) or UTC
        local = moment.astimezone(zone)
        tomorrow = local.date() + timedelta(days=1)
        if self.quiet_weekends and local.weekday() >= _SATURDAY:
            return _at(tomorrow, 0, zone)
        minute = local.hour * 60 + local.minute
        if self.quiet_from <= self.quiet_until:
            return _at(local.date(), self.quiet_until, zone) if self.quiet_from <= minute < self.quiet_until else None
        if minute >= self.quiet_from:
            return _at(tomorrow, self.quiet_until, zone)
        return _at(local.date(), self.quiet_until, zone) if minute < self.quiet_until else None


def _at(day: date, minute: int, zone: tzinfo) -> datetime:
    local = datetime.combine(day, time(minute // 60, minute % 60), tzinfo=zone)
    return local.astimezone(UTC)


@lru_cache(maxsize=1000)
def zone_named(name: str) -> ZoneInfo | None:
    """The time zone of this IANA name; None when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
