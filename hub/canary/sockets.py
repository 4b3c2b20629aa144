"""The attempts on the live floor: both canaries connect, something happens in each, and neither may hear of the other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, WSMsgType
from pydantic import BaseModel

from hub.canary.attempts import Attempt, leaked
from hub.canary.pair import Canary
from hub.canary.requests import Asker
from hub.db import Database, tenant_tx
from hub.events import Event

_PATIENCE_S = 5.0
_Problem = (ClientError, OSError, TimeoutError, ValueError)


class _Nothing(BaseModel):
    pass


@dataclass(frozen=True, slots=True)
class Chirp(Event):
    """Something that happened to a canary. Not in the catalogue: no client ever sees it."""

    type = "canary.chirped"
    subject_kind = "canary"
    data_model = _Nothing


@dataclass(slots=True)
class Ear:
    """A Socket.IO client that keeps all it hears; engine.io 4 over a websocket, and nothing of it that is not needed here."""

    ws: ClientWebSocketResponse
    ready: dict[str, Any] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def connect(cls, session: ClientSession, url: str, auth: dict[str, Any], query: str = "") -> AsyncIterator[Ear]:
        """Connect with this `auth`. Raises what aiohttp raises, TimeoutError, and ValueError when it is refused."""
        address = f"{url.replace('http', 'ws', 1)}/socket.io/?EIO=4&transport=websocket{query}"
        async with session.ws_connect(address) as ws:
            ear = cls(ws)
            await ear.until("0{")
            await ws.send_str("40" + orjson.dumps(auth, default=str).decode())
            said = await ear.until('42["ready"', "44")
            if said.startswith("44"):
                raise ValueError(f"the socket was refused: {said[2:200]}")
            ear.ready = orjson.loads(said[2:])[1]
            yield ear

    async def say(self, name: str, data: Any, number: int = 0) -> None:
        """Send an event that asks for an acknowledgement."""
        await self.ws.send_str(f"42{number}" + orjson.dumps([name, data], default=str).decode())

    async def until(self, *openings: str, having: str = "") -> str:
        """The first message that begins like one of these and holds `having`; the others are kept. Raises TimeoutError."""
        end = time.monotonic() + _PATIENCE_S
        while True:
            message = await self.ws.receive(timeout=max(end - time.monotonic(), 0.001))
            if message.type is not WSMsgType.TEXT:
                raise ConnectionError("the socket was closed")
            text = str(message.data)
            if text == "2":
                await self.ws.send_str("3")
                continue
            self.heard.append(text)
            if text.startswith(openings) and having in text:
                return text

    def leaked(self, other: Canary, note: str) -> str | None:
        """What was heard of the other."""
        return leaked("\n".join(self.heard), (other.mark, note))


async def chirp(db: Database, canary: Canary, note: str) -> None:
    """Something happens in a canary."""
    async with tenant_tx(db, canary.who) as tx:
        tx.emit(Chirp(canary.tenant_id, {"mark": canary.mark, "note": note}))


async def try_sockets(db: Database, mine: Asker, theirs: Asker, own: Canary, other: Canary) -> list[Attempt]:
    """The live events, what a client may ask for, what it missed, and who is there."""
    found: list[Attempt] = []
    for layer, attempt in (("sockets", _live), ("replay", _replay), ("presence", _presence)):
        try:
            async with asyncio.timeout(3 * _PATIENCE_S):
                async for one in attempt(db, mine, theirs, own, other):
                    found.append(one)
        except _Problem as problem:
            found.append(Attempt.left_out(layer, f"sockets of {mine.url}", str(problem) or type(problem).__name__))
    return found


async def _live(db: Database, mine: Asker, theirs: Asker, own: Canary, other: Canary) -> AsyncIterator[Attempt]:
    wish = {"tenant_id": other.tenant_id, "tenant": other.tenant_id, "rooms": _rooms(other), "room": _rooms(other)[0]}
    query = f"&tenant_id={other.tenant_id}&room=tenant:{other.tenant_id}"
    note = f"note{time.time_ns()}"
    async with (
        Ear.connect(theirs.session, theirs.url, {"token": theirs.token}) as they,
        Ear.connect(mine.session, mine.url, {"token": mine.token, **wish}, query) as we,
    ):
        place = str(we.ready.get("tenant_id"))
        astray = place != str(own.tenant_id)
        yield Attempt.judged("sockets", "connect and ask for the other's company", place, breached=astray)
        for number, name in enumerate(("join", "subscribe", "enter_room"), start=1):
            await we.say(name, {"room": _rooms(other)[0], "tenant_id": other.tenant_id}, number)
        await we.say("auth", {"token": theirs.token}, 9)
        taken = '"ok":true' in await we.until("439")
        words = "taken" if taken else "refused"
        yield Attempt.judged("sockets", "go on with the other's token", words, breached=taken)
        if astray or taken:
            return
        # The other's event has been through the hub before one's own is made: by then it would have been heard.
        await chirp(db, other, note)
        await they.until('42["event"', having=note)
        await chirp(db, own, f"own{note}")
        await we.until('42["event"', having=f"own{note}")
        heard = we.leaked(other, f'"{note}"')
        yield Attempt.judged("sockets", "hear the other's events", heard or "nothing of it", breached=heard is not None)


def _rooms(other: Canary) -> list[str]:
    return [f"tenant:{other.tenant_id}", f"user:{other.user_id}", "managers", str(other.tenant_id)]


async def _replay(db: Database, mine: Asker, theirs: Asker, own: Canary, other: Canary) -> AsyncIterator[Attempt]:
    async with Ear.connect(theirs.session, theirs.url, {"token": theirs.token}) as they:
        epoch, seq = they.ready["epoch"], int(they.ready["seq"])
    async with Ear.connect(mine.session, mine.url, {"token": mine.token}) as here:
        back = max(int(here.ready["seq"]) - 20, 0)
        ours = here.ready["epoch"]
    cursors = {
        "the other's place in its log": {"epoch": epoch, "seq": max(seq - 5, 0)},
        "the beginning of the other's log": {"epoch": epoch, "seq": 0},
        "a place far back in one's own": {"epoch": ours, "seq": back},
    }
    for words, cursor in cursors.items():
        note = f"after{time.time_ns()}"
        auth = {"token": mine.token, "tenant_id": other.tenant_id, "cursor": cursor}
        async with Ear.connect(mine.session, mine.url, auth) as we:
            # Whatever is replayed has come when what happens next is heard.
            await chirp(db, own, note)
            await we.until('42["event"', having=note)
            heard = we.leaked(other, str(other.tenant_id))
        yield Attempt.judged("replay", words, heard or "nothing of it", breached=heard is not None)
    said = await mine.ask("get", "/api/v1/events?limit=100")
    heard = leaked(said.body, (other.mark,))
    yield Attempt.judged("replay", "GET /api/v1/events", heard or "nothing of it", breached=heard is not None)


async def _presence(_db: Database, mine: Asker, theirs: Asker, _own: Canary, other: Canary) -> AsyncIterator[Attempt]:
    async with Ear.connect(theirs.session, theirs.url, {"token": theirs.token}):
        for path in ("/api/v1/floor", "/api/v1/members"):
            said = await mine.ask("get", path)
            heard = leaked(said.body, (str(other.user_id), str(other.tenant_id)))
            words = f"{said.status}, {'with ' + heard if heard else 'without the other'}"
            yield Attempt.judged("presence", f"GET {path} while the other is there", words, breached=heard is not None)
