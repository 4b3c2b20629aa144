"""The SDK's connections: what may not arrive twice is sent once, threads never mix answers up, answers are bounded."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from integrations.errors import Transient
from integrations.gmail.mapping import our_error
from integrations.gmail.wire import Call, Oversized, Unreachable, Wire, Wires
from tests.integrations.conftest import eventually
from tests.loop_clock import LIMIT_S
from tests.patience import PATIENCE_S


@dataclass
class Peer:
    """A server that answers as it is told: bytes, or None to hang up after it has read the request."""

    url: str = ""
    heard: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    connections: int = 0
    answer: Callable[[str], bytes | None] = lambda path: _ok(path.encode())

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while line := await reader.readline():
            method, path, _ = line.decode().split(" ", 2)
            length = 0
            while (header := (await reader.readline()).strip().lower()) != b"":
                if header.startswith(b"content-length:"):
                    length = int(header.split(b":")[1])
                if header.startswith(b"authorization:"):
                    self.tokens.append(header.split()[-1].decode())
            await reader.readexactly(length)
            self.heard.append(f"{method} {path}")
            answer = self.answer(path)
            if answer is None:
                break
            writer.write(answer)
        writer.close()


def _ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    peer = Peer()
    server = await asyncio.start_server(peer.take, "127.0.0.1", 0)
    peer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield peer
    server.close()


@asynccontextmanager
async def threads(timeout_s: float = PATIENCE_S, number: int = 8) -> AsyncIterator[Wires]:
    wires = Wires(timeout_s=timeout_s, threads=number)
    yield wires
    wires.close()


def get(url: str) -> Callable[[Wire], bytes]:
    return lambda wire: bytes(wire.request(url)[1])


def post(url: str) -> Callable[[Wire], bytes]:
    return lambda wire: bytes(wire.request(url, "POST", body=b"hello")[1])


async def test_what_is_sent_once_is_not_sent_again_when_the_answer_is_lost(peer: Peer) -> None:
    async with threads(number=1) as wires:
        # A connection that is kept, as it would be in the middle of a day's work.
        await wires.run(get(f"{peer.url}/before"), Call("t"))
        peer.answer = lambda path: None

        with pytest.raises(OSError) as lost:
            await wires.run(post(f"{peer.url}/send"), Call("t", once=True))

    assert peer.heard.count("POST /send") == 1
    ours = our_error(lost.value)
    assert isinstance(ours, Transient) and ours.ambiguous


async def test_what_is_sent_once_goes_over_a_new_connection_so_that_a_stale_one_leaves_no_doubt(peer: Peer) -> None:
    async with threads(number=1) as wires:
        await wires.run(get(f"{peer.url}/before"), Call("t"))
        await wires.run(post(f"{peer.url}/send"), Call("t", once=True))

    assert peer.connections == 2


async def test_a_kept_connection_that_went_stale_is_replaced_for_what_may_be_repeated(peer: Peer) -> None:
    told: list[str] = []

    def once_a_connection(path: str) -> bytes | None:
        told.append(path)
        return None if len(told) == 2 else _ok(b"fine")

    peer.answer = once_a_connection
    async with threads(number=1) as wires:
        assert await wires.run(get(f"{peer.url}/one"), Call("t")) == b"fine"
        assert await wires.run(get(f"{peer.url}/two"), Call("t")) == b"fine"

    assert peer.heard == ["GET /one", "GET /two", "GET /two"]


async def test_no_connection_means_that_nothing_was_sent() -> None:
    async with threads() as wires:
        with pytest.raises(Unreachable) as refused:
            await wires.run(post("http://127.0.0.1:1/send"), Call("t", once=True))

    ours = our_error(refused.value)
    assert isinstance(ours, Transient) and not ours.ambiguous


async def test_each_caller_gets_their_own_answer_with_their_own_token(peer: Peer) -> None:
    async with threads() as wires:
        answers = await asyncio.gather(*(wires.run(get(f"{peer.url}/{number}"), Call(f"t{number}")) for number in range(200)))

    assert answers == [f"/{number}".encode() for number in range(200)]
    assert [f"GET /{token[1:]}" for token in peer.tokens] == peer.heard


async def test_an_answer_that_is_too_large_is_not_read_to_its_end(peer: Peer) -> None:
    peer.answer = lambda path: _ok(b"x" * 100_000)
    async with threads() as wires:
        with pytest.raises(Oversized):
            await wires.run(get(f"{peer.url}/large"), Call("t", largest=10_000))
        assert len(await wires.run(get(f"{peer.url}/large"), Call("t"))) == 100_000


async def test_closing_ends_what_hangs(peer: Peer) -> None:
    peer.answer = lambda path: b""
    wires = Wires(timeout_s=LIMIT_S)
    hanging = asyncio.create_task(wires.run(get(f"{peer.url}/hang"), Call("t")))
    await eventually(lambda: peer.heard)

    wires.close()

    with pytest.raises(OSError):
        async with asyncio.timeout(PATIENCE_S):
            await hanging


async def test_what_nobody_waits_for_any_more_is_cut_off_and_does_not_arrive_later(peer: Peer) -> None:
    whole = b"x" * 50_000_000
    async with threads(number=1, timeout_s=LIMIT_S) as wires:
        begun, over = asyncio.Event(), asyncio.Event()

        async def stop_reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1_000)
            begun.set()
            await over.wait()
            writer.close()

        server = await asyncio.start_server(stop_reading, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        sending = asyncio.create_task(wires.run(lambda wire: wire.request(url, "POST", body=whole), Call("t", once=True)))
        await begun.wait()

        sending.cancel()

        with pytest.raises(asyncio.CancelledError):
            await sending
        # The thread is free again at once, long before the time limit of the connection.
        async with asyncio.timeout(PATIENCE_S):
            assert await wires.run(get(f"{peer.url}/next"), Call("t")) == b"/next"
        over.set()
        server.close()


async def test_what_comes_too_late_to_begin_is_not_sent(peer: Peer) -> None:
    async with threads(number=1) as wires:
        with pytest.raises(Unreachable):
            await wires.run(post(f"{peer.url}/send"), Call("t", once=True, begin_by=time.monotonic() - 1.0))

    assert peer.heard == []


async def test_what_waits_for_a_thread_when_it_is_given_up_is_not_sent(peer: Peer) -> None:
    release = threading.Event()
    async with threads(number=1) as wires:
        blocking = asyncio.create_task(wires.run(lambda wire: release.wait(PATIENCE_S), Call("t")))
        waiting = asyncio.create_task(wires.run(post(f"{peer.url}/send"), Call("t", once=True)))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        release.set()
        await blocking
        await wires.run(get(f"{peer.url}/next"), Call("t"))

    assert peer.heard == ["GET /next"]
