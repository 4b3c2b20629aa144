"""How a company stands, moment by moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.billing.standing import GRACE, READ_ONLY, Facts, stand, words_of

NOW = datetime(2027, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
OVER = NOW - 100 * DAY


@pytest.mark.parametrize(
    ("facts", "name", "reason", "until"),
    [
        (Facts("none", NOW + DAY), "trial", "", NOW + DAY),
        (Facts("none", NOW), "read_only", "trial_over", NOW + READ_ONLY),
        (Facts("none", NOW - READ_ONLY), "suspended", "trial_over", None),
        (Facts("trialing", NOW + DAY), "trial", "", NOW + DAY),
        (Facts("active", OVER), "active", "", None),
        (Facts("past_due", OVER, NOW), "grace", "payment_failed", NOW + GRACE),
        (Facts("past_due", OVER, NOW - GRACE + DAY), "grace", "payment_failed", NOW + DAY),
        (Facts("unpaid", OVER, NOW - GRACE), "read_only", "payment_failed", NOW + READ_ONLY),
        (Facts("past_due", OVER, NOW - GRACE - READ_ONLY), "suspended", "payment_failed", None),
        # Cancelled by oneself, in the trial and after it; ended since nobody paid.
        (Facts("canceled", NOW + DAY, ended_at=NOW - DAY), "trial", "", NOW + DAY),
        (Facts("canceled", OVER, ended_at=NOW), "read_only", "canceled", NOW + READ_ONLY),
        (Facts("canceled", OVER, ended_at=NOW - READ_ONLY), "suspended", "canceled", None),
        (Facts("canceled", NOW + DAY, ended_at=NOW, ended_unpaid=True), "read_only", "payment_failed", NOW + READ_ONLY),
        # Never finished, and stopped by somebody at Stripe: as without any.
        (Facts("paused", OVER), "suspended", "trial_over", None),
    ],
)
def test_the_standing_follows_from_what_was_paid_and_the_time(
    facts: Facts, name: str, reason: str, until: datetime | None
) -> None:
    found = stand(facts, NOW)

    assert (found.name, found.reason, found.until) == (name, reason, until)
    assert found.is_restricted == (name in ("read_only", "suspended"))


def test_the_words_say_why_what_is_left_and_that_nothing_is_lost() -> None:
    for reason in ("trial_over", "payment_failed", "canceled"):
        assert "Nothing is lost" in words_of("read_only", reason)
        assert "All of its data is kept" in words_of("suspended", reason)
    assert len({words_of(name, reason) for name in ("read_only", "suspended") for reason in ("trial_over", "canceled")}) == 4
