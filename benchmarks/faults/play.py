"""Plays one scenario: calm, the faults, recovery, the reckoning, a row of the table."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks.faults.checker import in_words
from benchmarks.faults.house import House
from benchmarks.faults.world import SETTLE_S, Reckoning, World

# A run of less is a look whether it works at all, as in the tests.
SHORT_S = 2.0
# What a rep waits from one write to the next; in a short run more, to leave the machine to what is being started anew.
_PAUSE_S, _SHORT_PAUSE_S = 0.03, 0.1


class Skipped(Exception):
    """This machine cannot do that; the message says why."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story of faults. `strike` makes them for about so many seconds, and has everything well again when it returns."""

    name: str
    what: str
    strike: Callable[[World, float], Awaitable[None]]
    within_s: float = 20.0
    """How long it may take from then until all works as before. Twice what a quiet machine needs, and more."""
    settles_s: float = SETTLE_S
    """How long what was begun meanwhile may take to come to its end after that."""
    resyncs: bool = False
    """May clients be told to fetch state again?"""
    is_long: bool = False
    """Does it take long however short the faults are? Then it is no part of a short run."""
    is_strict: bool = False
    """May nothing fail at all, as seen by a client?"""
    calls_each: int = 2
    """How often every rep may call somebody; each time it is somebody else."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A row of the table."""

    scenario: Scenario
    reckoning: Reckoning
    took_s: float
    deaths: int
    skipped: str = ""
    phases: str = ""

    @property
    def objections(self) -> list[str]:
        """What should not be."""
        return self.reckoning.objections

    def line(self) -> str:
        """The row."""
        if self.skipped:
            return f"{self.scenario.name:<26} skipped: {self.skipped}"
        r = self.reckoning
        verdict = "ok" if not r.objections else f"{len(r.objections)} OBJECTIONS"
        return (
            f"{self.scenario.name:<26} {r.acknowledged:>7} {r.retried:>7} {r.jobs:>6} {r.deliveries:>9} {r.reconnects:>7}"
            f" {r.resyncs:>7} {r.longest_write_s:>9.2f} {r.recovered_s:>9.2f}  {verdict}"
        )


HEAD = (
    f"{'faults':<26} {'acked':>7} {'retried':>7} {'jobs':>6} {'delivered':>9} {'recon.':>7} {'resyncs':>7}"
    f" {'write s':>9} {'recover s':>9}"
)


async def play(house: House, scenario: Scenario, seconds: float, *, patience: float = 1.0) -> Outcome:
    """Play one scenario in a house that is well, and leave it well.

    `patience` is for who asks whether it recovers and not how soon: so many times longer may it take.
    """
    began = time.monotonic()
    deaths = sum(part.deaths for part in house.parts.values())
    pause_s = _PAUSE_S if seconds >= SHORT_S else _SHORT_PAUSE_S
    world = await World.open(
        house, pause_s=pause_s, calls_each=scenario.calls_each, is_strict=scenario.is_strict, patience=patience
    )
    world.may_resync = scenario.resyncs
    reckoning = Reckoning()
    try:
        world.call_somebody()
        try:
            await scenario.strike(world, seconds)
        except Skipped as exc:
            return Outcome(scenario, reckoning, 0.0, 0, str(exc))
        await house.heal()
        recovered_s, problems = float("nan"), []
        try:
            recovered_s = await world.recover(scenario.within_s)
        except TimeoutError as exc:
            problems.append(str(exc))
        problems += await world.settle(scenario.settles_s)
        reckoning = await world.reckon()
        reckoning.recovered_s = recovered_s
        reckoning.objections[:0] = problems
    finally:
        await house.heal()
        await world.close()
    died = sum(part.deaths for part in house.parts.values()) - deaths
    return Outcome(scenario, reckoning, time.monotonic() - began, died, phases=world.phases)


def complaint(outcome: Outcome) -> str:
    """The objections in words, for a failing test."""
    return f"{outcome.scenario.name}: {outcome.scenario.what}\n" + "\n".join(in_words(outcome.objections))
