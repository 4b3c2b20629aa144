"""Sockets: who comes too often, too many, or talks too much."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import orjson
import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, WSServerHandshakeError
from prometheus_client import REGISTRY

from tests.conftest import make_company
from tests.harness import RunningHub, until
from tests.loop_clock import LIMIT_S
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.asyncio(loop_scope="module")


@asynccontextmanager
async def knocking(hub: RunningHub) -> AsyncIterator[ClientWebSocketResponse]:
    """A connection that has not said who it is."""
    async with ClientSession() as session, session.ws_connect(f"{hub.url}/socket.io/?EIO=4&transport=websocket") as socket:
        await socket.receive_str()
        yield socket


async def enter(socket: ClientWebSocketResponse, token: str) -> tuple[bool, dict[str, object]]:
    """Show a token: whether it was taken, and what was said."""
    await socket.send_str("40" + orjson.dumps({"token": token}).decode())
    said = await asyncio.wait_for(socket.receive_str(), PATIENCE_S)
    return said.startswith("40"), orjson.loads(said[2:])


async def test_a_member_has_so_many_sockets_and_a_company_too(narrow: RunningHub) -> None:
    company = await make_company(narrow.hub.db, "Many windows")
    seats = narrow.hub.admission.seats
    async with knocking(narrow) as one, knocking(narrow) as two:
        for socket in (one, two):
            assert (await enter(socket, narrow.token(company, "rep")))[0]
        async with knocking(narrow) as three:
            taken, said = await enter(three, narrow.token(company, "rep"))
            assert not taken
            assert said["data"]["code"] == "too_many_connections"  # type: ignore[index]
            assert said["data"]["retry_after_s"] >= 1  # type: ignore[index]
        async with knocking(narrow) as three, knocking(narrow) as four:
            assert (await enter(three, narrow.token(company, "manager")))[0]
            assert not (await enter(four, narrow.token(company, "admin")))[0]
    await until(lambda: _is(seats.waiting == 0 and not seats.by_user._held))
    async with knocking(narrow) as again:
        assert (await enter(again, narrow.token(company, "rep")))[0]


async def test_those_who_never_say_who_they_are_are_few_and_do_not_stay(
    narrow: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody's time is over before all have come.
    now_s = [time.monotonic()]
    monkeypatch.setattr("hub.realtime.sockets.time", SimpleNamespace(time=time.time, monotonic=lambda: now_s[0]))
    seats = narrow.hub.admission.seats
    await until(lambda: _is(seats.waiting == 0))
    async with knocking(narrow) as first, knocking(narrow), knocking(narrow):
        with pytest.raises(WSServerHandshakeError) as refused:
            async with knocking(narrow):
                pass
        assert refused.value.status == 429
        assert int(refused.value.headers["Retry-After"]) >= 1  # type: ignore[index]
        said = asyncio.create_task(first.receive())

        async def is_cut() -> bool:
            # A look that comes first begins to count.
            now_s[0] += LIMIT_S
            return said.done()

        await until(is_cut)
        ended = await said
        assert ended.type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR)
    await until(lambda: _is(seats.waiting == 0))


@pytest.mark.parametrize(
    "message", ['42["hello",{}]', "3", "x" * 1000, "", "\x00"], ids=["events", "pongs", "noise", "nothing", "nul"]
)
async def test_a_client_that_talks_without_end_is_heard_no_more_and_cut(
    narrow: RunningHub, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.realtime.wire._SILENCE_S", 0.3)
    before = _turned_away()
    company = await make_company(narrow.hub.db, f"Chatty {message!r:.20}")
    async with knocking(narrow) as socket:
        assert (await enter(socket, narrow.token(company, "rep")))[0]
        ended = False
        with contextlib.suppress(ConnectionError):
            for _ in range(2000):
                await socket.send_str(message)
            while not ended:
                ended = (await asyncio.wait_for(socket.receive(), PATIENCE_S)).type is not WSMsgType.TEXT
        assert ended or socket.closed or socket.exception() is not None
    assert _turned_away() - before <= 1, "what it said after that was not even read"
    async with ClientSession() as session, session.get(f"{narrow.url}/healthz") as answer:
        assert answer.status == 200


async def test_a_message_that_is_too_large_ends_the_socket(narrow: RunningHub) -> None:
    async with knocking(narrow) as socket:
        await socket.send_str("40" + "x" * 20_000)
        ended = await asyncio.wait_for(socket.receive(), PATIENCE_S)
        assert ended.type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR)


def _turned_away() -> float:
    return REGISTRY.get_sample_value("ringside_socket_seats_refused_total", {"by": "socket_messages"}) or 0.0


async def _is(value: bool) -> bool:
    return value
