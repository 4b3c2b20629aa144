"""Quiet hours on the wall clock of somebody's zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.notifications.hours import QuietHours

NIGHT = QuietHours(quiet=True, quiet_from=20 * 60, quiet_until=8 * 60, zone="Europe/Berlin")


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_they_end_in_the_morning_of_that_zone() -> None:
    assert NIGHT.end(berlin("2026-11-25T19:59:59+01:00")) is None
    assert NIGHT.end(berlin("2026-11-25T20:00:00+01:00")) == berlin("2026-11-26T08:00:00+01:00")
    assert NIGHT.end(berlin("2026-11-26T07:59:00+01:00")) == berlin("2026-11-26T08:00:00+01:00")
    assert NIGHT.end(berlin("2026-11-26T08:00:00+01:00")) is None
    noon = QuietHours(quiet=True, quiet_from=12 * 60, quiet_until=13 * 60, zone="Europe/Berlin")
    assert noon.end(berlin("2026-11-26T12:30:00+01:00")) == berlin("2026-11-26T13:00:00+01:00")
    assert QuietHours(quiet=False).end(berlin("2026-11-26T03:00:00+01:00")) is None


def test_weekends_are_quiet_whole_and_run_into_the_night() -> None:
    free = QuietHours(quiet=True, quiet_from=20 * 60, quiet_until=8 * 60, quiet_weekends=True, zone="Europe/Berlin")
    assert free.end(berlin("2026-11-27T21:00:00+01:00")) == berlin("2026-11-30T08:00:00+01:00")
    only = QuietHours(quiet=True, quiet_from=0, quiet_until=0, quiet_weekends=True, zone="Europe/Berlin")
    assert only.end(berlin("2026-11-28T12:00:00+01:00")) == berlin("2026-11-30T00:00:00+01:00")
    assert only.end(berlin("2026-11-27T12:00:00+01:00")) is None


def test_a_clock_that_is_changed_in_the_night_changes_no_morning() -> None:
    assert NIGHT.end(berlin("2026-10-24T22:00:00+02:00")) == berlin("2026-10-25T08:00:00+01:00")
    gone = QuietHours(quiet=True, quiet_from=60, quiet_until=150, zone="Europe/Berlin")
    assert gone.end(berlin("2026-03-29T01:30:00+01:00")) == berlin("2026-03-29T03:30:00+02:00"), "there is no 02:30"


@settings(max_examples=60, deadline=None)
@given(
    begins=st.integers(0, 1439),
    ends=st.integers(0, 1439),
    weekends=st.booleans(),
    zone=st.sampled_from(["UTC", "America/St_Johns", "Australia/Lord_Howe", "America/Santiago", "nowhere"]),
    hours=st.integers(0, 9000),
)
def test_what_ends_is_over_then_and_not_long_after(begins: int, ends: int, weekends: bool, zone: str, hours: int) -> None:
    given_hours = QuietHours(True, begins, ends, weekends, zone)
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours, minutes=7)
    end = given_hours.end(now)
    if end is not None:
        assert now < end <= now + timedelta(days=5)
        assert given_hours.end(end) is None
