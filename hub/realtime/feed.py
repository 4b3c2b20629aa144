"""One tenant's events in this process: put in order, kept for a while, fanned out to the sockets that are up to date.

A feed moves from sequence number n to n + 1 and never otherwise. What a hint brings is fanned out when it is next; when
something is missing before it, the missing events are read from the log first.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol
from uuid import UUID

import structlog

from hub.db import Database
from hub.events import LoggedEvent
from hub.realtime.log import AHEAD_OF_LOG, TOO_OLD, UNKNOWN_EPOCH, Head, LogGap, read_after
from hub.realtime.metrics import EVENTS, FEED_LAG, HINTS
from hub.realtime.rooms import Rooms
from hub.realtime.wire import packet

RING_EVENTS = 2_000
RING_BYTES = 4 * 1024 * 1024
PRELOAD = 500
PAGE = 500
MAX_AHEAD = 2_000
# Two processes that commit one after the other may be heard in the other order; the log is asked when it is no mere race.
PATIENCE_S = 0.02

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event ready for the wire."""

    seq: int
    audience: str
    frame: bytes

    @classmethod
    def of(cls, event: LoggedEvent) -> Entry:
        """Encoded once, for everybody."""
        return cls(event.seq, event.audience, packet("event", event.frame.encode()))


class Listener(Protocol):
    """A socket that is up to date."""

    rooms: Rooms

    def push(self, frames: bytes, count: int, before: int) -> None:
        """Write what is next. `before` is the sequence number after which it begins."""

    def resync(self, reason: str, head: Head) -> None:
        """The log has started anew: say so."""


class Feed:
    """The events of one tenant that has a socket here."""

    def __init__(self, db: Database, tenant_id: UUID) -> None:
        self.tenant_id = tenant_id
        self.epoch = ""
        self.position = -1
        self.known_head = -1
        self.generation = 0
        self._db = db
        self._live: dict[Listener, None] = {}
        self._ring: deque[Entry] = deque()
        self._ring_bytes = 0
        self._ahead: dict[int, LoggedEvent] = {}
        self._unsent: list[Entry] = []
        self._flushing: asyncio.Handle | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._filling: asyncio.Task[None] | None = None

    # -- life

    @property
    def started(self) -> bool:
        """Whether the feed knows where it stands."""
        return self.position >= 0

    @property
    def head(self) -> Head:
        """Where this feed stands."""
        return Head(self.epoch, self.position)

    async def start(self, head: Head) -> None:
        """Begin at the head of the log, with the events before it at hand for those who come back."""
        after = max(head.seq - PRELOAD, 0)
        try:
            page = await read_after(self._db, self.tenant_id, after, PRELOAD)
        except LogGap:
            page = None
        self.epoch, self.position = head.epoch, head.seq
        self.known_head = max(self.known_head, head.seq)
        for event in page.events if page else ():
            if event.seq <= head.seq:
                self._keep(Entry.of(event))
            else:
                self._ahead.setdefault(event.seq, event)
        self._accept_ahead("log")
        self._wake_if_behind()

    def close(self) -> None:
        """Forget everything; the last socket has gone."""
        for handle in (self._flushing, self._patience):
            if handle is not None:
                handle.cancel()
        if self._filling is not None:
            self._filling.cancel()
        self._live.clear()

    # -- what comes in

    def offer(self, events: Sequence[LoggedEvent], at: float, via: str) -> None:
        """Events of one transaction, from a hint."""
        if not events:
            return
        self.known_head = max(self.known_head, events[-1].seq)
        if not self.started:
            self._stash(events)
            return
        if events[-1].seq <= self.position:
            HINTS.labels("duplicate").inc()
        elif events[0].seq > self.position + 1:
            HINTS.labels("gap").inc()
            self._stash(events)
            self._accept_ahead(via)
        else:
            HINTS.labels("next").inc()
            FEED_LAG.observe(max(time.time() - at, 0.0))
            for event in events:
                if event.seq == self.position + 1:
                    self._accept(event, via)
            self._accept_ahead(via)
        self._wake_if_behind()

    def notice(self, head: Head, asked_at: int) -> None:
        """The log stands at `head`; the feed stood at `asked_at` when that was asked."""
        if not self.started:
            return
        if head.epoch != self.epoch:
            self._restart(head, UNKNOWN_EPOCH)
            return
        if head.seq < asked_at:
            self._restart(head, AHEAD_OF_LOG)
            return
        self.known_head = max(self.known_head, head.seq)
        if self.position < self.known_head:
            self._fill_now()

    async def reach(self, seq: int) -> bool:
        """Read the log until the feed stands at `seq` or beyond; False when the log does not go that far."""
        self.known_head = max(self.known_head, seq)
        generation = self.generation
        while self.position < seq and generation == self.generation:
            before = self.position
            self._fill_now()
            filling = self._filling
            if filling is not None:
                await asyncio.wait((filling,))
            if self.position == before:
                return False
        return self.position >= seq

    def _stash(self, events: Iterable[LoggedEvent]) -> None:
        for event in events:
            if event.seq > self.position:
                self._ahead[event.seq] = event
        if len(self._ahead) > MAX_AHEAD:
            self._ahead.clear()  # the log has them all

    def _accept(self, event: LoggedEvent, via: str) -> None:
        entry = Entry.of(event)
        self.position = event.seq
        EVENTS.labels(via).inc()
        self._keep(entry)
        self._unsent.append(entry)
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_soon(self.flush)

    def _accept_ahead(self, via: str) -> None:
        while (event := self._ahead.pop(self.position + 1, None)) is not None:
            self._accept(event, via)
        if self._ahead:
            for seq in [seq for seq in self._ahead if seq <= self.position]:
                del self._ahead[seq]

    def _keep(self, entry: Entry) -> None:
        self._ring.append(entry)
        self._ring_bytes += len(entry.frame)
        while len(self._ring) > RING_EVENTS or (self._ring_bytes > RING_BYTES and len(self._ring) > 1):
            self._ring_bytes -= len(self._ring.popleft().frame)

    # -- from the log

    def _wake_if_behind(self) -> None:
        if self.position < self.known_head and self._patience is None and self._filling is None:
            self._patience = asyncio.get_running_loop().call_later(PATIENCE_S, self._lose_patience)

    def _lose_patience(self) -> None:
        self._patience = None
        if self.position < self.known_head:
            self._fill_now()

    def _fill_now(self) -> None:
        if self._filling is None:
            self._filling = asyncio.get_running_loop().create_task(self._fill(), name=f"fill-{self.tenant_id}")
            self._filling.add_done_callback(self._filled)

    def _filled(self, task: asyncio.Task[None]) -> None:
        self._filling = None
        if not task.cancelled() and (exc := task.exception()) is not None:
            # The next tick tries again.
            _log.warning("the log could not be read", tenant_id=str(self.tenant_id), error=str(exc) or repr(exc))

    async def _fill(self) -> None:
        while self.position < self.known_head:
            generation = self.generation
            try:
                page = await read_after(self._db, self.tenant_id, self.position, PAGE)
            except LogGap:
                self._restart(Head(self.epoch, self.known_head), TOO_OLD)
                return
            if generation != self.generation:
                continue
            if not page.events:
                self.known_head = self.position
                return
            now = time.time()
            for event, at in zip(page.events, page.at, strict=True):
                if event.seq == self.position + 1:
                    FEED_LAG.observe(max(now - at, 0.0))
                    self._accept(event, "log")
            self._accept_ahead("log")

    def _restart(self, head: Head, reason: str) -> None:
        _log.warning("the log has started anew", tenant_id=str(self.tenant_id), reason=reason, seq=head.seq)
        self.flush()
        self.generation += 1
        self.epoch, self.position, self.known_head = head.epoch, head.seq, head.seq
        self._ring.clear()
        self._ring_bytes = 0
        self._ahead.clear()
        for listener in list(self._live):
            listener.resync(reason, head)

    # -- what goes out

    def reaches_back_to(self, seq: int) -> bool:
        """Whether everything after `seq` is at hand."""
        return seq >= self.position or bool(self._ring and self._ring[0].seq <= seq + 1)

    def since(self, seq: int, max_bytes: int, rooms: Rooms) -> tuple[bytes, int, int] | None:
        """What a member may see after `seq`: the frames joined, how many, and up to where. About `max_bytes` at the most.

        None when the events kept here do not reach back that far; then the log has them.
        """
        if seq >= self.position:
            return b"", 0, seq
        if not self.reaches_back_to(seq):
            return None
        frames: list[bytes] = []
        size = 0
        for entry in islice(self._ring, seq + 1 - self._ring[0].seq, None):
            if entry.audience in rooms:
                if size and size + len(entry.frame) > max_bytes:
                    break
                frames.append(entry.frame)
                size += len(entry.frame)
            seq = entry.seq
        return b"".join(frames), len(frames), seq

    def join(self, listener: Listener, at: int) -> bool:
        """Make a socket live if it stands exactly where the feed does; there is no await between the two."""
        self.flush()
        if at != self.position:
            return False
        self._live[listener] = None
        return True

    def leave(self, listener: Listener) -> None:
        """The socket is no longer live."""
        self._live.pop(listener, None)

    def flush(self) -> None:
        """Write what has been accepted since the last turn of the loop: one write a socket."""
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        batch, self._unsent = self._unsent, []
        if not batch or not self._live:
            return
        before = batch[0].seq - 1
        audiences = tuple({entry.audience for entry in batch})
        joined: dict[tuple[bool, ...], tuple[bytes, int]] = {}
        for listener in list(self._live):
            sees = tuple(audience in listener.rooms for audience in audiences)
            if sees not in joined:
                frames = [entry.frame for entry in batch if entry.audience in listener.rooms]
                joined[sees] = b"".join(frames), len(frames)
            data, count = joined[sees]
            if count:
                listener.push(data, count, before)
