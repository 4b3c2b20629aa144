"""How a hub stops: whoever got through to it is answered."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from hub.leaving import Leaving
from tests.patience import PATIENCE_S


@pytest.fixture
async def site() -> AsyncIterator[tuple[Leaving, web.TCPSite]]:
    """A server that says hello."""

    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    app, leaving = web.Application(), Leaving()
    app.router.add_get("/", hello)
    leaving.attach(app)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield leaving, site
    await runner.cleanup()


async def test_who_connects_right_before_the_listener_closes_is_answered(
    site: tuple[Leaving, web.TCPSite], monkeypatch: pytest.MonkeyPatch
) -> None:
    leaving, tcp = site
    assert tcp._server is not None
    listeners = tuple(tcp._server.sockets)  # type: ignore[attr-defined]
    address = listeners[0].getsockname()
    with socket.socket() as client:
        client.settimeout(PATIENCE_S)

        async def ask_in_the_last_moment(_: int) -> None:
            # The kernel takes the connection and the request; the loop has had no turn to see either.
            client.connect(address)
            client.sendall(b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n")

        monkeypatch.setattr("hub.leaving._turns", ask_in_the_last_moment)
        await leaving.close(tcp, listeners)
        answer = await asyncio.to_thread(client.recv, 4096)
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"Connection: close" in answer
    with socket.socket() as late, pytest.raises(ConnectionRefusedError):
        late.connect(address)
