"""Knows what was committed, what was acknowledged and what was delivered, and objects to everything that does not fit.

Nothing here asks a server: the facts are handed in, so that the checker itself can be tested with facts that are wrong.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

REFUSED = 0
BROKE = "a broken connection"
SILENT = "silence"
# So many objections of one kind are said in words; the rest are counted.
_SAID = 5


@dataclass(frozen=True, slots=True)
class Committed:
    """An event as it stands in the log."""

    seq: int
    id: str
    audience: str
    frame: str = ""


@dataclass(frozen=True, slots=True)
class Ready:
    """The server's first word on a connection. `cursor` is the place the client had asked to go on from, if any."""

    epoch: str
    seq: int
    cursor: int | None


@dataclass(frozen=True, slots=True)
class Delivered:
    """An event a client was given."""

    seq: int
    id: str


@dataclass(frozen=True, slots=True)
class Resynced:
    """The client was told to fetch state again, and goes on after `seq`."""

    epoch: str
    seq: int
    reason: str


Heard = Ready | Delivered | Resynced


class Log:
    """One tenant's committed events."""

    def __init__(self, tenant_id: UUID, epoch: str, events: Iterable[Committed]) -> None:
        self.tenant_id = tenant_id
        self.epoch = epoch
        self.events = sorted(events, key=lambda event: event.seq)
        self.by_seq = {event.seq: event for event in self.events}
        self.ids = {event.id for event in self.events}

    @property
    def head(self) -> int:
        """The last sequence number."""
        return self.events[-1].seq if self.events else 0

    def gaps(self) -> list[str]:
        """What is wrong with the log itself: numbers that are missing or stand twice."""
        seqs = [event.seq for event in self.events]
        wrong = [f"the log has the number {seq} {count} times" for seq, count in Counter(seqs).items() if count > 1]
        missing = sorted(set(range(seqs[0], seqs[-1] + 1)) - set(seqs)) if seqs else []
        return [*wrong, *(f"the log has no number {seq}" for seq in missing[:_SAID])]


class Audience:
    """What one client should have heard of a tenant's log."""

    def __init__(self, name: str, log: Log, rooms: frozenset[str], foreign_ids: Mapping[str, UUID]) -> None:
        self._name = name
        self._log = log
        self._rooms = rooms
        self._foreign_ids = foreign_ids
        self._visible = [event.seq for event in log.events if event.audience in rooms]
        self._objections: list[str] = []

    def judge(self, heard: Sequence[Heard], *, complete: bool = True) -> list[str]:
        """Everything that is wrong with what the client heard; with `complete` also what it should have heard by now."""
        position: int | None = None
        silent_gap_to: int | None = None
        for word in heard:
            if silent_gap_to is not None and not isinstance(word, Resynced):
                self._object(f"was moved from {position} to {silent_gap_to} without a resync")
            silent_gap_to = None
            if isinstance(word, Ready):
                if position is None:
                    position = word.seq
                elif word.cursor is not None and word.cursor != position:
                    self._object(f"asked to go on from {word.cursor}, but stood at {position}")
                elif word.seq != position:
                    silent_gap_to = word.seq
                if word.epoch != self._log.epoch:
                    self._object(f"was welcomed to the epoch {word.epoch}, which is not the log's")
            elif isinstance(word, Resynced):
                position = word.seq
            elif position is None:
                self._object(f"was given the event {word.seq} before any word of welcome")
            else:
                position = self._delivered(word, position)
        if silent_gap_to is not None:
            self._object(f"was moved from {position} to {silent_gap_to} without a resync")
        if complete and position is not None:
            self._lost(position, self._log.head + 1)
        if complete and position is None:
            self._object("never got in")
        return [f"{self._name} {objection}" for objection in self._objections]

    def _delivered(self, word: Delivered, position: int) -> int:
        event = self._log.by_seq.get(word.seq)
        if word.id in self._foreign_ids:
            self._object(f"was given the event {word.id} of another tenant ({self._foreign_ids[word.id]})")
            return position
        if event is None or event.id != word.id:
            self._object(f"was given the event {word.seq} ({word.id}), which the log does not have")
            return position
        if event.audience not in self._rooms:
            self._object(f"was given the event {word.seq} for {event.audience}, which is not theirs to see")
        if word.seq <= position:
            self._object(f"was given the event {word.seq} when they stood at {position}: twice, or out of order")
            return position
        self._lost(position, word.seq)
        return word.seq

    def _lost(self, after: int, before: int) -> None:
        start = bisect_right(self._visible, after)
        missing = [seq for seq in self._visible[start : start + 3] if seq < before]
        if missing:
            self._object(f"never got the event {missing[0]} (between {after} and {before})")

    def _object(self, text: str) -> None:
        self._objections.append(text)


@dataclass(slots=True)
class Write:
    """A write that a client tried: `mark` is a text that only it has, `acknowledged` whether a 2xx came back.

    `statuses` are all answers it got: REFUSED when nobody took the connection, BROKE or SILENT when none came.
    An attempt is repeated with the same Idempotency-Key.
    """

    tenant_id: UUID
    kind: str
    mark: str
    acknowledged: bool = False
    statuses: list[int | str] = field(default_factory=list)
    took_s: float = 0.0


def judge_writes(
    writes: Sequence[Write], rows: Mapping[str, Sequence[UUID]], logs: Mapping[UUID, Log], *, is_strict: bool = False
) -> list[str]:
    """Compare writes with `rows`: for each mark the tenants of the rows that bear it. Each write's event stands in the log.

    With `is_strict` nothing may have been answered but success; only a connection that nobody took may be tried again.
    """
    wrong: list[str] = []
    frames = {tenant_id: "\n".join(event.frame for event in log.events) for tenant_id, log in logs.items()}
    for write in writes:
        found = rows.get(write.mark, ())
        if write.acknowledged and not found:
            wrong.append(f"the {write.kind} {write.mark} was acknowledged and is lost")
        if len(found) > 1:
            wrong.append(f"the {write.kind} {write.mark} was done {len(found)} times")
        if any(tenant_id != write.tenant_id for tenant_id in found):
            wrong.append(f"the {write.kind} {write.mark} stands with another tenant")
        if found and write.mark not in frames[write.tenant_id]:
            wrong.append(f"the {write.kind} {write.mark} was done without an event")
        if not found and write.mark in frames[write.tenant_id]:
            wrong.append(f"the {write.kind} {write.mark} was not done, but has an event")
        wrong += [
            f"the {write.kind} {write.mark} was answered with {status}"
            for status in write.statuses
            if not _allowed(status, is_strict=is_strict)
        ]
    return wrong


def _allowed(status: int | str, *, is_strict: bool) -> bool:
    if isinstance(status, str):
        return not is_strict
    if is_strict:
        return status < 300
    # 409: the attempt before is still under way. 429 and 503 ask to come again; anything else is nobody's fault but ours.
    return status < 300 or status in (409, 429, 503)


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as the ledger has it at the end, and how often its effect is to be seen."""

    id: str
    kind: str
    state: str
    effects: int | None
    """None for jobs whose effects are not counted."""
    error: str = ""


def judge_jobs(deferred: Iterable[str], rows: Sequence[JobRow]) -> list[str]:
    """Every job whose commit was acknowledged is done, and its effect is there once."""
    known = {row.id: row for row in rows}
    wrong = [f"the job {job_id} was committed and is lost" for job_id in deferred if job_id not in known]
    for row in rows:
        if row.state in ("ready", "running"):
            wrong.append(f"the job {row.kind} {row.id} is still {row.state}: {row.error}")
        elif row.state != "done":
            wrong.append(f"the job {row.kind} {row.id} is {row.state}: {row.error}")
        elif row.effects is not None and row.effects != 1:
            wrong.append(f"the job {row.kind} {row.id} did its work {row.effects} times")
        if row.state != "done" and row.effects:
            wrong.append(f"the job {row.kind} {row.id} is {row.state}, and yet did its work")
    return wrong


def judge_calls(placed: Mapping[str, int], rows: Mapping[str, str]) -> list[str]:
    """Compare the provider's calls by number with our rows (number -> state): nobody is rung twice, no call is forgotten."""
    wrong = [f"{number} was called {count} times" for number, count in placed.items() if count > 1]
    wrong += [f"{number} was called, and no row says so" for number in placed if number not in rows]
    for number, state in rows.items():
        if state in ("queued", "dialing") and number not in placed:
            wrong.append(f"the call to {number} is {state} and never reached the provider")
    return wrong


def foreign_ids(logs: Mapping[UUID, Log], tenant_id: UUID) -> dict[str, UUID]:
    """The ids of all events of the other tenants."""
    return {event_id: other for other, log in logs.items() if other != tenant_id for event_id in log.ids}


def in_words(objections: Sequence[str], limit: int = 12) -> list[str]:
    """The first of them, and how many more there are."""
    more = len(objections) - limit
    return [*objections[:limit], *([f"... and {more} more"] if more > 0 else [])]


def parse_heard(name: str, data: Mapping[str, Any], cursor: int | None) -> Heard | None:
    """A Socket.IO event of the server as the checker keeps it; None for what it does not judge."""
    if name == "ready":
        return Ready(str(data["epoch"]), int(data["seq"]), cursor)
    if name == "event":
        return Delivered(int(data["seq"]), str(data["id"]))
    if name == "resync":
        return Resynced(str(data["epoch"]), int(data["seq"]), str(data["reason"]))
    return None
