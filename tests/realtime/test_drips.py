"""Clients that read, or say what they have to say, a byte at a time: they are cut off, and cost nobody else anything."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest

from benchmarks.floor_crowd import frames_in
from hub.limits.admission import Admission
from hub.limits.doorman import Doorman, Times
from hub.limits.settings import Limits as Rates
from hub.realtime.limits import Limits
from hub.realtime.wire import engine_sockets
from tests.conftest import Company, TestDatabase
from tests.harness import until
from tests.loop_clock import LIMIT_S, Clock
from tests.patience import PATIENCE_S
from tests.realtime.kit import Client, HubProcess, clients, eventually, hub_process, note, token_for

TEXT = "x" * 20_000
# A byte a second, in the time of these tests: their deadlines are a tenth of a second instead of several.
_BYTE_S = 0.01
_UPGRADE = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def packet(payload: bytes) -> bytes:
    """A client's text frame, masked with zeros (RFC 6455, section 5.3)."""
    return bytes((0x81, 0x80 | 126)) + len(payload).to_bytes(2, "big") + bytes(4) + payload


class Wire:
    """A plain TCP connection with small buffers: what is not read stays with the server."""

    def __init__(self, sock: socket.socket) -> None:
        self.heard = b""
        self._sock = sock
        self._loop = asyncio.get_running_loop()

    @classmethod
    @asynccontextmanager
    async def to(cls, hub: HubProcess) -> AsyncIterator[Wire]:
        """Connect."""
        with socket.socket() as sock:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", hub.port))
            yield cls(sock)

    async def say(self, data: bytes) -> None:
        """Send all of it."""
        await self._loop.sock_sendall(self._sock, data)

    async def hear(self, until: bytes) -> None:
        """Read on to the end of `until`, byte by byte: nothing of what follows."""
        while until not in self.heard:
            async with asyncio.timeout(PATIENCE_S):
                byte = await self._loop.sock_recv(self._sock, 1)
            assert byte, "the other side has hung up"
            self.heard += byte

    async def drip_in(self) -> None:
        """Read a byte now and then, until the other side hangs up."""
        with contextlib.suppress(ConnectionError):
            while byte := await self._loop.sock_recv(self._sock, 1):
                self.heard += byte
                await asyncio.sleep(_BYTE_S)

    async def drip_out(self, data: bytes) -> bool:
        """Say it a byte now and then; whether all of it was taken before the other side hung up. CLOSE is not answered."""
        gone = asyncio.ensure_future(self._until_gone())
        try:
            for byte in data:
                await self.say(bytes((byte,)))
                done, _ = await asyncio.wait((gone,), timeout=_BYTE_S)
                if done:
                    return False
        except ConnectionError:
            return False
        finally:
            gone.cancel()
        return True

    async def _until_gone(self) -> None:
        with contextlib.suppress(ConnectionError):
            while await self._loop.sock_recv(self._sock, 4096):
                pass


async def test_who_reads_a_byte_a_second_holds_up_nobody_is_cut_and_hears_the_rest_when_back(
    database: TestDatabase, valkey_url: str, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr("hub.realtime.reader.time", clock)
    limits = Limits(stalled_s=LIMIT_S, ping_interval_s=int(LIMIT_S), backlog_bytes=100_000)
    async with (
        hub_process(database.app_url, valkey_url, limits=limits) as hub,
        clients(Client.connect(hub.url, token_for(acme))) as (quick,),
        Wire.to(hub) as slow,
    ):
        await slow.say(_UPGRADE)
        await slow.hear(b"\r\n\r\n")
        await slow.say(packet(b"40" + orjson.dumps({"token": token_for(acme, "manager")})))
        await slow.hear(b'42["ready",')
        await slow.hear(b"}]")
        reader = next(reader for reader in hub.realtime.sockets.readers if reader.claims.role == "manager")
        dripping = asyncio.create_task(slow.drip_in())
        most, n = 0, 0
        while not reader.gone:
            assert n < 2_000, "it is never cut"
            await note(hub.db, acme, n, text=TEXT)
            await quick.until_noted(n)
            most, n = max(most, reader.line.backlog), n + 1
            clock.ahead_s += LIMIT_S
        assert 0 < most < 3 * 100_000, "what waits for a slow reader waits in the log"
        dripping.cancel()
        # The bytes of the handshake's answer come first; what is not whole was not heard.
        said = frames_in(slow.heard.partition(b"\r\n\r\n")[2])[0]
        packets = [orjson.loads(one[2:]) for one in said if one.startswith(b"42")]
        (ready, *seqs) = [data if name == "ready" else data["seq"] for name, data in packets if name in ("ready", "event")]
        cursor = {"epoch": ready["epoch"], "seq": seqs[-1] if seqs else ready["seq"]}
        async with clients(Client.connect(hub.url, token_for(acme, "manager"), cursor)) as (back,):
            await back.until_noted(n - 1)
            assert back.seqs[0] == cursor["seq"] + 1
            assert back.seqs == list(range(back.seqs[0], back.seqs[-1] + 1))


@pytest.mark.parametrize("drips", ["the request", "the first packet"])
async def test_who_says_its_handshake_a_byte_a_second_is_cut_beside_all_the_others(
    database: TestDatabase, valkey_url: str, acme: Company, drips: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    for module in ("hub.limits.doorman", "hub.realtime.sockets"):
        monkeypatch.setattr(f"{module}.time", clock)
    rates = Rates()
    admission = Admission(rates)
    admission.doorman = Doorman(rates, times=Times(header_s=LIMIT_S, look_every_s=0.05))
    limits = Limits(connect_deadline_s=LIMIT_S, tick_s=0.1)

    async with (
        hub_process(database.app_url, valkey_url, limits=limits, admission=admission) as hub,
        clients(Client.connect(hub.url, token_for(acme, lifetime_s=1000 * int(LIMIT_S)))) as (quick,),
        contextlib.AsyncExitStack() as stack,
    ):
        slow = [await stack.enter_async_context(Wire.to(hub)) for _ in range(20)]
        said = _UPGRADE
        if drips == "the first packet":
            said = packet(b"40" + orjson.dumps({"token": token_for(acme)})) * 10
            # All have come so far before any time passes.
            for wire in slow:
                await wire.say(_UPGRADE)
                await wire.hear(b"\r\n\r\n")
        shaking = asyncio.gather(*(wire.drip_out(said) for wire in slow))
        for n in range(20):
            clock.ahead_s += LIMIT_S
            await note(hub.db, acme, n)
            await quick.until_noted(n)

        async def all_cut() -> bool:
            clock.ahead_s += LIMIT_S
            return shaking.done()

        # Also the last of them, though none of them answers a CLOSE.
        await until(all_cut)
        assert await shaking == [False] * 20
        await eventually(lambda: len(list(engine_sockets(hub.realtime.sockets.sio))) == 1, "only the quick one is left")
        await note(hub.db, acme, "still here")
        await quick.until_noted("still here")
