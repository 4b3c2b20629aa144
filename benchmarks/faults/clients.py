"""Clients that outlive anything: a socket that keeps its place and comes back, and a rep who writes until it is acknowledged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import orjson
from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout, ClientWebSocketResponse, WSMsgType

from benchmarks.faults.checker import BROKE, REFUSED, SILENT, Delivered, Heard, Ready, Resynced, Write, parse_heard
from hub.who import Role

# A client that was cut off comes back after a moment, as every Socket.IO client does; the first moment is short.
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 0.5
_CONNECT_S = 8.0
PATIENCE_S = 4.0


@dataclass(frozen=True, slots=True)
class Person:
    """A member with a token."""

    tenant_id: UUID
    user_id: UUID
    role: Role
    token: str = field(repr=False)


@dataclass
class Screen:
    """A live socket of a member. It tries the hubs in turn, goes on from its cursor, and keeps every word it hears."""

    name: str
    person: Person
    urls: Sequence[str]
    session: ClientSession
    heard: list[Heard] = field(default_factory=list)
    connects: int = 0
    failures: int = 0
    byes: list[str] = field(default_factory=list)
    position: int | None = None
    epoch: str = ""
    is_live: bool = False
    turn: int = 0
    """Which of the hubs it tries first."""
    on_word: Callable[[str, dict[str, Any]], None] | None = None
    """Hears everything the server says, too."""
    _ws: ClientWebSocketResponse | None = None
    _task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Come, and come back again whatever happens."""
        self._task = asyncio.create_task(self._stay(), name=f"screen {self.name}")

    async def stop(self) -> None:
        """Go for good."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def drop(self) -> None:
        """Lose the connection, as a telephone in a tunnel does."""
        if self._ws is not None and self._ws._conn is not None and self._ws._conn.transport is not None:
            self._ws._conn.transport.abort()

    @property
    def resyncs(self) -> int:
        """How often it was told to fetch state again."""
        return sum(isinstance(word, Resynced) for word in self.heard)

    @property
    def deliveries(self) -> int:
        """How many events it was given."""
        return sum(isinstance(word, Delivered) for word in self.heard)

    async def _stay(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            before = self.connects
            try:
                await self._visit(self.urls[self.turn % len(self.urls)])
            except (ClientError, OSError, TimeoutError, ConnectionError):
                self.failures += 1
            finally:
                self.is_live, self._ws = False, None
            self.turn += 1
            pause_s = _FIRST_PAUSE_S if self.connects > before else min(pause_s * 2, _LONGEST_PAUSE_S)
            await asyncio.sleep(pause_s)

    async def _visit(self, url: str) -> None:
        async with asyncio.timeout(_CONNECT_S):
            ws = await self.session.ws_connect(f"{url}/socket.io/?EIO=4&transport=websocket", max_msg_size=0)
        try:
            self._ws = ws
            await self._listen(ws)
        finally:
            # At once: the other end may be silent. And itself: aiohttp's close() does nothing when the line broke while it was
            # read, and leaves the connection to the garbage collector.
            self.drop()
            ws._response.close()

    async def _listen(self, ws: ClientWebSocketResponse) -> None:
        auth: dict[str, Any] = {"token": self.person.token}
        if self.position is not None:
            auth["cursor"] = {"epoch": self.epoch, "seq": self.position}
        asked = self.position
        async with asyncio.timeout(_CONNECT_S):
            opening = orjson.loads((await ws.receive_str())[1:])
            await ws.send_str("40" + orjson.dumps(auth).decode())
        # What every Socket.IO client does: without a ping for this long, the line is dead.
        patience_s = (opening["pingInterval"] + opening["pingTimeout"]) / 1000
        while True:
            async with asyncio.timeout(patience_s if self.is_live else _CONNECT_S):
                message = await ws.receive()
            if message.type is not WSMsgType.TEXT:
                return
            text: str = message.data
            if text == "2":
                await ws.send_str("3")
            elif text.startswith("42"):
                name, data = orjson.loads(text[2:])
                self._hear(name, data, asked)
            elif text.startswith(("41", "44")):
                return

    def _hear(self, name: str, data: dict[str, Any], asked: int | None) -> None:
        word = parse_heard(name, data, asked)
        if name == "bye":
            self.byes.append(str(data["reason"]))
        if word is None:
            return
        self.heard.append(word)
        self.position = word.seq
        if not isinstance(word, Delivered):
            self.epoch = word.epoch
        if self.on_word is not None:
            self.on_word(name, data)
        if isinstance(word, Ready):
            self.connects += 1
            self.is_live = True


@dataclass
class Rep:
    """A member who writes, again and again, and repeats with the same key what was not acknowledged."""

    name: str
    person: Person
    urls: Sequence[str]
    session: ClientSession
    contact_ids: list[str]
    pause_s: float = 0.03
    patience_s: float = PATIENCE_S
    """How long one attempt may take."""
    writes: list[Write] = field(default_factory=list)
    open: int = 0
    _turn: int = 0
    _stopping: bool = False
    _task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Write until stopped."""
        self._turn = hash(self.name)
        self._task = asyncio.create_task(self._work(), name=f"rep {self.name}")

    async def finish(self, within_s: float) -> bool:
        """Begin nothing new; False when what is open was not acknowledged in time."""
        self._stopping = True
        if self._task is None:
            return True
        done, _ = await asyncio.wait({self._task}, timeout=within_s)
        if done:
            self._task.result()
            return True
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        return False

    async def _work(self) -> None:
        number = 0
        while not self._stopping:
            number += 1
            if number % 4 == 0:
                mark = f"c{uuid4().hex}"
                await self.write("contact", mark, "/contacts", {"first_name": "New", "last_name": mark})
            else:
                contact_id = self.contact_ids[number % len(self.contact_ids)]
                mark = f"n{uuid4().hex}"
                await self.write("note", mark, f"/contacts/{contact_id}/notes", {"body": mark})
            await asyncio.sleep(self.pause_s)

    async def write(self, kind: str, mark: str, path: str, body: dict[str, Any]) -> Any:
        """One write, tried at the hubs in turn until it is acknowledged; its answer."""
        write = Write(self.person.tenant_id, kind, mark)
        self.writes.append(write)
        self.open += 1
        began = time.monotonic()
        headers = {"Authorization": f"Bearer {self.person.token}", "Idempotency-Key": mark}
        try:
            while True:
                status, answer = await self._attempt(path, body, headers)
                write.statuses.append(status)
                if isinstance(status, int) and REFUSED < status < 300:
                    write.acknowledged = True
                    return answer
                if status not in (BROKE, SILENT, REFUSED, 409, 429, 503):
                    return None
                await asyncio.sleep(0.05 if len(write.statuses) < 4 else 0.2)
        finally:
            write.took_s = time.monotonic() - began
            self.open -= 1

    async def _attempt(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> tuple[int | str, Any]:
        self._turn += 1
        url = f"{self.urls[self._turn % len(self.urls)]}/api/v1{path}"
        try:
            async with self.session.post(
                url, json=body, headers=headers, timeout=ClientTimeout(total=self.patience_s)
            ) as response:
                return response.status, orjson.loads(await response.read())
        except ClientConnectorError:
            return REFUSED, None
        except TimeoutError:
            return SILENT, None
        except (ClientError, OSError):
            return BROKE, None
