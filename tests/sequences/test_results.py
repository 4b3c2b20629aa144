"""Shares and their intervals, and when variants may be compared."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as some

from hub.sequences.results import SAMPLE, Share, compare, wilson


@settings(max_examples=100, deadline=None)
@given(of=some.integers(1, 5000), share=some.floats(0, 1))
def test_an_interval_holds_its_share_and_stays_between_none_and_all(of: int, share: float) -> None:
    counted = Share(round(of * share), of)
    low, high = wilson(counted)
    assert 0 <= low <= counted.value + 1e-9
    assert counted.value - 1e-9 <= high <= 1
    assert low < high


def test_variants_are_only_compared_when_there_is_enough_and_once() -> None:
    assert compare([("A", Share(50, 99)), ("B", Share(1, 100))]).state == "not_enough"
    assert compare([("A", Share(11, SAMPLE)), ("B", Share(9, SAMPLE))]).state == "no_difference"
    found = compare([("A", Share(5, SAMPLE)), ("B", Share(20, SAMPLE))])
    assert (found.state, found.better) == ("difference", "B")
    assert found.p is not None
    assert math.isclose(found.p, 0.00134, rel_tol=0.05)
    # The same difference among five variants is not as sure.
    five = [("A", Share(5, SAMPLE)), *[(label, Share(13, SAMPLE)) for label in "BCDE"]]
    assert compare(five).state == "no_difference"
    assert compare([("A", Share(0, SAMPLE)), ("B", Share(0, SAMPLE))]).state == "no_difference"
