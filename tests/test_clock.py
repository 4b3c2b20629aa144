"""The clock of schedules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.clock import Clock
from hub.config import Settings
from hub.environment import SettingsError

NEEDED = {"DATABASE_URL": "postgresql://db", "REDIS_URL": "redis://", "RINGSIDE_SECRET": "-" * 32}


def test_the_usual_clock_shows_the_real_time() -> None:
    before = datetime.now(UTC)
    assert before <= Clock.parse("").now() <= datetime.now(UTC)


def test_a_fast_clock_runs_from_the_moment_it_began() -> None:
    began = datetime.now(UTC) - timedelta(seconds=10)
    clock = Clock.parse(f"2026-11-23T09:00:00+00:00@{began.isoformat()}*3600")

    before, shown, after = datetime.now(UTC), clock.now(), datetime.now(UTC)

    assert (before - began) * 3600 <= shown - datetime(2026, 11, 23, 9, tzinfo=UTC) <= (after - began) * 3600
    assert clock.real_delay(clock.now() + timedelta(hours=1)) <= timedelta(seconds=1)
    assert clock.real_delay(shown - timedelta(hours=1)) == timedelta()


def test_a_clock_is_set_in_words_that_can_be_read_and_with_the_sandbox_only() -> None:
    for wrong in ("soon", "2026-11-23T09:00:00@2026-11-23T09:00:00*2", "2026-11-23T09:00:00+00:00@2026-11-23T09:00:00+00:00*0"):
        with pytest.raises(ValueError, match=r"."):
            Clock.parse(wrong)
        with pytest.raises(SettingsError, match="RINGSIDE_CLOCK"):
            Settings.from_env(NEEDED | {"RINGSIDE_CLOCK": wrong, "GOOGLE_API_URL": "http://127.0.0.1:1"})
    with pytest.raises(SettingsError, match="sandbox"):
        Settings.from_env(NEEDED | {"RINGSIDE_CLOCK": "2026-11-23T09:00:00+00:00@2026-11-23T09:00:00+00:00*2"})
