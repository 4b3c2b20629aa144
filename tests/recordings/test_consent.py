"""Who is told that a call is recorded."""

from __future__ import annotations

import pytest

from hub.recordings.consent import ALL_PARTY_STATES, consent_for

NEW_YORK, TEXAS, CALIFORNIA, FLORIDA = "+12125550101", "+12145550101", "+14155550100", "+13055550100"
GERMANY, QUEBEC, TOLL_FREE = "+4930123456", "+15145550100", "+18005550100"


@pytest.mark.parametrize(
    ("contact", "own", "rule", "places"),
    [
        (NEW_YORK, TEXAS, "one_party", ("US-NY", "US-TX")),
        (CALIFORNIA, TEXAS, "all_party", ("US-CA", "US-TX")),
        (TEXAS, FLORIDA, "all_party", ("US-TX", "US-FL")),
        (GERMANY, NEW_YORK, "all_party", ("DE", "US-NY")),
        (QUEBEC, NEW_YORK, "all_party", ("CA", "US-NY")),
        (TOLL_FREE, NEW_YORK, "all_party", ("?", "US-NY")),
        (NEW_YORK, "", "all_party", ("US-NY", "?")),
    ],
)
def test_the_stricter_end_decides(contact: str, own: str, rule: str, places: tuple[str, ...]) -> None:
    found = consent_for(contact, own, "by_jurisdiction")
    assert (found.rule, found.places, found.must_announce) == (rule, places, rule == "all_party")
    turned = consent_for(own, contact, "by_jurisdiction")
    assert (turned.rule, turned.places) == (rule, places[::-1]), "it makes no difference who calls whom"


def test_a_company_may_have_everything_announced_or_nothing() -> None:
    assert consent_for(NEW_YORK, TEXAS, "always").must_announce
    never = consent_for(CALIFORNIA, TEXAS, "never")
    assert not never.must_announce and never.rule == "all_party"
    assert "ask for consent yourself" in never.explanation


def test_it_says_why_and_where_that_is_written() -> None:
    assert consent_for(CALIFORNIA, NEW_YORK, "by_jurisdiction").explanation.startswith(
        "US-CA wants everybody's consent (Cal. Penal"
    )
    assert consent_for(NEW_YORK, TEXAS, "by_jurisdiction").explanation == "One party's consent is enough in US-NY and US-TX."
    assert consent_for(TEXAS, TEXAS, "by_jurisdiction").explanation == "One party's consent is enough in US-TX."
    assert all(law.strip() for law in ALL_PARTY_STATES.values())
