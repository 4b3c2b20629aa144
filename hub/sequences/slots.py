"""Places in a mailbox's (or a domain's) time, given away one by one so that no cap is ever exceeded."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from hub.sequences.hours import DAY_S, SLACK_S, Days, Hours

# Told what moved somebody on (a code), from which moment, and to which.
Note = Callable[[str, int, int], None]

# What is sent a little after its moment must not make an hour shorter.
HOUR_SPAN_S = 3600 + SLACK_S
WEEK_SPAN_S = 7 * DAY_S + SLACK_S


@dataclass(frozen=True, slots=True)
class WarmUp:
    """A day's cap that grows: `start` on the first day, `add` more on each day after it."""

    started_on: date
    start: int
    add: int


@dataclass(frozen=True, slots=True)
class Caps:
    """How many at the most: in any 60 minutes, on a calendar day, in any seven days; None is no cap. `gap_s` lies between two."""

    per_hour: int | None = None
    per_day: int | None = None
    per_week: int | None = None
    gap_s: int = 0
    warm_up: WarmUp | None = None

    def on(self, day: date) -> int | None:
        """The cap of one day."""
        if self.warm_up is None:
            return self.per_day
        grown = max(self.warm_up.start + self.warm_up.add * max((day - self.warm_up.started_on).days, 0), 1)
        return grown if self.per_day is None else min(grown, self.per_day)

    @property
    def key(self) -> str:
        """The same for the same caps: what was planned by others is planned anew."""
        ramp = f"{self.warm_up.started_on}+{self.warm_up.start}+{self.warm_up.add}" if self.warm_up else ""
        return f"{self.per_hour}/{self.per_day}/{self.per_week}/{self.gap_s}/{ramp}"

    @property
    def is_open(self) -> bool:
        """Whether there is no cap at all."""
        return not self.gap_s and self.warm_up is None and (self.per_hour, self.per_day, self.per_week) == (None, None, None)


class Lane:
    """The moments that are given away, in order, and the caps they keep.

    `people` are those at which somebody wrote a mail themselves: no cap refuses those, and all of them count.
    """

    def __init__(self, caps: Caps, days: Days, taken: Iterable[int] = (), people: Iterable[int] = ()) -> None:
        self.caps = caps
        self._days = days
        self._people = sorted(people)
        self._times = sorted([*taken, *self._people])
        self._by_day: dict[int, int] = {}
        for moment in self._times:
            self._count(moment)
        # From a full day on, the first that is not.
        self._skip: dict[int, int] = {}
        # By the hours asked for: from one moment to another nothing is free.
        self._nothing_free: dict[Hours, tuple[int, int]] = {}

    def __len__(self) -> int:
        return len(self._times)

    def first_free(self, moment: int, hours: Hours, gap_s: int, note: Note) -> int | None:
        """The first moment from this one on that is open and keeps every cap; None when there is none within the horizon.

        `gap_s` lies between it and its neighbours. `note` is told what moved it, and to when.
        """
        begun = moment
        since, until = self._nothing_free.get(hours, (0, 0))
        if since <= moment < until:
            begun = since
            note("queue", moment, until)
            moment = until
        while True:
            opens = hours.open_at(moment)
            if opens is None:
                return None
            if opens > moment:
                note("hours", moment, opens)
                # Not everybody's first mail at the stroke of nine.
                late = opens + gap_s % self.caps.gap_s if self.caps.gap_s else opens
                moment = late if hours.open_at(late) == late else opens
            free = self.fits(moment, gap_s, note)
            if free == moment:
                self._nothing_free[hours] = (begun, moment)
                return moment
            moment = free

    def fits(self, moment: int, gap_s: int, note: Note) -> int:
        """The same moment when it keeps every cap, else a later one before which none does."""
        caps, times = self.caps, self._times
        if gap_s and times:
            moved = _apart(times, moment, gap_s)
            if moved != moment:
                note("gap", moment, moved)
                return moved
        if caps.per_day is not None or caps.warm_up is not None:
            moved = self._day_with_room(moment)
            if moved != moment:
                note("day", moment, moved)
                return moved
        if caps.per_hour is not None:
            moved = _rolling(times, moment, caps.per_hour, HOUR_SPAN_S)
            if moved != moment:
                note("hour", moment, moved)
                return moved
        if caps.per_week is not None:
            moved = _rolling(times, moment, caps.per_week, WEEK_SPAN_S)
            if moved != moment:
                note("week", moment, moved)
                return moved
        return moment

    def written_by_people(self, code: str, until: int) -> int:
        """How many of the mails that used a cap (`hour`, `day` or `week`) up until a moment were written by people; else 0."""
        if code not in ("hour", "day", "week"):
            return 0
        since = until - WEEK_SPAN_S if code == "week" else until - HOUR_SPAN_S
        if code == "day":
            day = self._days.index(until) - 1
            since, until = self._days.begin(day), self._days.begin(day + 1)
        return bisect_left(self._people, until) - bisect_left(self._people, since)

    def take(self, moment: int) -> None:
        """Give a moment away."""
        if self._times and moment < self._times[-1]:
            insort(self._times, moment)
        else:
            self._times.append(moment)
        self._count(moment)

    def _count(self, moment: int) -> None:
        day = self._days.index(moment)
        self._by_day[day] = self._by_day.get(day, 0) + 1

    def _day_with_room(self, moment: int) -> int:
        first = day = self._days.index(moment)
        while True:
            day = self._skip.get(day, day)
            cap = self.caps.on(self._days.date(day))
            if cap is None or self._by_day.get(day, 0) < cap:
                break
            day += 1
        if day == first:
            return moment
        self._skip[first] = day
        return self._days.begin(day)


def _apart(times: list[int], moment: int, gap_s: int) -> int:
    place = bisect_left(times, moment)
    if place and moment - times[place - 1] < gap_s:
        moment = times[place - 1] + gap_s
    while place < len(times) and times[place] - moment < gap_s:
        moment = max(moment, times[place] + gap_s)
        place += 1
    return moment


def _rolling(times: list[int], moment: int, cap: int, span: int) -> int:
    """The moment, if with it no window of `span` seconds holds more than `cap`, else the next that might do."""
    low, high = bisect_right(times, moment - span), bisect_left(times, moment + span)
    if high - low < cap:
        return moment
    place = bisect_left(times, moment)
    for first in range(min(place, len(times) - cap), max(place - cap, 0) - 1, -1):
        begins, ends = min(moment, times[first]), max(moment, times[first + cap - 1])
        if ends - begins < span:
            # These `cap` lie so close together that no other fits between them, before they are a span old.
            return times[first] + span
    return moment
