"""What hub.realtime.wire takes for granted about the libraries. Red here means: a release of theirs moved something."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import pytest
import socketio
from aiohttp import web
from engineio.async_drivers import aiohttp as driver
from engineio.async_socket import AsyncSocket
from engineio.packet import MESSAGE, Packet
from hypothesis import given
from hypothesis import strategies as st

from hub.realtime import wire
from tests.realtime.kit import eventually

SERVER: dict[str, Any] = {
    "ping_interval_s": 15,
    "ping_timeout_s": 10,
    "max_message_bytes": 16384,
    "allows_origin": lambda *_: True,
}


def test_the_libraries_still_have_what_the_wire_leans_on() -> None:
    sio = wire.new_server(**SERVER)
    assert sio.eio._async["websocket"] is wire._Channel
    assert driver._async["websocket"] is driver.WebSocket, "the driver is changed for this server only"
    assert issubclass(wire._Channel, driver.WebSocket)
    plain = driver.WebSocket(None, sio.eio)
    assert (plain.handler, plain.server, plain._sock) == (None, sio.eio, None)
    assert sio.eio.sockets == {}
    assert sio.environ == {}
    assert sio.manager.eio_sid_from_sid("none", "/") is None
    assert sio.manager.is_connected("none", "/") is False
    assert sio.eio.handlers["connect"] == sio._handle_eio_connect, "what keeps a ping from being scheduled is called"
    assert (sio.eio.ping_interval, sio.eio.ping_timeout) == (15, 10)


async def test_an_engine_socket_still_has_what_a_channel_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    sio = wire.new_server(**SERVER)
    engine = AsyncSocket(sio.eio, "some-id")
    assert isinstance(engine.queue, asyncio.Queue)
    assert (engine.connected, engine.upgraded, engine.closed) == (False, False, False)
    assert engine.last_ping, "a ping is scheduled unless this is None"
    engine.last_ping = None
    tasks = asyncio.all_tasks()
    engine.schedule_ping()
    assert asyncio.all_tasks() == tasks
    channel = wire._Channel(engine._websocket_handler, sio.eio)
    assert channel.engine is engine
    engine.queue = wire._Outbox(channel)
    sent: list[Packet] = []
    monkeypatch.setattr(channel, "send", sent.append)
    packet = Packet(MESSAGE, data="0{}")
    await engine.send(packet)
    assert sent == [packet], "all that engine.io writes goes through `put`"
    await engine.close(wait=True, abort=True, reason="test")
    assert engine.closed


@given(st.text(max_size=300) | st.integers(0, 70_000).map(lambda n: "x" * n))
def test_a_frame_is_one_unmasked_websocket_text_message(text: str) -> None:
    payload = text.encode()
    frame = wire.text_frame(payload)
    assert frame[0] == 0x81
    size, start = frame[1], 2
    if size == 126:
        size, start = int.from_bytes(frame[2:4], "big"), 4
    elif size == 127:
        size, start = int.from_bytes(frame[2:10], "big"), 10
    assert (size, frame[start:]) == (len(payload), payload)


class Server:
    """A server that answers every CONNECT with packets written past Socket.IO."""

    def __init__(self, **other: Any) -> None:
        self.sio = wire.new_server(**{**SERVER, **other})
        self.lines: list[wire.Line] = []
        self.port = 0
        self.sio.on("connect", self.connect)

    async def connect(self, sid: str, environ: dict[str, Any], _auth: Any = None) -> None:
        line = wire.Line(self.sio, sid, environ)
        task = asyncio.create_task(self.greet(line))
        self.lines.append(line)
        task.add_done_callback(lambda done: done.result())

    async def greet(self, line: wire.Line) -> None:
        assert await line.settled(5)
        line.write(b"".join(wire.packet("event", orjson.dumps({"n": n, "text": "é" * n})) for n in range(200)))


@asynccontextmanager
async def serving(made: Server) -> AsyncIterator[None]:
    """Serve on a port of its own."""
    app = web.Application()
    made.sio.attach(app)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.port = runner.addresses[0][1]
    try:
        yield
    finally:
        await made.sio.shutdown()
        await runner.cleanup()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server on a port of its own."""
    made = Server()
    async with serving(made):
        yield made


async def test_a_real_client_understands_what_is_written_past_the_library(server: Server) -> None:
    heard: list[Any] = []

    async def keep(data: Any) -> None:
        heard.append(data)

    client = socketio.AsyncClient(reconnection=False)
    client.on("event", keep)
    await client.connect(f"http://127.0.0.1:{server.port}", transports=["websocket"])
    await eventually(lambda: len(heard) == 200, "200 packets")
    assert heard == [{"n": n, "text": "é" * n} for n in range(200)]
    await server.lines[0].end(2)
    await eventually(lambda: not client.connected, "the end")


async def test_nothing_overtakes_the_connect_packet_and_nothing_is_compressed(server: Server) -> None:
    for _ in range(20):
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket", compress=15) as ws,
        ):
            assert not ws.compress
            assert (await ws.receive_str()).startswith("0{")
            await ws.send_str("40{}")
            assert (await ws.receive_str()).startswith('40{"sid"')
            assert (await ws.receive_str()).startswith('42["event",{"n":0')


async def test_a_socket_is_kept_once_and_has_no_room_of_its_own(server: Server) -> None:
    manager = server.sio.manager
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(f"http://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket") as ws:
            await ws.receive_str()
            await ws.send_str("40{}")
            sid = orjson.loads((await ws.receive_str())[2:])["sid"]
            assert manager.is_connected(sid, "/")
            assert manager.get_rooms(sid, "/") == []
            assert list(manager.get_participants("/", None)) == [(sid, server.lines[0].engine_id)]
        await eventually(lambda: not manager.is_connected(sid, "/"), "the end of the socket")
        await eventually(lambda: not list(manager.get_namespaces()), "nothing is left of it")


async def test_long_polling_is_not_served(server: Server) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=polling") as answer,
    ):
        assert answer.status == 400


async def test_a_reader_that_does_not_read_shows_as_backlog(server: Server) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket") as ws,
    ):
        await ws.receive_str()
        await ws.send_str("40{}")
        await ws.receive_str()
        line = server.lines[0]
        assert line.backlog == 0
        transport = ws._conn.transport if ws._conn else None
        assert transport is not None
        transport.pause_reading()
        for _ in range(400):
            line.write(wire.packet("event", b'"' + b"x" * 100_000 + b'"'))
        assert line.backlog > 1_000_000
        transport.resume_reading()
        reading = asyncio.create_task(_read_all(ws))
        await eventually(lambda: line.backlog == 0, "the backlog drains")
        reading.cancel()


async def _read_all(ws: aiohttp.ClientWebSocketResponse) -> None:
    async for _ in ws:
        pass


async def test_whoever_does_not_answer_a_ping_is_cut_and_whoever_does_stays() -> None:
    server = Server(ping_interval_s=0, ping_timeout_s=1)
    async with serving(server), aiohttp.ClientSession() as session:
        async with session.ws_connect(f"http://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket") as ws:
            await ws.receive_str()
            await wire.ping_sockets(server.sio)
            assert await ws.receive_str() == "2"
            await ws.send_str("3")
            await eventually(lambda: _asked(server) == [False], "the answer")
            await wire.ping_sockets(server.sio)
            assert await ws.receive_str() == "2"
            await eventually(lambda: _gone_after_a_look(server), "the end of the socket")
            assert (await ws.receive()).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        assert server.sio.environ == {}


def _asked(server: Server) -> list[bool]:
    return [environ[wire._CHANNEL].asked_at is not None for environ in server.sio.environ.values()]


async def _gone_after_a_look(server: Server) -> bool:
    await wire.ping_sockets(server.sio)
    return not server.sio.eio.sockets
