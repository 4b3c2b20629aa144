"""What the hours should be, worked out the slow and simple way: look at every quarter of an hour on every wall clock."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

QUARTER = timedelta(minutes=15)
HORIZON = timedelta(days=30)
NEVER = (0, 0)
# From and to, in minutes of the day; one for each weekday from Monday.
Week = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Hours:
    """When somebody may be reached: in these zones, in these hours of the week, not on these dates."""

    zones: Sequence[str]
    week: Week
    shut: Collection[date] = ()

    def is_open(self, at: datetime) -> bool:
        """Whether every zone's clock shows a time at which it is allowed."""
        for zone in self.zones:
            wall = at.astimezone(ZoneInfo(zone))
            opens, closes = self.week[wall.weekday()]
            if wall.date() in self.shut or not opens <= wall.hour * 60 + wall.minute < closes:
                return False
        return True

    def opens_at(self, at: datetime) -> datetime | None:
        """The first moment from `at` on at which it is open; None when there is none for a month."""
        if self.is_open(at):
            return at
        moment = _quarter_after(at)
        while moment <= at + HORIZON:
            if self.is_open(moment):
                return moment
            moment += QUARTER
        return None

    def closes_at(self, at: datetime) -> datetime:
        """For a moment at which it is open: the first at which it is not, midnight somewhere at the latest."""
        moment = _quarter_after(at)
        while self.is_open(moment) and all(_same_day(at, moment, zone) for zone in self.zones):
            moment += QUARTER
        return moment


def _quarter_after(at: datetime) -> datetime:
    return datetime.fromtimestamp((at.timestamp() // 900 + 1) * 900, UTC)


def _same_day(one: datetime, other: datetime, zone: str) -> bool:
    return one.astimezone(ZoneInfo(zone)).date() == other.astimezone(ZoneInfo(zone)).date()


def every_day(opens: int, closes: int) -> list[tuple[int, int]]:
    """The same hours on all seven days."""
    return [(opens, closes)] * 7


def days(monday_to_friday: tuple[int, int], saturday: tuple[int, int], sunday: tuple[int, int]) -> list[tuple[int, int]]:
    """Hours by kind of day."""
    return [monday_to_friday] * 5 + [saturday, sunday]


def strictest(*weeks: Week) -> list[tuple[int, int]]:
    """What all of them allow."""
    return [(max(d[0] for d in day), min(d[1] for d in day)) for day in zip(*weeks, strict=True)]


FEDERAL = every_day(8 * 60, 21 * 60)

# What the statutes say, read again by hand for the tests: state, one of its area codes, its zones, its hours.
STATES: dict[str, tuple[str, tuple[str, ...], Week]] = {
    "NY": ("212", ("America/New_York",), FEDERAL),
    "CA": ("310", ("America/Los_Angeles",), FEDERAL),
    "AZ": ("602", ("America/Phoenix",), FEDERAL),
    "HI": ("808", ("Pacific/Honolulu",), FEDERAL),
    "FL": ("305", ("America/New_York",), every_day(8 * 60, 20 * 60)),
    "FL panhandle": ("850", ("America/New_York", "America/Chicago"), every_day(8 * 60, 20 * 60)),
    "ID": ("208", ("America/Boise", "America/Denver", "America/Los_Angeles"), FEDERAL),
    "WA": ("206", ("America/Los_Angeles",), every_day(8 * 60, 20 * 60)),
    "OK": ("405", ("America/Chicago",), every_day(8 * 60, 20 * 60)),
    "MD": ("410", ("America/New_York",), every_day(8 * 60, 20 * 60)),
    "MA": ("617", ("America/New_York",), every_day(8 * 60, 20 * 60)),
    "CT": ("860", ("America/New_York",), every_day(9 * 60, 20 * 60)),
    "KY": ("502", ("America/New_York",), every_day(10 * 60, 21 * 60)),
    "MS": ("601", ("America/Chicago",), days((8 * 60, 20 * 60), (8 * 60, 20 * 60), NEVER)),
    "TX": ("512", ("America/Chicago",), days((9 * 60, 21 * 60), (9 * 60, 21 * 60), (12 * 60, 21 * 60))),
    "ON": ("416", ("America/Toronto",), days((9 * 60, 21 * 60 + 30), (10 * 60, 18 * 60), (10 * 60, 18 * 60))),
    "NL": ("709", ("America/St_Johns", "America/Halifax"), days((9 * 60, 21 * 60 + 30), (10 * 60, 18 * 60), (10 * 60, 18 * 60))),
}
