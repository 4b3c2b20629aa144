"""The live floor of one process, put together."""

from __future__ import annotations

import asyncio

from aiohttp import web

from hub.auth.keys import Keys
from hub.config import Settings
from hub.db import Database
from hub.hints import RedisHints
from hub.presence.actions import reap
from hub.presence.sockets import Attendance
from hub.realtime.access import Access, Verifier
from hub.realtime.floor import Floor
from hub.realtime.limits import Limits
from hub.realtime.pulse import Pulse
from hub.realtime.sockets import Sockets
from hub.realtime.subscriber import Subscriber


class Realtime:
    """Sockets, feeds, withdrawn access and presence of one process.

    Make it with the Database that has `hints` as its notifier, `attach` it to the application, `start` it before serving
    and `stop` it before the Database is closed.
    """

    def __init__(
        self,
        settings: Settings,
        db: Database,
        tokens: Verifier,
        hints: RedisHints,
        *,
        limits: Limits | None = None,
        keys: Keys | None = None,
    ) -> None:
        limits = limits or Limits()
        self._running = False
        self._hints = hints
        self.access = Access(db, tokens, keys)
        """Who may still come in: the authenticator of HTTP requests too."""
        self.floor = Floor(db, hints.process)
        self.sockets = Sockets(self.floor, self.access, limits, settings.public_url)
        self.attendance = Attendance(db, lease_s=limits.lease_s, grace_s=limits.absence_grace_s)
        self.heads = Pulse("heads", limits.tick_s, self.floor.tick)
        """Looks where the log stands."""
        self.withdrawn = Pulse("access", limits.tick_s, self.access.poll)
        """Looks for access that was withdrawn."""
        self.sweep = Pulse("sweep", limits.tick_s, self._look_around)
        """Looks after the sockets."""
        self._beat = Pulse("beat", limits.beat_s, self.attendance.beat)
        self._reap = Pulse("reap", limits.reap_s, lambda: reap(db), timeout_s=30)
        self._subscriber = Subscriber(
            settings.redis_url, on_hint=self.floor.hinted, on_access=self.withdrawn.now, on_fresh=self.heads.now
        )
        self.floor.watched = self._subscriber.watch
        self.sockets.on_arrive = self.attendance.arrived
        self.sockets.on_leave = self.attendance.left

    def attach(self, app: web.Application) -> None:
        """Serve /socket.io/ of this application."""
        self.sockets.attach(app)

    async def start(self) -> None:
        """Learn what must be known before the first client, and begin. Raises when Postgres does not answer; Redis need not."""
        await self.access.prime()
        await self.attendance.beat()
        self._hints.local = self.floor.committed_here
        self._subscriber.start()
        for pulse in self._pulses:
            pulse.start()
        self._running = True

    async def stop(self) -> None:
        """Close the sockets as if the network had, so that their clients go to another process or come back to the next one.

        May be called twice.
        """
        if not self._running:
            return
        self._running = False
        await self.sockets.stop()
        self._hints.local = None
        await asyncio.gather(*(pulse.stop() for pulse in self._pulses))
        await self._subscriber.stop()
        self.floor.close()
        await self.attendance.stop()

    @property
    def _pulses(self) -> tuple[Pulse, ...]:
        return (self.heads, self.withdrawn, self._beat, self._reap, self.sweep)

    async def _look_around(self) -> None:
        await self.sockets.sweep()
        self.attendance.sweep()
