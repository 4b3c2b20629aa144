"""How long somebody who is out of office is left alone."""

from __future__ import annotations

from datetime import date, timedelta

# Who names no day is left alone for so many business days.
UNNAMED_BUSINESS_DAYS = 3
# Further away than this, it is somebody who has left for good, or a date that was read wrongly.
_LONGEST = timedelta(days=180)


def away_until(named: date | None, today: date) -> date | None:
    """The last day of an absence, given the one that the answer names; None when it is over already.

    `today` is the day of the schedules' clock. A pause ends on the business day after the returned one.
    """
    if named is not None and named - today <= _LONGEST:
        return named if named >= today else None
    day, left = today, UNNAMED_BUSINESS_DAYS
    while left:
        day += timedelta(days=1)
        left -= day.isoweekday() < 6
    return day
