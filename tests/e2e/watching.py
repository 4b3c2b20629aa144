"""How soon a screen shows what happened: what it showed when, held against the times in the event log."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from playwright.async_api import Page

from tests.e2e.house import until

# How the console words a call's state or outcome, in the order in which a call goes through them.
STEPS = {
    "queued": (0, "Queued"),
    "dialing": (1, "Dialing"),
    "ringing": (2, "Ringing"),
    "in_progress": (3, "Connected"),
}
ENDED = 4

# Notes each change of the people's rows and each new line of the stream, at the moment it is in the document.
_WATCH = """() => {
  // The clock of the machine, as the event log has it: that of the page stands still when the machine does.
  const now = () => Date.now();
  const seen = { rows: [], lines: [], began: now() };
  const rows = new Set(), lines = new Set();
  const look = () => {
    const at = now();
    for (const row of document.querySelectorAll('[aria-label="People by state"] li')) {
      const note = JSON.stringify([row.dataset.state, row.textContent.replace(/\\d+:\\d+(:\\d+)?$/, '')]);
      if (!rows.has(note)) { rows.add(note); seen.rows.push({ at, state: row.dataset.state, text: row.textContent }); }
    }
    for (const time of document.querySelectorAll('[aria-label="What happens"] li time')) {
      const note = time.dateTime + time.parentElement.textContent;
      if (!lines.has(note)) { lines.add(note); seen.lines.push({ at, of: time.dateTime, text: time.parentElement.textContent }); }
    }
  };
  look();
  seen.lines.length = 0;
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  window.ringsideSeen = seen;
}"""


@dataclass(slots=True)
class Standstill:
    """The longest time that this process was not let run when it wanted to, in ms: a shared machine stops now and then."""

    ms: float = 0.0


@asynccontextmanager
async def standstill() -> AsyncIterator[Standstill]:
    """Look out for it as long as the block lasts."""
    seen, loop = Standstill(), asyncio.get_running_loop()

    async def look() -> None:
        while True:
            began = loop.time()
            await asyncio.sleep(0.05)
            seen.ms = max(seen.ms, (loop.time() - began - 0.05) * 1000)

    looking = asyncio.create_task(look())
    try:
        yield seen
    finally:
        looking.cancel()


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened, and how long until it was on the screen (None: it never was)."""

    what: str
    ms: float | None


class FloorWatch:
    """Watches a page that shows the floor. The page must not be reloaded, which the watch would not survive."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def start(self) -> None:
        """Begin to take notes."""
        await self._page.evaluate(_WATCH)

    async def notes(self) -> dict[str, Any]:
        """What was seen so far. Fails when the page was reloaded."""
        seen: dict[str, Any] | None = await self._page.evaluate("window.ringsideSeen")
        assert seen is not None, "the floor was reloaded"
        return seen

    async def until_over(self, contact_name: str) -> None:
        """Wait until the caller's row shows that the call with this contact has ended."""

        async def is_over() -> bool:
            return any(contact_name in row["text"] and _rank(row) == ENDED for row in (await self.notes())["rows"])

        await until(f"the watched floor shows the end of the call with {contact_name}", is_over)

    async def steps(self, events: Sequence[dict[str, Any]]) -> list[Step]:
        """Each state of each call in these events, and when the caller's row showed it, or one that comes after it."""
        rows = (await self.notes())["rows"]
        found = []
        for event in events:
            if event["type"] != "call.state_changed":
                continue
            call = event["data"]["call"]
            rank = STEPS.get(call["state"], (ENDED, ""))[0]
            times = [row["at"] for row in rows if call["contact_name"] in row["text"] and _rank(row) >= rank]
            shown = min(times, default=None)
            found.append(Step(f"{call['contact_name']} {call['state']}", None if shown is None else shown - _ms(event["at"])))
        return found

    async def lines(self) -> list[Step]:
        """Each line that was added to the stream, and its age when it appeared.

        Without what had happened before the watch began: the page may still have been fetching that.
        """
        notes = await self.notes()
        return [Step(line["text"], line["at"] - _ms(line["of"])) for line in notes["lines"] if _ms(line["of"]) >= notes["began"]]


def percentile(steps: Sequence[Step], share: float) -> float:
    """The milliseconds within which this share of the steps was shown."""
    times = sorted(step.ms for step in steps if step.ms is not None)
    return times[max(0, math.ceil(share * len(times)) - 1)]


def _rank(row: dict[str, Any]) -> int:
    if row["state"] == "wrap_up":
        return ENDED
    return next((rank for rank, words in STEPS.values() if row["state"] == "on_call" and words in row["text"]), -1)


def _ms(at: str) -> float:
    return datetime.fromisoformat(at).timestamp() * 1000
