"""Everything that can break, broken on purpose, and a checker that knows every commit and every delivery.

`ringside bench faults` plays every story for `--seconds` each, on servers of its own, with fsync on: two hubs, two workers,
two companies whose reps write, call and defer jobs while it breaks. A row says what was acknowledged, how many writes had to
be repeated, what was delivered, how often a client was told to resync, the longest a write took until it was acknowledged,
and how long it took until everything worked again once nothing was broken any more. Exits 1 when the checker objects.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.faults.checker import in_words
from benchmarks.faults.house import House, open_house
from benchmarks.faults.play import HEAD, Outcome, Scenario, Skipped, play
from benchmarks.faults.pressing import DISK_FULL, PRESSING, house_on_small_disk
from benchmarks.faults.scenarios import BREAKING
from benchmarks.faults.world import Reckoning
from benchmarks.results import Result, machine, report

SCENARIOS = {scenario.name: scenario for scenario in (*BREAKING, *PRESSING, DISK_FULL)}


def options(parser: argparse.ArgumentParser) -> None:
    """What can be asked for."""
    parser.set_defaults(part="faults.command")
    parser.add_argument("--only", action="append", metavar="NAME", choices=sorted(SCENARIOS), help="one story; may be repeated")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each goes on breaking things (20)")
    parser.add_argument("--workers", type=int, default=2, help="how many workers (2)")
    parser.add_argument("--phases", action="store_true", help="say what recovered when")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument("--logs", type=Path, metavar="DIR", help="keep there what the processes say")


async def measure(given: argparse.Namespace) -> int:
    """Play the stories and print the table; 1 when anything was lost, doubled, out of order, foreign, or did not recover."""
    chosen = [SCENARIOS[name] for name in given.only or SCENARIOS]
    outcomes: list[Outcome] = []
    about = machine()

    async def tell(house: House, scenario: Scenario) -> None:
        outcome = await play(house, scenario, given.seconds)
        if not outcome.skipped:
            outcomes.append(outcome)
        _show(outcome, given.phases)

    print(HEAD)
    if any(scenario is not DISK_FULL for scenario in chosen):
        # Only where clocks are set: to ask a clock that can be costs more.
        clocks = any(scenario.name == "clock-jumps" for scenario in chosen)
        async with open_house(workers=given.workers, clocks=clocks, logs=given.logs) as house:
            for scenario in chosen:
                if scenario is not DISK_FULL:
                    await tell(house, scenario)
    if DISK_FULL in chosen:
        try:
            async with house_on_small_disk(given.logs) as house:
                await tell(house, DISK_FULL)
        except Skipped as exc:
            _show(Outcome(DISK_FULL, Reckoning(), 0.0, 0, str(exc)), False)
    facts = {"seconds of faults each": f"{given.seconds:g}", "hubs": "2", "workers": str(given.workers)}
    return report("faults", _results(outcomes), json_path=given.json, facts=facts, about=about)


def _results(outcomes: list[Outcome]) -> list[Result]:
    found: list[Result] = []
    for outcome in outcomes:
        name, reckoning = outcome.scenario.name, outcome.reckoning
        found += [
            Result(f"{name}: objections", len(outcome.objections), "", 0, at_most=True),
            Result(f"{name}: all works again after", reckoning.recovered_s, "s", outcome.scenario.within_s, at_most=True),
            Result(f"{name}: writes acknowledged", reckoning.acknowledged, ""),
            Result(f"{name}: events delivered", reckoning.deliveries, ""),
        ]
    return found


def _show(outcome: Outcome, phases: bool) -> None:
    print(outcome.line())
    if phases:
        print(f"    {outcome.phases}, {outcome.took_s:.0f} s in all, {outcome.deaths} deaths unasked for")
    for objection in in_words(outcome.objections):
        print(f"    {objection}")
    sys.stdout.flush()
