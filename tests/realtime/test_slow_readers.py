"""A client that does not read costs the others nothing, gets everything once it reads, and is dropped when it never does."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import orjson
from prometheus_client import REGISTRY

from hub.realtime.limits import Limits
from tests.conftest import Company, TestDatabase
from tests.loop_clock import LIMIT_S
from tests.patience import PATIENCE_S
from tests.realtime.kit import Client, clients, eventually, hub_process, note, token_for

TEXT = "x" * 60_000
# Who does not read answers no ping either, and is cut for that or for taking nothing: neither is to come first.
PATIENT = Limits(stalled_s=LIMIT_S, ping_interval_s=int(LIMIT_S))


def _small_socket(address: tuple[int, int, int, str, tuple[str, int]]) -> socket.socket:
    made = socket.socket(address[0], address[1])
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    return made


class RawClient:
    """A client without a library's buffers: what it does not read stays with the server."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws

    @classmethod
    @contextlib.asynccontextmanager
    async def connect(cls, url: str, token: str) -> AsyncIterator[RawClient]:
        """Connect and read up to `ready`."""
        hurried = aiohttp.ClientWSTimeout(ws_close=0.2)
        connector = aiohttp.TCPConnector(socket_factory=_small_socket)
        async with (
            aiohttp.ClientSession(connector=connector) as http,
            http.ws_connect(f"{url}/socket.io/?EIO=4&transport=websocket", max_msg_size=0, timeout=hurried) as ws,
        ):
            client = cls(ws)
            await ws.receive_str()
            await ws.send_str("40" + orjson.dumps({"token": token}).decode())
            assert (await ws.receive_str()).startswith("40")
            assert (await ws.receive_str()).startswith('42["ready"')
            yield client

    def stop_reading(self) -> None:
        """Take nothing from the network any more."""
        self._transport.pause_reading()

    def read_on(self) -> None:
        """Read again."""
        self._transport.resume_reading()

    @property
    def _transport(self) -> asyncio.ReadTransport:
        conn = self.ws._conn
        assert conn is not None and conn.transport is not None
        transport: asyncio.ReadTransport = conn.transport
        return transport

    async def next_packet(self) -> tuple[str, dict[str, object]]:
        """The next Socket.IO event; pings are answered."""
        while True:
            said = await asyncio.wait_for(self.ws.receive_str(), PATIENCE_S)
            if said == "2":
                await self.ws.send_str("3")
            elif said.startswith("42"):
                name, data = orjson.loads(said[2:])
                return name, data


def counted(name: str, **labels: str) -> float:
    """A counter's value."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_a_slow_reader_holds_up_nobody_and_gets_everything_in_the_end(
    database: TestDatabase, valkey_url: str, acme: Company
) -> None:
    before = counted("ringside_catch_ups_total", why="slow")
    async with (
        hub_process(database.app_url, valkey_url, limits=PATIENT) as hub,
        clients(Client.connect(hub.url, token_for(acme))) as (quick,),
        RawClient.connect(hub.url, token_for(acme, "manager")) as slow,
    ):
        slow.stop_reading()
        for n in range(150):
            await note(hub.db, acme, n, text=TEXT)
            await quick.until_noted(n)
        assert counted("ringside_catch_ups_total", why="slow") == before + 1
        reader = next(r for r in hub.realtime.sockets.readers if r.claims.role == "manager")
        assert reader.line.backlog < 2 * 256 * 1024, "what waits for a slow reader waits in the log"
        slow.read_on()
        notes: list[object] = []
        seqs: list[object] = []
        while len(notes) < 150:
            name, data = await slow.next_packet()
            assert name == "event"
            seqs.append(data["seq"])
            if data["type"] == "test.noted":
                notes.append(data["data"]["n"])  # type: ignore[index]
        assert notes == list(range(150))
        assert seqs == sorted(set(seqs))  # type: ignore[type-var]
        await note(hub.db, acme, "live again")
        assert (await slow.next_packet())[1]["data"] == {"n": "live again"}


async def test_a_reader_that_never_reads_is_dropped_with_a_reason(database: TestDatabase, valkey_url: str, acme: Company) -> None:
    before = counted("ringside_byes_total", reason="too_slow")
    async with (
        hub_process(database.app_url, valkey_url, limits=Limits(stalled_s=0.5)) as hub,
        RawClient.connect(hub.url, token_for(acme)) as slow,
    ):
        slow.stop_reading()
        n = 0
        while counted("ringside_byes_total", reason="too_slow") == before:
            assert n < 1000
            await note(hub.db, acme, n, text=TEXT)
            n += 1
        await eventually(lambda: not hub.realtime.sockets.readers, "the socket is gone")


async def test_a_slow_reader_too_far_behind_is_told_to_resync(database: TestDatabase, valkey_url: str, acme: Company) -> None:
    async with (
        hub_process(database.app_url, valkey_url, limits=replace(PATIENT, max_behind=30, backlog_bytes=100_000)) as hub,
        RawClient.connect(hub.url, token_for(acme)) as slow,
    ):
        slow.stop_reading()
        for n in range(150):
            await note(hub.db, acme, n, text=TEXT)
        await note(hub.db, acme, "last")
        slow.read_on()
        name, data = await slow.next_packet()
        while name != "resync":
            name, data = await slow.next_packet()
        assert data["reason"] == "too_far_behind"
        assert data["seq"] == hub.realtime.sockets.readers[0].position
