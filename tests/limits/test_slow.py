"""Connections that speak slowly, or of which there are too many."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web

from hub.http.middleware import observe
from hub.limits.admission import Admission
from hub.limits.doorman import HTTP_LIMITS, Doorman, DoorSite, Times
from hub.limits.settings import Limits
from tests.harness import until
from tests.loop_clock import Clock
from tests.patience import PATIENCE_S

# Longer than any machine stands still.
PATIENT = Times(header_s=300.0, body_patience_s=300.0, look_every_s=0.05)
HASTY = Times(header_s=0.3, body_patience_s=0.3, body_bytes_s=1000, look_every_s=0.05)


@asynccontextmanager
async def door(
    limits: Limits | None = None, proxies: str = "10.0.0.0/8", *, times: Times = HASTY
) -> AsyncIterator[tuple[int, list[int]]]:
    """A server with a doorman: its port, and the sizes of the bodies it has got."""
    got: list[int] = []

    async def take(request: web.Request) -> web.Response:
        got.append(len(await request.read()))
        return web.Response(text="done")

    admission = Admission(limits or Limits(), (ipaddress.ip_network(proxies),))
    admission.doorman = Doorman(limits or Limits(), (ipaddress.ip_network(proxies),), times)
    app = web.Application(middlewares=[observe, admission.middleware()])
    app.router.add_post("/api/v1/take", take)
    runner = web.AppRunner(app, access_log=None, **HTTP_LIMITS)
    await runner.setup()
    site = DoorSite(runner, admission.doorman, "127.0.0.1", 0)
    await site.start()
    admission.doorman.start()
    try:
        yield site.port, got
    finally:
        await admission.doorman.stop()
        await runner.cleanup()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What the doorman goes by."""
    made = Clock()
    monkeypatch.setattr("hub.limits.doorman.time", made)
    return made


async def ends(reader: asyncio.StreamReader) -> bytes:
    """What is said until the other side hangs up."""
    try:
        return await asyncio.wait_for(reader.read(), PATIENCE_S)
    except ConnectionError:
        return b""


async def drip(writer: asyncio.StreamWriter, data: bytes, every_s: float) -> None:
    """A byte now and then, for as long as it is let."""
    try:
        for byte in data:
            writer.write(bytes((byte,)))
            await writer.drain()
            await asyncio.sleep(every_s)
    except ConnectionError:
        pass


@pytest.mark.parametrize(
    "beginning",
    [b"", b"POST /api/v1/take HTTP/1.1\r\nHost: x\r\n", b"POST /api/v1/take HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n"],
    ids=["nothing", "half a header", "half a body"],
)
async def test_who_says_a_byte_now_and_then_is_cut(beginning: bytes) -> None:
    async with door() as (port, got):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(beginning)
        dripping = asyncio.create_task(drip(writer, b"x" * 200, 0.02))
        assert b"200" not in await ends(reader)
        dripping.cancel()
        writer.close()
        assert got == []


async def test_who_stops_in_the_second_request_is_cut_and_who_is_just_silent_is_not(clock: Clock) -> None:
    async with door(times=PATIENT) as (port, got):
        whole = b"POST /api/v1/take HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
        silent_reader, silent = await asyncio.open_connection("127.0.0.1", port)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for each, stream in ((silent, silent_reader), (writer, reader)):
            each.write(whole)
            assert b"200" in await stream.readuntil(b"done")
        writer.write(whole[:20])
        said = asyncio.create_task(ends(reader))

        async def is_cut() -> bool:
            clock.ahead_s += PATIENT.header_s
            return said.done()

        await until(is_cut)
        assert await said == b""
        silent.write(whole)
        assert b"200" in await silent_reader.readuntil(b"done")
        assert got == [3, 3, 3]
        for each in (silent, writer):
            each.close()


async def test_a_body_that_comes_steadily_is_taken_however_long_it_is(clock: Clock) -> None:
    async with door(times=replace(PATIENT, body_bytes_s=10)) as (port, got):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /api/v1/take HTTP/1.1\r\nHost: x\r\nContent-Length: 30000\r\n\r\n")
        for _ in range(30):
            writer.write(b"x" * 1000)
            await writer.drain()
            await asyncio.sleep(0.03)
            # Three times as long as a body may be slow, by the end of it.
            clock.ahead_s += 30.0
        assert b"200" in await reader.readuntil(b"done")
        assert got == [30_000]
        writer.close()


@pytest.mark.parametrize(("proxies", "let_in"), [("10.0.0.0/8", 3), ("127.0.0.0/8", 6)], ids=["people", "a proxy"])
async def test_an_address_has_so_many_connections_unless_it_is_our_proxy(proxies: str, let_in: int) -> None:
    async with door(Limits(connections_address=3), proxies, times=PATIENT) as (port, _):
        streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(6)]
        answers = 0
        for reader, writer in streams:
            try:
                writer.write(b"POST /api/v1/take HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
                answers += b"200" in await asyncio.wait_for(reader.readuntil(b"done"), PATIENCE_S)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
        assert answers == let_in
        for _, writer in streams:
            writer.close()
