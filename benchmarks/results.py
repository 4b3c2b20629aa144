"""What a benchmark found: a table for people, JSON for machines, and whether the goals were met."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from hub.embedded.programs import find_postgres


@dataclass(frozen=True, slots=True)
class Result:
    """One figure. `goal` is the least it should be, or with `at_most` the most; None: it is only told.

    NaN, which is what is left when nothing could be measured, meets no goal.
    """

    name: str
    value: float
    unit: str
    goal: float | None = None
    at_most: bool = False

    @property
    def met(self) -> bool:
        """Whether it is as good as it should be."""
        if self.goal is None:
            return True
        return self.value <= self.goal if self.at_most else self.value >= self.goal

    @property
    def verdict(self) -> str:
        """The goal and whether it was met, in words; empty without one."""
        if self.goal is None:
            return ""
        side = "at most" if self.at_most else "at least"
        return f"goal {side} {number(self.goal)}: {'met' if self.met else 'MISSED'}"


def number(value: float) -> str:
    """A figure with as many digits as one wants to read: 1,300,000; 84.2; 0.31."""
    if not math.isfinite(value):
        return str(value)
    digits = 0 if abs(value) >= 1000 or value == int(value) else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def machine() -> dict[str, str]:
    """Where it was measured. Ask before the load begins: the load average is of now."""
    one, five, fifteen = os.getloadavg()
    return {
        "measured at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": str(os.cpu_count()),
        "system": platform.platform(terse=True),
        "Python": platform.python_version(),
        "Postgres": next((f"{one.version}" for one in find_postgres()), "not embedded"),
        "load average at the start": f"{one:.2f} {five:.2f} {fifteen:.2f}",
    }


def report(
    title: str,
    results: Sequence[Result],
    *,
    json_path: Path | str | None = None,
    facts: Mapping[str, str] | None = None,
    about: Mapping[str, str] | None = None,
) -> int:
    """Print the table, write it as JSON where asked to; 1 when a goal was missed, else 0.

    `facts` are the particulars of this run (sizes, versions of peers); `about` is what `machine` said before the load, now when
    left out.
    """
    about = dict(about or machine())
    width = max((len(result.name) for result in results), default=0)
    print(f"\n{title}")
    for result in results:
        print(f"  {result.name:<{width}}  {number(result.value):>12} {result.unit:<12} {result.verdict}".rstrip())
    for name, fact in {**(facts or {}), **about}.items():
        print(f"  {name}: {fact}")
    missed = [result.name for result in results if not result.met]
    print(f"  {len(missed)} of the goals missed: {', '.join(missed)}" if missed else "  all goals met", flush=True)
    if json_path is not None:
        rows = [
            {**asdict(result), "value": result.value if math.isfinite(result.value) else None, "met": result.met}
            for result in results
        ]
        document = {"title": title, "results": rows, "facts": dict(facts or {}), "machine": about, "met": not missed}
        Path(json_path).write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    return 1 if missed else 0
