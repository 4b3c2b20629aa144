"""The bytes on the wire, written past python-socketio, which would make a task and an encoding for each recipient.

This is the only module that leans on how python-socketio, python-engineio and aiohttp are built inside;
tests/realtime/test_wire.py fails when a release of theirs moves one of these things:

- `AsyncServer.eio._async["websocket"]`: the class that engine.io serves a websocket with;
- `engineio.async_drivers.aiohttp.WebSocket`: its `server`, `handler` and `_sock`, and the `environ` it is called with;
- `AsyncServer.eio.sockets`, and `queue`, `closed` of the sockets in it: what engine.io has yet to write;
- `AsyncServer.environ`, keyed by engine.io's ids.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from typing import Any

import socketio
from aiohttp import WSCloseCode, web
from engineio.async_drivers.aiohttp import WebSocket as EngineWebSocket

_WEBSOCKET = "ringside.websocket"
_FIN_TEXT = 0x81


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


class _PlainWebSocket(EngineWebSocket):  # type: ignore[misc]
    """engine.io's websocket without permessage-deflate, known to the handlers through its environ."""

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(max_msg_size=self.server.max_http_buffer_size, compress=False)
        self._sock = ws
        await ws.prepare(environ["aiohttp.request"])
        self.environ = environ
        environ[_WEBSOCKET] = ws
        await self.handler(self)
        return ws


def new_server(*, ping_interval_s: int, ping_timeout_s: int, max_message_bytes: int, allows_origin: Any) -> socketio.AsyncServer:
    """A Socket.IO server whose sockets can be written to with a Line."""
    # Without a logger of ours the libraries put a handler on their own, and they log every packet.
    logger = logging.getLogger("socketio.server")
    logger.setLevel(logging.ERROR)
    sio = socketio.AsyncServer(
        logger=logger,
        engineio_logger=logger,
        async_mode="aiohttp",
        transports=["websocket"],
        allow_upgrades=False,
        http_compression=False,
        cors_allowed_origins=allows_origin,
        ping_interval=ping_interval_s,
        ping_timeout=ping_timeout_s,
        max_http_buffer_size=max_message_bytes,
        async_handlers=False,
    )
    sio.eio._async = {**sio.eio._async, "websocket": _PlainWebSocket}
    return sio


def engine_sockets(sio: socketio.AsyncServer) -> Iterator[str]:
    """The ids of all engine.io connections, whether or not they have said CONNECT."""
    return iter(list(sio.eio.sockets))


async def drop_engine_socket(sio: socketio.AsyncServer, engine_id: str) -> None:
    """Cut a connection that never became a socket."""
    environ = sio.environ.get(engine_id)
    ws = environ.get(_WEBSOCKET) if environ else None
    if ws is None:
        await sio.eio.disconnect(engine_id)
        return
    with contextlib.suppress(OSError, RuntimeError):
        await ws.close(code=WSCloseCode.POLICY_VIOLATION, drain=False)
    transport = environ["aiohttp.request"].transport
    if transport is not None:
        transport.abort()


class Line:
    """The way to one client: writes whole frames, in order, behind what engine.io had already queued."""

    __slots__ = ("_engine", "_request", "_sio", "_transport", "_ws", "engine_id", "sid")

    def __init__(self, sio: socketio.AsyncServer, sid: str, environ: dict[str, Any]) -> None:
        self.sid = sid
        self._sio = sio
        self._request: web.Request = environ["aiohttp.request"]
        self._ws: web.WebSocketResponse = environ[_WEBSOCKET]
        self.engine_id: str = sio.manager.eio_sid_from_sid(sid, "/")
        self._engine = sio.eio.sockets[self.engine_id]
        transport = self._request.transport
        if transport is None:
            raise ConnectionResetError("the client has gone")
        self._transport: asyncio.Transport = transport

    @property
    def request(self) -> web.Request:
        """The request that became this socket."""
        return self._request

    @property
    def is_open(self) -> bool:
        """Whether anything can still be written."""
        return not (self._ws.closed or self._engine.closed or self._transport.is_closing())

    @property
    def backlog(self) -> int:
        """Bytes the client has not taken yet, beyond what the operating system holds."""
        return self._transport.get_write_buffer_size()

    async def settled(self, timeout_s: float) -> bool:
        """Wait until engine.io has written what it held, which ends with the CONNECT packet. False when it did not."""
        try:
            async with asyncio.timeout(timeout_s):
                # The handler of `connect` runs before CONNECT is queued.
                while not self._sio.manager.is_connected(self.sid, "/"):
                    if not self.is_open:
                        return False
                    await asyncio.sleep(0.001)
                await self._engine.queue.join()
        except TimeoutError:
            return False
        return self.is_open

    def write(self, frames: bytes) -> None:
        """Write frames at once; what the client does not take is its backlog."""
        if self.is_open:
            self._transport.write(frames)

    async def end(self, timeout_s: float) -> None:
        """Send Socket.IO's DISCONNECT after what was written, and close."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._sio.disconnect(self.sid)
                await self._engine.queue.join()
                while self.backlog and self.is_open:  # noqa: ASYNC110 - a transport tells nobody but its protocol
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
