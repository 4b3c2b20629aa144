"""One tenant's events in this process: put in order, kept for a while, fanned out to the sockets that are up to date.

A feed moves from sequence number n to n + 1 and never otherwise. What a hint brings is fanned out when it is next; when
something is missing before it, the missing events are read from the log first.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from itertools import islice
from math import inf
from typing import NamedTuple, Protocol
from uuid import UUID

import structlog

from hub.auth.tokens import Claims
from hub.db import Database
from hub.events import LoggedEvent
from hub.realtime.log import AHEAD_OF_LOG, TOO_OLD, UNKNOWN_EPOCH, Head, LogGap, read_after, read_sights
from hub.realtime.metrics import EVENTS, FEED_LAG, FRAMES, HINTS, TO_SOCKETS, WRITES
from hub.realtime.rooms import Rooms, is_narrow, rooms_of
from hub.realtime.wire import packet
from hub.tracing import span

RING_EVENTS = 2_000
RING_BYTES = 4 * 1024 * 1024
PRELOAD = 500
PAGE = 500
MAX_AHEAD = 2_000
# Pieces of the ring that are kept joined, each as large as a piece may be.
MAX_JOINED = 32
# Two processes that commit one after the other may be heard in the other order; the log is asked when it is no mere race.
PATIENCE_S = 0.02
# Writing single events to thousands of sockets is mostly calls of the system. What takes longer than this counts, and has half of
# the processor's time: whoever has had so much more than that waits, and what comes meanwhile goes out together (GCRA: a few in a
# row are no reason to wait). Much at once does not wait.
COUNTS_FROM_S = 0.002
SHARE = 0.5
AHEAD_S = 0.1
BULK = 32

_log = structlog.get_logger(__name__)


class Entry(NamedTuple):
    """An event ready for the wire."""

    seq: int
    audience: str
    frame: bytes

    @classmethod
    def of(cls, event: LoggedEvent) -> Entry:
        """Encoded once, for everybody."""
        return cls(event.seq, event.audience, packet("event", event.frame.encode()))


class Piece(NamedTuple):
    """Frames joined, how many they are, up to where they reach, and whether more would have been too much."""

    frames: bytes
    events: int
    reaches: int
    is_full: bool = False


class Listener(Protocol):
    """A socket that is up to date."""

    rooms: Rooms

    def push(self, frames: bytes, before: int) -> bool:
        """Write what is next. `before` is the sequence number after which it begins. False when it leaves the live path."""

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
        # Live since after a part of what is unsent: up to where they were given it already.
        self._newcomers: dict[Listener, int] = {}
        self._ring: deque[Entry] = deque()
        self._ring_bytes = 0
        self._audiences: Counter[str] = Counter()
        self._narrow: set[str] = set()
        self._sights: dict[UUID, frozenset[str]] = {}
        self._joined: dict[tuple[int, int, frozenset[str]], Piece] = {}
        self._ahead: dict[int, LoggedEvent] = {}
        self._unsent: list[Entry] = []
        self._oldest_at = inf
        self._flushing: asyncio.Handle | None = None
        self._paid_at = 0.0
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
        await self.look()
        after = max(head.seq - PRELOAD, 0)
        try:
            page = await read_after(self._db, self.tenant_id, after, PRELOAD)
        except LogGap:
            page = None
        self.epoch, self.position = head.epoch, head.seq
        self.known_head = max(self.known_head, head.seq)
        if page is not None:
            self._keep([Entry.of(event) for event in page.events if event.seq <= head.seq])
            for event in page.events:
                if event.seq > head.seq:
                    self._ahead.setdefault(event.seq, event)
        self._accept_ahead("log")
        self._wake_if_behind()

    async def look(self) -> None:
        """Learn who sees whose things. It holds for as long as the log's epoch, so that is to be asked for first."""
        self._sights = await read_sights(self._db, self.tenant_id)

    def rooms_of(self, claims: Claims) -> Rooms:
        """What a member of this tenant may see of it."""
        return rooms_of(claims, self._sights.get(claims.user_id, ()))

    def close(self) -> None:
        """Forget everything; the last socket has gone."""
        for handle in (self._flushing, self._patience):
            if handle is not None:
                handle.cancel()
        if self._filling is not None:
            self._filling.cancel()
        self._live.clear()
        self._newcomers.clear()

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
            self._oldest_at = min(self._oldest_at, at)
            self._accept([event for event in events if event.seq > self.position], via)
            self._accept_ahead(via)
        self._wake_if_behind()

    def notice(self, head: Head, asked_at: int) -> None:
        """The log stands at `head`; the feed stood at `asked_at` when that was asked."""
        # Those who come back together have come by the next beat.
        self._joined.clear()
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

    def _accept(self, events: Sequence[LoggedEvent], via: str) -> None:
        """Take what is next: events without a gap, the first of which follows `position`."""
        if not events:
            return
        assert events[0].seq == self.position + 1
        entries = [Entry.of(event) for event in events]
        self.position = events[-1].seq
        EVENTS.labels(via).inc(len(entries))
        self._keep(entries)
        were_few = len(self._unsent) < BULK
        self._unsent += entries
        if self._flushing is None or (were_few and len(self._unsent) >= BULK):
            self._flush_soon()

    def _accept_ahead(self, via: str) -> None:
        following: list[LoggedEvent] = []
        while (event := self._ahead.pop(self.position + 1 + len(following), None)) is not None:
            following.append(event)
        self._accept(following, via)
        if self._ahead:
            for seq in [seq for seq in self._ahead if seq <= self.position]:
                del self._ahead[seq]

    def _keep(self, entries: Sequence[Entry]) -> None:
        self._ring += entries
        self._ring_bytes += sum([len(entry.frame) for entry in entries])
        for entry in entries:
            self._audiences[entry.audience] += 1
            if is_narrow(entry.audience):
                self._narrow.add(entry.audience)
        while len(self._ring) > RING_EVENTS or (self._ring_bytes > RING_BYTES and len(self._ring) > 1):
            oldest = self._ring.popleft()
            self._ring_bytes -= len(oldest.frame)
            self._audiences[oldest.audience] -= 1
            if not self._audiences[oldest.audience]:
                del self._audiences[oldest.audience]
                self._narrow.discard(oldest.audience)

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
            # A hint may have brought some of them meanwhile.
            news = [event for event in page.events if event.seq > self.position]
            for at in page.at[len(page.events) - len(news) :]:
                FEED_LAG.observe(max(now - at, 0.0))
                self._oldest_at = min(self._oldest_at, at)
            self._accept(news, "log")
            self._accept_ahead("log")

    def _restart(self, head: Head, reason: str) -> None:
        _log.warning("the log has started anew", tenant_id=str(self.tenant_id), reason=reason, seq=head.seq)
        self.flush()
        self.generation += 1
        self.epoch, self.position, self.known_head = head.epoch, head.seq, head.seq
        self._ring.clear()
        self._ring_bytes = 0
        self._audiences.clear()
        self._narrow.clear()
        self._joined.clear()
        self._ahead.clear()
        for listener in list(self._live):
            listener.resync(reason, head)

    # -- what goes out

    def reaches_back_to(self, seq: int) -> bool:
        """Whether everything after `seq` is at hand."""
        return seq >= self.position or bool(self._ring and self._ring[0].seq <= seq + 1)

    def since(self, seq: int, max_bytes: int, rooms: Rooms) -> Piece | None:
        """What a member may see after `seq`. About `max_bytes` at the most.

        None when the events kept here do not reach back that far; then the log has them.
        """
        if seq >= self.position:
            return Piece(b"", 0, seq)
        if not self.reaches_back_to(seq):
            return None
        # Whoever comes back after the same break of the network, and may see the same of it, gets the same bytes.
        common = [audience for audience in rooms if audience in self._audiences]
        asked = (seq, max_bytes, frozenset(common + [audience for audience in self._narrow if rooms.admit(audience)]))
        joined = self._joined.get(asked)
        # A piece that is full stays what it is; one that ended where the feed stood then has something after it now.
        if joined is not None and (joined.is_full or joined.reaches == self.position):
            return joined
        frames: list[bytes] = []
        size, is_full = 0, False
        for entry in islice(self._ring, seq + 1 - self._ring[0].seq, None):
            if rooms.admit(entry.audience):
                if size and size + len(entry.frame) > max_bytes:
                    is_full = True
                    break
                frames.append(entry.frame)
                size += len(entry.frame)
            seq = entry.seq
        if len(self._joined) >= MAX_JOINED:
            self._joined.clear()
        self._joined[asked] = Piece(b"".join(frames), len(frames), seq, is_full)
        return self._joined[asked]

    def join(self, listener: Listener, at: int) -> bool:
        """Make a socket live if it stands exactly where the feed does; there is no await between the two."""
        if at != self.position:
            return False
        if self._unsent:
            self._newcomers[listener] = at
        else:
            self._live[listener] = None
        return True

    def leave(self, listener: Listener) -> None:
        """The socket is no longer live."""
        self._live.pop(listener, None)
        self._newcomers.pop(listener, None)

    def _flush_soon(self) -> None:
        loop = asyncio.get_running_loop()
        if self._flushing is not None:
            self._flushing.cancel()
        if len(self._unsent) < BULK and (rested_at := self._paid_at - AHEAD_S) > loop.time():
            self._flushing = loop.call_at(rested_at, self.flush)
        else:
            self._flushing = loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write what has been accepted since the last time: one write a socket."""
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        batch, self._unsent = self._unsent, []
        newcomers, self._newcomers = self._newcomers, {}
        oldest_at, self._oldest_at = self._oldest_at, inf
        if not batch or not (self._live or newcomers):
            return
        began = time.thread_time()
        with span("floor.write") as here:
            here.set_attributes({"ringside.events": len(batch), "ringside.sockets": len(self._live) + len(newcomers)})
            self._write(batch, list(self._live))
            for at in sorted(set(newcomers.values())):
                since = [listener for listener, joined_at in newcomers.items() if joined_at == at]
                self._live.update(dict.fromkeys(since))
                if rest := batch[at + 1 - batch[0].seq :]:
                    self._write(rest, since)
        if oldest_at < inf:
            TO_SOCKETS.observe(max(time.time() - oldest_at, 0.0))
        took_s = time.thread_time() - began
        if took_s > COUNTS_FROM_S and len(batch) < BULK:
            self._paid_at = max(self._paid_at, asyncio.get_running_loop().time()) + took_s / SHARE

    def _write(self, batch: Sequence[Entry], listeners: Iterable[Listener]) -> None:
        before = batch[0].seq - 1
        audiences = tuple({entry.audience for entry in batch})
        has_narrow = any(map(is_narrow, audiences))
        joined: dict[tuple[bool, ...], tuple[bytes, int]] = {}
        writes = written = 0
        # The last of a thousand sockets waits for all before it: what can be done once is not done here.
        for listener in listeners:
            rooms = listener.rooms
            if has_narrow:
                sees = tuple([rooms.admit(audience) for audience in audiences])
            else:
                sees = tuple([audience in rooms for audience in audiences])
            if sees not in joined:
                frames = [entry.frame for entry in batch if rooms.admit(entry.audience)]
                joined[sees] = b"".join(frames), len(frames)
            data, count = joined[sees]
            if count and listener.push(data, before):
                writes += 1
                written += count
        FRAMES.inc(written)
        WRITES.inc(writes)
