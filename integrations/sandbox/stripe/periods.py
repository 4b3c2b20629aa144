"""Billing periods: https://docs.stripe.com/billing/subscriptions/billing-cycle

A monthly period ends on the day of the month on which the cycle was anchored, or on the last day of a shorter month.
"""

from calendar import monthrange
from datetime import UTC, datetime
from typing import Any

DAY_S = 86_400


def after_months(moment: int, months: int, day: int) -> int:
    """Return the same time some months later, on `day` or the last of the month."""
    at = datetime.fromtimestamp(moment, UTC)
    whole = at.year * 12 + at.month - 1 + months
    year, month = divmod(whole, 12)
    last = monthrange(year, month + 1)[1]
    return int(at.replace(year=year, month=month + 1, day=min(day, last)).timestamp())


def period_end(start: int, recurring: dict[str, Any], anchor: int) -> int:
    """Return when a period ends that begins at `start`; `anchor` knows the day of the month."""
    count: int = recurring["interval_count"]
    if recurring["interval"] in ("day", "week"):
        return start + count * DAY_S * (7 if recurring["interval"] == "week" else 1)
    months = count * (12 if recurring["interval"] == "year" else 1)
    return after_months(start, months, datetime.fromtimestamp(anchor, UTC).day)


def next_anchor(anchor: int, recurring: dict[str, Any], now: int) -> int:
    """Return the first boundary of the cycle that is after `now`."""
    end = anchor
    while end <= now:
        end = period_end(end, recurring, anchor)
    return end


def day_of(moment: int) -> str:
    """Return a day as Stripe writes it on invoices."""
    return datetime.fromtimestamp(moment, UTC).strftime("%-d %b %Y")
