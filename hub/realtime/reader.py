"""One socket and its place in the log: catching up, then live, and off the live path again when it reads too slowly."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import structlog

from hub.auth.tokens import Claims
from hub.realtime.feed import Entry, Feed
from hub.realtime.floor import Floor
from hub.realtime.limits import Limits
from hub.realtime.log import AHEAD_OF_LOG, TOO_FAR_BEHIND, TOO_OLD, UNKNOWN_EPOCH, Cursor, Head, LogGap
from hub.realtime.metrics import CATCH_UPS, FRAMES, RESYNCS, WRITES
from hub.realtime.rooms import Rooms, rooms_of
from hub.realtime.wire import Line, packet

CHUNK_BYTES = 64 * 1024
PAGE = 500
_POLL_S = 0.02

_log = structlog.get_logger(__name__)


class TooSlow(Exception):
    """The client took nothing for too long."""


class Reader:
    """A client of a tenant's log, on one socket.

    `position` is the last event it was given, or passed over because it is not its to see, while it is not live;
    a live reader stands where its feed does.
    """

    def __init__(
        self, line: Line, claims: Claims, floor: Floor, limits: Limits, dismiss: Callable[[Reader, str | None], None]
    ) -> None:
        self.line = line
        self.claims = claims
        self.rooms: Rooms = rooms_of(claims)
        self.position = 0
        self.gone = False
        self.ready = False
        self._floor = floor
        self._limits = limits
        self._dismiss = dismiss
        self._feed: Feed | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def sid(self) -> str:
        """Socket.IO's id of the socket."""
        return self.line.sid

    # -- coming and going

    def start(self, cursor: Cursor | None, on_ready: Callable[[Reader], None]) -> None:
        """Begin to serve the socket once its CONNECT packet is out."""
        self._run(lambda: self._serve(cursor, on_ready))

    def close(self) -> None:
        """The socket has gone or is about to be closed."""
        if self.gone:
            return
        self.gone = True
        if self._task is not None:
            self._task.cancel()
        if self._feed is not None:
            self._feed.leave(self)
            self._floor.leave(self.claims.tenant_id)

    def renew(self, claims: Claims) -> None:
        """A fresh token of the same member, or a role that changed: other rooms from the next event on."""
        if self._feed is not None:
            self._feed.flush()
        self.claims = claims
        self._enter_rooms()

    def _enter_rooms(self) -> None:
        self.rooms = rooms_of(self.claims) if self._feed is None else self._feed.rooms_of(self.claims)

    def say(self, name: str, **data: Any) -> None:
        """Write one packet that is not an event of the log."""
        self.line.write(packet(name, orjson.dumps(data, default=str)))

    # -- live

    def push(self, frames: bytes, before: int) -> bool:
        """Write what is next, or leave the live path when the client has not taken what it was given before."""
        line = self.line
        if line.backlog > self._limits.backlog_bytes:
            self._fall_behind(before)
            return False
        line.write(frames)
        return True

    def resync(self, reason: str, head: Head) -> None:
        """Tell the client to fetch state again; it goes on from `head`."""
        RESYNCS.labels(reason).inc()
        self._enter_rooms()
        self.position = head.seq
        self.say("resync", reason=reason, epoch=head.epoch, seq=head.seq)

    def _write(self, frames: bytes, count: int) -> None:
        self.line.write(frames)
        FRAMES.inc(count)
        WRITES.inc()

    def _fall_behind(self, position: int) -> None:
        assert self._feed is not None
        self._feed.leave(self)
        self.position = position
        CATCH_UPS.labels("slow").inc()
        feed = self._feed
        self._run(lambda: self._catch_up(feed))

    # -- catching up

    def _run(self, work: Callable[[], Awaitable[None]]) -> None:
        self._task = asyncio.get_running_loop().create_task(self._guarded(work), name="reader")

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except TooSlow:
            self._dismiss(self, "too_slow")
        except Exception as exc:
            # Postgres is down, most likely. The client comes back by itself, here or at another hub, with its cursor.
            _log.warning("a socket could not be served", error=str(exc) or repr(exc))
            self._dismiss(self, None)
        finally:
            # Ten thousand idle sockets would keep ten thousand finished tasks.
            if self._task is asyncio.current_task():
                self._task = None

    async def _serve(self, cursor: Cursor | None, on_ready: Callable[[Reader], None]) -> None:
        if not await self.line.settled(self._limits.connect_deadline_s):
            self._dismiss(self, None)
            return
        # When this is cancelled meanwhile, `enter` itself takes the socket off its count again.
        feed = await self._floor.enter(self.claims.tenant_id)
        self._feed = feed
        self._enter_rooms()
        problem = None if cursor is None else await self._problem_with(cursor, feed)
        self.position = feed.position if cursor is None or problem else cursor.seq
        self.say("ready", epoch=feed.epoch, seq=self.position, tenant_id=self.claims.tenant_id, user_id=self.claims.user_id)
        self.ready = True
        if problem:
            self.resync(problem, Head(feed.epoch, self.position))
        elif cursor is not None and self.position < feed.position:
            CATCH_UPS.labels("resumed").inc()
        on_ready(self)
        await self._catch_up(feed)

    async def _problem_with(self, cursor: Cursor, feed: Feed) -> str | None:
        """Why this cursor cannot be resumed from, if it cannot."""
        if cursor.epoch != feed.epoch:
            return UNKNOWN_EPOCH
        if cursor.seq > feed.position:
            # Another hub may have been quicker than this one's feed; only the log itself knows.
            head = await self._floor.head(self.claims.tenant_id)
            if head.epoch != cursor.epoch:
                return UNKNOWN_EPOCH
            if cursor.seq > head.seq:
                return AHEAD_OF_LOG
            if not await feed.reach(head.seq):
                raise ConnectionError("the log does not give what it has")
        if feed.position - cursor.seq > self._limits.max_behind:
            return TOO_FAR_BEHIND
        if not feed.reaches_back_to(cursor.seq):
            try:
                await self._floor.read(self.claims.tenant_id, cursor.seq, 1)
            except LogGap:
                return TOO_OLD
        return None

    async def _catch_up(self, feed: Feed) -> None:
        """Give the client everything after `position`, then join the live sockets."""
        generation = feed.generation
        while True:
            await self._room_to_write()
            if feed.generation != generation:
                generation = feed.generation
                self.resync(UNKNOWN_EPOCH, feed.head)
            elif feed.position - self.position > self._limits.max_behind:
                self.resync(TOO_FAR_BEHIND, feed.head)
            elif feed.position < self.position and not await feed.reach(self.position):
                raise ConnectionError("the log does not give what it has")
            # From here to `join` nothing awaits: what is live comes right after what was read.
            piece = feed.since(self.position, CHUNK_BYTES, self.rooms)
            if piece is None:
                await self._read_page(feed, generation)
                continue
            self.position = piece.reaches
            if piece.events:
                self._write(piece.frames, piece.events)
            if feed.join(self, self.position):
                return
            await asyncio.sleep(0)

    async def _read_page(self, feed: Feed, generation: int) -> None:
        try:
            page = await self._floor.read(self.claims.tenant_id, self.position, PAGE)
        except LogGap:
            if feed.generation == generation:
                self.resync(TOO_OLD, feed.head)
            return
        if feed.generation != generation:
            return
        if not page.events:
            raise ConnectionError("the log does not give what it has")
        frames: list[bytes] = []
        for event in page.events:
            if self.rooms.admit(event.audience):
                frames.append(Entry.of(event).frame)
        if frames:
            self._write(b"".join(frames), len(frames))
        self.position = page.events[-1].seq

    async def _room_to_write(self) -> None:
        """Wait until the client has taken most of what it was given. Raises TooSlow when it takes nothing."""
        least, since = self.line.backlog, time.monotonic()
        while (backlog := self.line.backlog) > self._limits.resume_below_bytes:
            if not self.line.is_open:
                raise ConnectionResetError("the client has gone")
            if backlog < least:
                least, since = backlog, time.monotonic()
            elif time.monotonic() - since > self._limits.stalled_s:
                raise TooSlow
            await asyncio.sleep(_POLL_S)
