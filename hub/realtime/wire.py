"""The bytes on the wire, written and read past python-socketio and python-engineio.

They would make a task and an encoding for each recipient, and keep a writing task, a queue and half a dozen timers for each
socket. Here a socket is one task that reads, and what is to be written is written at once.

This is the only module that leans on how python-socketio, python-engineio and aiohttp are built inside;
tests/realtime/test_wire.py fails when a release of theirs moves one of these things:

- `AsyncServer.eio._async["websocket"]`: the class that engine.io serves a websocket with;
- `engineio.async_drivers.aiohttp.WebSocket`: its `server`, `handler` (a bound method of the engine.io socket) and `_sock`, and
  the `environ` it is called with;
- `AsyncServer.eio.sockets`, and of the sockets in it: `queue` (what is to be written goes through its `put`), `connected`,
  `upgraded`, `closed`, `receive`, `close`, and `last_ping`, which keeps a ping from being scheduled while it is None;
- `AsyncManager.basic_enter_room`, by which a socket gets a room of its own, and room None, which is all that are connected;
- `AsyncServer._handle_eio_connect`, called before the first ping is scheduled;
- `AsyncServer.environ`, keyed by engine.io's ids.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator
from typing import Any

import socketio
from aiohttp import WSCloseCode, WSMsgType, web
from engineio.async_drivers.aiohttp import WebSocket as EngineWebSocket
from engineio.exceptions import SocketIsClosedError, UnknownPacketError
from engineio.packet import MESSAGE, Packet

from hub.limits.seats import SEAT, Seat
from hub.slices import slices

_CHANNEL = "ringside.channel"
_REQUEST = "aiohttp.request"
_FIN_TEXT = 0x81
# Engine.IO's PING (2) and the client's answer to it, PONG (3).
_PING = b"\x81\x012"
_PONG = "3"
_SILENCE_S = 5.0
_CLOSE_S = 3.0
_log = logging.getLogger("socketio.server")


def text_frame(payload: bytes) -> bytes:
    """An unmasked websocket text message in one frame (RFC 6455, section 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((_FIN_TEXT, size)) + payload
    if size < 65536:
        return bytes((_FIN_TEXT, 126)) + size.to_bytes(2, "big") + payload
    return bytes((_FIN_TEXT, 127)) + size.to_bytes(8, "big") + payload


def packet(name: str, data: bytes) -> bytes:
    """An event of the default namespace, ready for the transport. `data` is JSON.

    `4` is engine.io's MESSAGE, `2` is Socket.IO's EVENT.
    """
    return text_frame(b'42["' + name.encode() + b'",' + data + b"]")


class _Outbox:
    """Stands where engine.io has a queue: what is put is written at once, so nothing ever waits in it."""

    __slots__ = ("_channel",)

    def __init__(self, channel: _Channel) -> None:
        self._channel = channel

    async def put(self, item: Packet | None) -> None:
        """Write a packet. None, which would end engine.io's writer, ends nothing here."""
        if item is not None:
            self._channel.send(item)

    async def join(self) -> None:
        """Everything is written."""


class _Channel(EngineWebSocket):  # type: ignore[misc]
    """One websocket without permessage-deflate, served by the task of its request alone."""

    def __init__(self, handler: Any, server: Any) -> None:
        super().__init__(handler, server)
        self.engine: Any = handler.__self__ if handler is not None else None
        self.ws: web.WebSocketResponse | None = None
        self.transport: asyncio.Transport | None = None
        self.is_greeted = False
        self.asked_at: float | None = None
        self.heard_at = time.monotonic()
        self._greeting: asyncio.Future[None] | None = None

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        request: web.Request = environ[_REQUEST]
        self.ws = self._sock = ws = web.WebSocketResponse(
            max_msg_size=self.server.max_http_buffer_size, compress=False, timeout=_CLOSE_S
        )
        await ws.prepare(request)
        environ[_CHANNEL] = self
        self.transport = request.transport
        engine = self.engine
        engine.connected = engine.upgraded = True
        self._take_over(engine)
        try:
            await self._hear(ws, request.get(SEAT))
        finally:
            self._wake()
            await engine.close(wait=False, abort=True, reason=self.server.reason.TRANSPORT_CLOSE)
        with contextlib.suppress(OSError, RuntimeError):
            await ws.close(drain=False)
        return ws

    async def _fall_silent(self) -> None:
        """Hear nothing more of a client that talks too much, and let it go after a while.

        To close politely would read all that it has said; to hang up at once would have it back at once.
        """
        if self.transport is not None:
            self.transport.pause_reading()
            await asyncio.sleep(_SILENCE_S)
            self.transport.abort()

    def _take_over(self, engine: Any) -> None:
        queued, engine.queue = engine.queue, _Outbox(self)
        while not queued.empty():
            self.send(queued.get_nowait())

    async def _hear(self, ws: web.WebSocketResponse, seat: Seat | None) -> None:
        while True:
            message = await ws.receive()
            if message.type is not WSMsgType.TEXT and message.type is not WSMsgType.BINARY:
                return
            if seat is not None and not seat.hears():
                await self._fall_silent()
                return
            if message.data == _PONG:
                self.asked_at, self.heard_at = None, time.monotonic()
                continue
            try:
                await self.engine.receive(Packet(encoded_packet=message.data))
            except (UnknownPacketError, ValueError):
                pass
            except SocketIsClosedError:
                return
            except Exception:
                _log.exception("a packet could not be taken in")

    def send(self, item: Packet) -> None:
        """Write an engine.io packet."""
        encoded = item.encode()
        self.write(text_frame(encoded.encode() if isinstance(encoded, str) else encoded))
        # Socket.IO's CONNECT, which the client waits for before it takes anything else.
        if not self.is_greeted and item.packet_type == MESSAGE and isinstance(item.data, str) and item.data.startswith("0"):
            self.is_greeted = True
            self._wake()

    def write(self, frames: bytes) -> None:
        """Write frames at once, unless the connection is about to end."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(frames)

    async def greeted(self, timeout_s: float) -> bool:
        """Wait until CONNECT is written; False when it never was."""
        if not self.is_greeted:
            self._greeting = asyncio.get_running_loop().create_future()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._greeting
            self._greeting = None
        return self.is_greeted

    def _wake(self) -> None:
        if self._greeting is not None and not self._greeting.done():
            self._greeting.set_result(None)

    def look(self, now: float, interval_s: float, timeout_s: float) -> None:
        """Ask whether the client is still there when it is time, and cut the connection when the answer is too late."""
        if self.asked_at is not None:
            if now - self.asked_at > timeout_s and self.transport is not None:
                self.transport.abort()
        elif now - self.heard_at >= interval_s:
            self.asked_at = now
            self.write(_PING)


class _Manager(socketio.AsyncManager):  # type: ignore[misc]
    """Keeps who is connected and no rooms: the feeds know who hears what.

    Else each socket is a room of its own, and whoever goes is looked for in all of them: ten thousand that go together take the
    processor for half a minute.
    """

    def basic_enter_room(self, sid: str, namespace: str, room: str | None, eio_sid: str | None = None) -> None:
        if room is None:
            super().basic_enter_room(sid, namespace, room, eio_sid=eio_sid)


class _Server(socketio.AsyncServer):  # type: ignore[misc]
    """Socket.IO's server without a task for each ping."""

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> Any:
        self.eio.sockets[eio_sid].last_ping = None
        return await super()._handle_eio_connect(eio_sid, environ)


def new_server(*, ping_interval_s: int, ping_timeout_s: int, max_message_bytes: int, allows_origin: Any) -> socketio.AsyncServer:
    """A Socket.IO server whose sockets can be written to with a Line."""
    # Without a logger of ours the libraries put a handler on their own, and they log every packet.
    _log.setLevel(logging.ERROR)
    sio = _Server(
        client_manager=_Manager(),
        logger=_log,
        engineio_logger=_log,
        async_mode="aiohttp",
        transports=["websocket"],
        allow_upgrades=False,
        http_compression=False,
        cors_allowed_origins=allows_origin,
        ping_interval=ping_interval_s,
        ping_timeout=ping_timeout_s,
        max_http_buffer_size=max_message_bytes,
        async_handlers=False,
        # That would be a timer a socket; `ping_sockets` looks after all of them.
        monitor_clients=False,
    )
    sio.eio._async = {**sio.eio._async, "websocket": _Channel}
    return sio


def engine_sockets(sio: socketio.AsyncServer) -> Iterator[str]:
    """The ids of all engine.io connections, whether or not they have said CONNECT."""
    return iter(list(sio.eio.sockets))


async def ping_sockets(sio: socketio.AsyncServer) -> None:
    """Ask those whom nobody has asked for a while whether they are still there, and cut those who did not answer.

    To be called about every second.
    """
    interval_s, timeout_s = sio.eio.ping_interval, sio.eio.ping_timeout
    async for some in slices(list(sio.environ.values())):
        now = time.monotonic()
        for environ in some:
            channel = environ.get(_CHANNEL)
            if channel is not None:
                channel.look(now, interval_s, timeout_s)


async def drop_engine_socket(sio: socketio.AsyncServer, engine_id: str) -> None:
    """Cut a connection that never became a socket."""
    environ = sio.environ.get(engine_id)
    channel = environ.get(_CHANNEL) if environ else None
    if channel is None:
        await sio.eio.disconnect(engine_id)
        return
    with contextlib.suppress(OSError, RuntimeError, TimeoutError):
        async with asyncio.timeout(_CLOSE_S):
            await channel.ws.close(code=WSCloseCode.POLICY_VIOLATION, drain=False)
    if channel.transport is not None:
        channel.transport.abort()


class Line:
    """The way to one client: writes whole frames, in order."""

    __slots__ = ("_channel", "_sio", "_transport", "_ws", "engine_id", "sid")

    def __init__(self, sio: socketio.AsyncServer, sid: str, environ: dict[str, Any]) -> None:
        self.sid = sid
        self._sio = sio
        self._channel: _Channel = environ[_CHANNEL]
        self.engine_id: str = sio.manager.eio_sid_from_sid(sid, "/")
        transport, ws = self._channel.transport, self._channel.ws
        if transport is None or ws is None or self.engine_id not in sio.eio.sockets:
            raise ConnectionResetError("the client has gone")
        self._transport = transport
        self._ws = ws
        # The rest of it is some kilobytes that nobody asks for any more.
        kept = {_CHANNEL: self._channel, _REQUEST: environ[_REQUEST]}
        environ.clear()
        environ.update(kept)

    @property
    def is_open(self) -> bool:
        """Whether anything can still be written."""
        return not (self._ws.closed or self._channel.engine.closed or self._transport.is_closing())

    @property
    def backlog(self) -> int:
        """Bytes the client has not taken yet, beyond what the operating system holds."""
        waiting: int = self._transport.get_write_buffer_size()
        return waiting

    async def settled(self, timeout_s: float) -> bool:
        """Wait until the CONNECT packet is written: the handler of `connect` runs before it. False when it never was."""
        return await self._channel.greeted(timeout_s) and self.is_open

    def write(self, frames: bytes) -> None:
        """Write frames at once; what the client does not take is its backlog."""
        if self.is_open:
            self._transport.write(frames)

    async def end(self, timeout_s: float) -> None:
        """Send Socket.IO's DISCONNECT after what was written, and close."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._sio.disconnect(self.sid)
                while self.backlog and not self._transport.is_closing():  # noqa: ASYNC110 - it tells nobody but its protocol
                    await asyncio.sleep(0.01)
                await self._ws.close(code=WSCloseCode.OK, drain=False)
        except (TimeoutError, OSError, RuntimeError):
            pass
        self._transport.abort()

    async def hang_up(self, timeout_s: float) -> None:
        """Close only the websocket, which a client takes for a lost connection and comes back, here or elsewhere."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._ws.close(code=WSCloseCode.SERVICE_RESTART, drain=False)
        except (TimeoutError, OSError, RuntimeError):
            pass
        self._transport.abort()
