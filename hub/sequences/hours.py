"""When a schedule is open: business hours on the wall clock of a zone, holidays left out, days of 23 and 25 hours as they are.

Moments are whole seconds since 1970 (UTC), because a hundred thousand of them are planned at once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

# Nothing is planned further ahead than this.
HORIZON_DAYS = 400
DAY_S = 86_400
# A step is taken up to this much after its moment, so a day's hours end this much earlier for planning.
SLACK_S = 30

_EPOCH = date(1970, 1, 1)
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a sequence may happen: minutes of the day by ISO weekday, a country's holidays ("" none), whose clock.

    `zone` is "contact" or an IANA name; `fallback` is the zone of contacts whose own is not known.
    """

    days: Mapping[int, tuple[int, int]]
    holidays: str = ""
    zone: str = "contact"
    fallback: str = "UTC"

    @property
    def key(self) -> str:
        """The same for schedules that are open at the same times."""
        return f"{sorted(self.days.items())} {self.holidays}"

    def zone_of(self, contact_zone: str) -> str:
        """Whose clock counts for a contact whose own zone is this ("" unknown)."""
        if self.zone != "contact":
            return self.zone
        return contact_zone if contact_zone and is_zone(contact_zone) else self.fallback


@lru_cache(maxsize=1000)
def is_zone(name: str) -> bool:
    """Whether there is such a time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


@lru_cache(maxsize=1)
def holiday_countries() -> frozenset[str]:
    """The countries whose holidays are known, as ISO 3166 codes."""
    return frozenset(holidays.list_supported_countries(include_aliases=False))


@lru_cache(maxsize=200)
def _holidays_of(country: str, year: int) -> Mapping[date, str]:
    return dict(holidays.country_holidays(country, years=year)) if country in holiday_countries() else {}


def local(zone: ZoneInfo, moment: int) -> datetime:
    """What the clock shows in a zone."""
    return datetime.fromtimestamp(moment, zone)


def wall_intervals(zone: ZoneInfo, day: date, from_minute: int, to_minute: int) -> list[tuple[int, int]]:
    """The moments of a day at which its zone's clock shows a time from one minute up to another, as [start, end).

    On the day on which an hour is skipped they are fewer, and where one is lived twice there may be two intervals.
    """
    naive = (day - _EPOCH).days * DAY_S
    low, high = naive - 15 * 3600, naive + 39 * 3600
    first, last = _offset(zone, low), _offset(zone, high)
    if first == last:
        return [(naive + from_minute * 60 - first, naive + to_minute * 60 - first)]
    turn = _turn(zone, low, high)
    found: list[tuple[int, int]] = []
    for begins, ends, offset in ((low, turn, first), (turn, high, last)):
        start = max(begins, naive + from_minute * 60 - offset)
        end = min(ends, naive + to_minute * 60 - offset)
        if start < end:
            if found and found[-1][1] == start:
                found[-1] = (found[-1][0], end)
            else:
                found.append((start, end))
    return found


def at_wall(zone: ZoneInfo, day: date, second: int) -> int:
    """The moment at which the clock shows this second of a day; one that is skipped is the moment of the skip."""
    minute = second // 60
    parts = wall_intervals(zone, day, minute, minute + 1)
    if parts:
        return parts[0][0] + second % 60
    naive = (day - _EPOCH).days * DAY_S
    return _turn(zone, naive - 15 * 3600, naive + 39 * 3600)


def _offset(zone: ZoneInfo, moment: int) -> int:
    shift = datetime.fromtimestamp(moment, zone).utcoffset()
    return int(shift.total_seconds()) if shift is not None else 0


def _turn(zone: ZoneInfo, low: int, high: int) -> int:
    before = _offset(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


class Hours:
    """A schedule's open hours in one zone, worked out as far as they are asked for.

    `quiet` are the company's own days on which nobody is reached, with their names.
    """

    def __init__(self, schedule: Schedule, zone: str, quiet: Mapping[date, str], since: int) -> None:
        self.schedule = schedule
        self.zone = ZoneInfo(zone)
        self.place = zone.rsplit("/", 1)[-1].replace("_", " ")
        self._quiet = quiet
        self._first = local(self.zone, since).date() - timedelta(days=1)
        self._next = self._first
        self._last = self._first + timedelta(days=HORIZON_DAYS + 2)
        self._why: dict[tuple[date, date], str] = {}
        self._starts: list[int] = []
        self._ends: list[int] = []

    def open_at(self, moment: int) -> int | None:
        """The first open moment from this one on; None when there is none within the horizon."""
        ends = self._ends
        while not ends or ends[-1] <= moment:
            if not self._grow():
                return None
        start = self._starts[bisect_right(ends, moment)]
        return start if start > moment else moment

    def why_shut(self, since: int, until: int) -> str:
        """Why it is not open from one moment to another, in words."""
        first, last = local(self.zone, since).date(), local(self.zone, until).date()
        found = self._why.get((first, last))
        if found is None:
            days = [first + timedelta(days=n) for n in range(max((last - first).days, 0))]
            closed = dict.fromkeys(filter(None, map(self.closed_day, days)))
            if closed:
                found = "closed: " + ", ".join(closed)
            else:
                from_minute, to_minute = self.schedule.days[last.isoweekday()]
                found = f"outside the hours of {_clock(from_minute)} to {_clock(to_minute)}"
            self._why[first, last] = found
        return found

    def closed_day(self, day: date) -> str | None:
        """Why nothing happens on a whole day, in words; None when it is a business day."""
        if day.isoweekday() not in self.schedule.days:
            return f"no {DAY_NAMES[day.weekday()]}s"
        if day in self._quiet:
            return f"a quiet day ({self._quiet[day]})" if self._quiet[day] else "a quiet day"
        if self.schedule.holidays:
            name = _holidays_of(self.schedule.holidays, day.year).get(day)
            if name is not None:
                return f"a holiday ({name})"
        return None

    def after_business_days(self, moment: int, days: int) -> int:
        """The same time of day so many business days later; the horizon's end when there are not as many."""
        then = local(self.zone, moment)
        day = then.date()
        left = days
        while left and day < self._last:
            day += timedelta(days=1)
            if self.closed_day(day) is None:
                left -= 1
        return at_wall(self.zone, day, then.hour * 3600 + then.minute * 60 + then.second)

    def after_minutes(self, moment: int, minutes: int) -> int:
        """So many minutes later. Whole days are days of the calendar, so that ten o'clock stays ten o'clock."""
        days, rest = divmod(minutes, 1440)
        if days:
            then = local(self.zone, moment)
            moment = at_wall(self.zone, then.date() + timedelta(days=days), then.hour * 3600 + then.minute * 60 + then.second)
        return moment + rest * 60

    def _grow(self) -> bool:
        if self._next > self._last:
            return False
        day = self._next
        self._next += timedelta(days=1)
        if self.closed_day(day) is None:
            from_minute, to_minute = self.schedule.days[day.isoweekday()]
            for start, end in wall_intervals(self.zone, day, from_minute, to_minute):
                if start < end - SLACK_S:
                    self._starts.append(start)
                    self._ends.append(end - SLACK_S)
        return True


class Days:
    """The calendar days of a zone: which day a moment belongs to, and when days begin."""

    def __init__(self, zone: str, since: int) -> None:
        self._zone = ZoneInfo(zone)
        self.first = local(self._zone, since).date() - timedelta(days=8)
        self._begins: list[int] = []

    def index(self, moment: int) -> int:
        """The number of the day, counted from `first`."""
        while not self._begins or self._begins[-1] <= moment:
            self._begins.append(at_wall(self._zone, self.first + timedelta(days=len(self._begins)), 0))
        return max(bisect_right(self._begins, moment) - 1, 0)

    def begin(self, index: int) -> int:
        """When a day begins."""
        while len(self._begins) <= index:
            self._begins.append(at_wall(self._zone, self.first + timedelta(days=len(self._begins)), 0))
        return self._begins[index]

    def date(self, index: int) -> date:
        """The date of a day."""
        return self.first + timedelta(days=index)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def said(zone: ZoneInfo, moment: int) -> str:
    """A moment as people read it: Tue 24 Nov 10:15."""
    return _said(zone.key, moment // 60)


@lru_cache(maxsize=50_000)
def _said(zone: str, minute: int) -> str:
    return f"{datetime.fromtimestamp(minute * 60, ZoneInfo(zone)):%a %d %b %H:%M}"


def seconds(moment: datetime) -> int:
    """Whole seconds since 1970, rounded up, so that nothing happens before its time."""
    return -int(-moment.timestamp() // 1)


def moment_of(value: int) -> datetime:
    """The datetime of a moment in seconds."""
    return datetime.fromtimestamp(value, UTC)
