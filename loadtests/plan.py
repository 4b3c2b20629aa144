"""Who works, on what, and where: written by who starts the load, read by the users."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PLAN_VARIABLE = "RINGSIDE_LOAD_PLAN"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the company, with an access token that outlives the run, and the contacts that are theirs to call."""

    user_id: str
    token: str
    contacts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The hub's address, the people by what they do, what is searched for, and the file that takes what was seen."""

    url: str
    reps: tuple[Person, ...]
    managers: tuple[Person, ...]
    mobiles: tuple[Person, ...]
    words: tuple[str, ...]
    out: Path

    @classmethod
    def read(cls) -> Plan:
        """The plan that the environment names. Raises KeyError and OSError when there is none."""
        said: dict[str, Any] = json.loads(Path(os.environ[PLAN_VARIABLE]).read_bytes())
        reps, managers, mobiles = (
            tuple(Person(one["user_id"], one["token"], tuple(one["contacts"])) for one in said[kind])
            for kind in ("reps", "managers", "mobiles")
        )
        return cls(said["url"], reps, managers, mobiles, tuple(said["words"]), Path(said["out"]))


class Roster:
    """Hands out people, one user each, from the first again when there are more users than people."""

    def __init__(self, plan: Plan) -> None:
        self._turns: dict[str, Iterator[Person]] = {
            "rep": itertools.cycle(plan.reps),
            "manager": itertools.cycle(plan.managers),
            "mobile": itertools.cycle(plan.mobiles),
        }

    def next(self, kind: str) -> Person:
        """The next one of a kind: rep, manager or mobile."""
        return next(self._turns[kind])
