"""A short run of every story of `ringside bench faults`: what breaks costs time, and nothing else."""

from __future__ import annotations

import pytest

from benchmarks.faults.command import SCENARIOS
from benchmarks.faults.house import open_house
from benchmarks.faults.play import Skipped, complaint, play
from benchmarks.faults.pressing import DISK_FULL, house_on_small_disk

SECONDS = 0.4
# How soon is for the benchmark to say: beside other tests the start of a process alone may take as long as that allows.
PATIENCE = 4.0


async def test_nothing_is_lost_doubled_or_shown_to_others_whatever_breaks() -> None:
    # One test: to start a house takes longer than a story, and the tests are spread over several processes.
    wrong: list[str] = []
    left_out: list[str] = []
    async with open_house(clocks=True, patience=PATIENCE) as house:
        for scenario in SCENARIOS.values():
            if scenario is not DISK_FULL and not scenario.is_long:
                outcome = await play(house, scenario, SECONDS, patience=PATIENCE)
                if outcome.objections:
                    wrong.append(complaint(outcome))
                if outcome.skipped:
                    left_out.append(f"{scenario.name} ({outcome.skipped})")
    assert not wrong, "\n\n".join(wrong)
    if left_out:
        pytest.skip(f"all is well, but not every story could be played: {', '.join(left_out)}")


async def test_nothing_is_lost_when_the_disk_is_full() -> None:
    try:
        async with house_on_small_disk(patience=PATIENCE) as house:
            outcome = await play(house, DISK_FULL, SECONDS, patience=PATIENCE)
    except Skipped as why:
        pytest.skip(str(why))
    assert not outcome.objections, complaint(outcome)
