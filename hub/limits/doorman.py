"""Connections before and between requests: how many an address may have, and how slowly one may speak.

aiohttp closes a connection that says nothing; one that says a byte a second it keeps. The doorman stands between the
transport and aiohttp's protocol, counts what comes, and once a second shows out whoever takes too long.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from aiohttp import web
from prometheus_client import Counter, Gauge

from hub.config import Network
from hub.ending import end_task
from hub.limits.gate import Counted
from hub.limits.gcra import Meter
from hub.limits.limiter import network_of
from hub.limits.settings import Limits
from hub.slices import slices


@dataclass(frozen=True, slots=True)
class Times:
    """How slowly one may speak. Tests that wait for it shorten it.

    RFC 9110 leaves it to the server; Apache's mod_reqtimeout gives a header 20 to 40 s and a body 500 bytes a second.
    """

    header_s: float = 5.0
    body_patience_s: float = 10.0
    body_bytes_s: int = 1000
    look_every_s: float = 1.0


# What aiohttp takes of a request line, of a header field and of their number.
# Bodies are taken as they come: a compressed one is refused (hub.limits.admission), so nothing of a few bytes grows.
HTTP_LIMITS: Mapping[str, Any] = {
    "max_line_size": 8190,
    "max_field_size": 8190,
    "max_headers": 100,
    "auto_decompress": False,
    "lingering_time": 5.0,
    "keepalive_timeout": 30.0,
}

Phase = Literal["header", "idle", "request"]

_OPEN = Gauge("ringside_connections", "Open HTTP connections, sockets included.")
_SHOWN_OUT = Counter("ringside_connections_cut_total", "Connections that were cut, by why.", ["why"])


class Doorman:
    """The open connections of this process."""

    def __init__(self, limits: Limits, trusted: tuple[Network, ...] = (), times: Times | None = None) -> None:
        self.times = times or Times()
        self._trusted = trusted
        self._enforced = limits.enforced
        self._socket_bytes = limits.socket_bytes
        self._by_address = Counted(limits.connections_address)
        self._guests: dict[object, Guest] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look around."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="doorman")

    async def stop(self) -> None:
        """Stop looking."""
        if self._task is not None:
            await end_task(self._task)
            self._task = None

    def admit(self, factory: Callable[[], asyncio.BaseProtocol]) -> Callable[[], asyncio.Protocol]:
        """The protocol factory for a listener that stands before `factory`."""
        return lambda: Guest(self, cast(asyncio.Protocol, factory()))

    # -- what guests tell

    def comes(self, guest: Guest, transport: asyncio.Transport) -> bool:
        """Count a new connection; False when its address has too many."""
        address = _address_of(transport)
        if self._enforced and address is not None and not self._is_proxy(address):
            network = network_of(address)
            if not self._by_address.take(network):
                _SHOWN_OUT.labels("connections_address").inc()
                return False
            guest.network = network
        self._guests[transport] = guest
        _OPEN.inc()
        return True

    def goes(self, guest: Guest) -> None:
        """Forget a connection."""
        if guest.transport is None or self._guests.pop(guest.transport, None) is None:
            return
        _OPEN.dec()
        if guest.network is not None:
            self._by_address.give_back(guest.network)

    # -- what requests tell

    def begins(self, request: web.BaseRequest) -> Guest | None:
        """A request of this connection has its header."""
        guest = self._guests.get(request.transport)
        if guest is not None:
            guest.phase = "request"
            guest.request = request
            guest.since, guest.seen = time.monotonic(), guest.received
        return guest

    def talks(self, guest: Guest) -> None:
        """The request is to become a socket, which has little to say."""
        if self._enforced:
            guest.talk = Meter("", self._socket_bytes)

    def ends(self, guest: Guest) -> None:
        """The request has been answered."""
        guest.phase = "idle"
        guest.request = guest.talk = None
        guest.since, guest.seen = time.monotonic(), guest.received

    # -- rounds

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self.times.look_every_s)
            await self.look_around()

    async def look_around(self) -> None:
        """Show out who takes too long."""
        async for some in slices(list(self._guests.values())):
            now = time.monotonic()
            for guest in some:
                why = guest.overstays(now)
                if why is not None and guest.transport is not None:
                    _SHOWN_OUT.labels(why).inc()
                    guest.transport.abort()

    def _is_proxy(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted)


class Guest(asyncio.Protocol):
    """One connection: hands everything on to aiohttp's protocol, and counts it."""

    __slots__ = ("_doorman", "_inner", "network", "phase", "received", "request", "seen", "since", "talk", "transport")

    def __init__(self, doorman: Doorman, inner: asyncio.Protocol) -> None:
        self._doorman = doorman
        self._inner = inner
        self.transport: asyncio.Transport | None = None
        self.network: str | None = None
        self.request: web.BaseRequest | None = None
        self.talk: Meter | None = None
        self.phase: Phase = "header"
        self.received = 0
        self.seen = 0
        self.since = time.monotonic()

    def overstays(self, now: float) -> str | None:
        """Why this connection should be cut now, if it should."""
        times = self._doorman.times
        took_s = now - self.since
        if self.phase == "header":
            return "slow_header" if took_s > times.header_s else None
        if self.phase == "idle":
            if self.received == self.seen:
                self.since = now  # aiohttp ends the silence of those who are done
                return None
            return "slow_header" if took_s > times.header_s else None
        request = self.request
        if request is None or request.content.is_eof() or not request.can_read_body:
            self.since, self.seen = now, self.received
            return None
        if took_s < times.body_patience_s:
            return None
        if self.received - self.seen < times.body_bytes_s * took_s and not self._is_paused():
            return "slow_body"
        self.since, self.seen = now, self.received
        return None

    def _is_paused(self) -> bool:
        # We are the slow side while what has come is not read.
        return self.transport is not None and not self.transport.is_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let in, or not."""
        self.transport = cast(asyncio.Transport, transport)
        if not self._doorman.comes(self, self.transport):
            self.transport.abort()
            return
        self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone."""
        self._doorman.goes(self)
        self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count and hand on."""
        self.received += len(data)
        if self.talk is not None and not self._may_say(len(data)):
            return
        self._inner.data_received(data)

    def _may_say(self, size: int) -> bool:
        assert self.talk is not None
        now = time.monotonic()
        if self.talk.wait_s(size, now):
            _SHOWN_OUT.labels("socket_bytes").inc()
            if self.transport is not None:
                self.transport.abort()
            return False
        self.talk.charge(size, now)
        return True

    def eof_received(self) -> bool | None:
        """Hand on."""
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        """Hand on."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Hand on."""
        self._inner.resume_writing()


class DoorSite(web.TCPSite):
    """A TCP site whose connections pass the doorman."""

    def __init__(self, runner: web.AppRunner, doorman: Doorman, host: str, port: int, *, backlog: int = 4096) -> None:
        super().__init__(runner, host, port, backlog=backlog)
        self._doorman = doorman
        self._at = (host, port, backlog)

    @property
    def sockets(self) -> Sequence[socket.socket]:
        """What is listened on."""
        return cast(asyncio.Server, self._server).sockets if self._server is not None else ()

    async def start(self) -> None:
        """Listen."""
        await web.BaseSite.start(self)
        server = self._runner.server
        assert server is not None
        host, port, backlog = self._at
        self._server = await asyncio.get_running_loop().create_server(self._doorman.admit(server), host, port, backlog=backlog)
        self._bound_port = self._server.sockets[0].getsockname()[1]


def _address_of(transport: asyncio.BaseTransport) -> str | None:
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) and peer else None
